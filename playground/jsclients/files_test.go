package jsclients

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"io"
	"net/http"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// picture is a small PNG.
func picture(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// slackUploads: a picture is uploaded to a channel and shown in a block, and
// people are listed page by page.
func slackUploads(tb testing.TB, s *slackStage) {
	tb.Helper()
	data := picture(tb)
	do[nothing](tb, s.js, "upload", obj{
		"data": base64.StdEncoding.EncodeToString(data), "filename": "badge.png", "title": "A badge",
		"channel_id": team, "initial_comment": "Look",
	})
	messages := s.sim.Messages(team, ada)
	m := messages[len(messages)-1]
	if m.Text != "Look" || len(m.Files) != 1 {
		tb.Fatalf("the workspace holds %+v", m)
	}
	f := m.Files[0]
	equal(tb, "file", f, slacksim.File{ID: f.ID, Name: "badge.png", Title: "A badge", Mimetype: "image/png", Size: len(data)})
	if kept, ok := s.sim.FileData(f.ID); !ok || !bytes.Equal(kept, data) {
		tb.Fatalf("kept %d bytes of %d", len(kept), len(data))
	}
	shown := s.web(tb, "chat.postMessage", obj{"channel": team, "text": "x", "blocks": []obj{
		{"type": "image", "alt_text": "A laurel", "slack_file": obj{"id": f.ID}},
	}})
	equal(tb, "blocks", len(shown.Message.Blocks), 1)
	_, failed := s.js.try(tb, "web", "chat.postMessage", obj{"channel": team, "text": "x", "blocks": []obj{
		{"type": "image", "alt_text": "A laurel", "slack_file": obj{"id": "F0000NOONE"}},
	}})
	if failed == nil {
		tb.Fatal("a block shows an unknown file")
	}
	pages := do[[][]obj](tb, s.js, "pages", "users.list", obj{"limit": 2}, "members")
	equal(tb, "pages", []int{len(pages), len(pages[0])}, []int{2, 2})
}

// discordSendsFiles: a picture is sent and loaded again, and the gateway tells
// of it.
func discordSendsFiles(tb testing.TB, s *discordStage) {
	tb.Helper()
	data := picture(tb)
	sent := do[jsMessage](tb, s.js, "sendFile", s.channel, obj{"content": "Look"},
		obj{"data": base64.StdEncoding.EncodeToString(data), "name": "badge.png", "description": "A laurel"})
	m := s.message(tb, sent.ID)
	if len(m.Attachments) != 1 || m.Attachments[0].Filename != "badge.png" || m.Attachments[0].Description != "A laurel" {
		tb.Fatalf("Discord holds %+v", m)
	}
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, m.Attachments[0].URL, nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, data) {
		tb.Fatalf("its address gave %d bytes, %v", len(got), err)
	}
	type heard struct {
		ID          string                  `json:"id"`
		Content     string                  `json:"content"`
		Author      string                  `json:"author"`
		Attachments []discordsim.Attachment `json:"attachments"`
	}
	e := await(tb, s.js, "message", func(h heard) bool { return h.ID == sent.ID })
	equal(tb, "messageCreate", []any{e.Content, e.Author, len(e.Attachments)}, []any{"Look", s.sim.ApplicationID(), 1})
}
