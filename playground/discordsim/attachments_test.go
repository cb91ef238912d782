package discordsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// picture is a small PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestAgainstTheDescription holds requests and answers of each story against
// Discord's description, which takes long to load.
func TestAgainstTheDescription(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, story := range map[string]func(*testing.T, *discordsim.Server){
		"files of messages": filesOfMessages, "files by reference": filesByReference, "file refusals": fileRefusals,
		"files of interactions": filesOfInteractions, "guilds": guilds,
		"files of people": func(t *testing.T, s *discordsim.Server) { filesOfPeople(t, s, set) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, start(t, discordsim.Config{Schema: set, MaxFileSize: 4096}))
		})
	}
}

// formed is a bot's answer with a file.
type formed struct {
	payload string
	file    upload
}

func (f formed) write(w http.ResponseWriter) {
	form := multipart.NewWriter(w)
	w.Header().Set("Content-Type", form.FormDataContentType())
	_ = form.WriteField("payload_json", f.payload)
	if part, err := form.CreateFormFile("files[0]", f.file.name); err == nil {
		_, _ = part.Write(f.file.data)
	}
	_ = form.Close()
}

type upload struct {
	name string
	data []byte
}

// send makes a request of JSON and files.
func send(t *testing.T, s *discordsim.Server, method, path string, payload any, files ...upload) (int, map[string]any) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	encoded, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="payload_json"`}, "Content-Type": {"application/json"},
	})
	if err == nil {
		_, err = part.Write(encoded)
	}
	for i, f := range files {
		if err != nil {
			break
		}
		if part, err = form.CreateFormFile(fmt.Sprintf("files[%d]", i), f.name); err == nil {
			_, err = part.Write(f.data)
		}
	}
	if err != nil || form.Close() != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.BaseURL()+"/api/v10"+path, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bot "+s.BotToken())
	status, data := do(t, req)
	var out map[string]any
	if len(data) > 0 && json.Unmarshal(data, &out) != nil {
		t.Fatalf("%d %s", status, data)
	}
	return status, out
}

func do(t *testing.T, req *http.Request) (int, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, data
}

func load(t *testing.T, address string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

// filesOfMessages sends, keeps, replaces and takes away the files of a
// message.
func filesOfMessages(t *testing.T, s *discordsim.Server) {
	t.Helper()
	w := populate(t, s)
	path, data := "/channels/"+w.channel+"/messages", picture(t)
	status, out := send(t, s, http.MethodPost, path, obj{
		"attachments": []any{obj{"id": "0", "description": "A laurel", "filename": "my badge.png"}},
	}, upload{"x.png", data}, upload{"notes.txt", []byte("words")})
	id, _ := out["id"].(string)
	m, _ := s.Message(id)
	if status != http.StatusOK || len(m.Attachments) != 2 {
		t.Fatalf("%d %v", status, out)
	}
	first := m.Attachments[0]
	if first.Filename != "my_badge.png" || first.Description != "A laurel" || first.ContentType != "image/png" || first.Width != 3 || first.Height != 2 || first.Size != len(data) {
		t.Errorf("kept %+v", first)
	}
	if code, body := load(t, first.URL); code != http.StatusOK || !bytes.Equal(body, data) {
		t.Errorf("its address: %d, %d bytes", code, len(body))
	}
	address, _, _ := strings.Cut(first.URL, "hm=")
	if code, _ := load(t, address+"hm=0"); code != http.StatusNotFound {
		t.Errorf("a forged address: %d", code)
	}
	second := m.Attachments[1].ID
	for _, tt := range []struct {
		name    string
		payload obj
		files   []upload
		want    []string
	}{
		{"words alone keep them", obj{"content": "x"}, nil, []string{"my_badge.png", "notes.txt"}},
		{"more are added", obj{}, []upload{{"more.txt", []byte("m")}}, []string{"my_badge.png", "notes.txt", "more.txt"}},
		{"what is not listed goes", obj{"attachments": []any{obj{"id": second}}}, nil, []string{"notes.txt"}},
		{"one for another", obj{"attachments": []any{obj{"id": "0"}}}, []upload{{"new.png", data}}, []string{"new.png"}},
		{"none", obj{"attachments": []any{}}, nil, []string{}},
	} {
		status, out := send(t, s, http.MethodPatch, path+"/"+id, tt.payload, tt.files...)
		got := []string{}
		list, _ := out["attachments"].([]any)
		for _, a := range list {
			one, _ := a.(map[string]any)
			name, _ := one["filename"].(string)
			got = append(got, name)
		}
		if status != http.StatusOK || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %d %v, want %v", tt.name, status, got, tt.want)
		}
	}
	log := s.Log()
	if last := log[1].Request; strings.Contains(last, "PNG") || !strings.Contains(log[0].Request, fmt.Sprintf("files[0] x.png (%d bytes)", len(data))) {
		t.Errorf("logged %q and %q", log[0].Request, last)
	}
}

// filesByReference shows files in embeds and components.
func filesByReference(t *testing.T, s *discordsim.Server) {
	t.Helper()
	w := populate(t, s)
	path, data := "/channels/"+w.channel+"/messages", picture(t)
	_, out := send(t, s, http.MethodPost, path, obj{"embeds": []any{obj{"title": "t", "image": obj{"url": "attachment://a.png"}}}},
		upload{"a.png", data}, upload{"b.png", data})
	id, _ := out["id"].(string)
	m, _ := s.Message(id)
	if len(m.Attachments) != 1 || m.Attachments[0].Filename != "b.png" || len(m.Embeds) != 1 {
		t.Fatalf("%v", out)
	}
	if code, body := load(t, m.Embeds[0].Image.URL); code != http.StatusOK || !bytes.Equal(body, data) {
		t.Errorf("the embed's picture: %d", code)
	}
	media := func(name string) obj { return obj{"media": obj{"url": "attachment://" + name}} }
	status, out := send(t, s, http.MethodPost, path, obj{"flags": 1 << 15, "components": []any{
		obj{"type": 12, "items": []any{media("a.png")}},
		obj{"type": 9, "components": []any{obj{"type": 10, "content": "x"}}, "accessory": obj{"type": 11, "media": obj{"url": "attachment://a.png"}}},
		obj{"type": 13, "file": obj{"url": "attachment://n.txt"}},
	}}, upload{"a.png", data}, upload{"n.txt", []byte("words")})
	id, _ = out["id"].(string)
	m, _ = s.Message(id)
	if status != http.StatusOK || len(m.Components) != 3 {
		t.Fatalf("%d %v", status, out)
	}
	for name, address := range map[string]string{
		"gallery": m.Components[0].Items[0].Media.URL, "thumbnail": m.Components[1].Accessory.Media.URL, "file": m.Components[2].File.URL,
	} {
		if code, _ := load(t, address); code != http.StatusOK {
			t.Errorf("%s: %d for %s", name, code, address)
		}
	}
	if f := m.Components[2]; f.Name != "n.txt" || f.Size != 5 {
		t.Errorf("file shown as %+v", f)
	}
}

// TestOldFilesAreForgotten fills the room for files.
func TestOldFilesAreForgotten(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{FileRoom: 65})
	w := populate(t, s)
	big := make([]byte, 10)
	for range 4 {
		if status, out := send(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{}, upload{"a", big}, upload{"b", big}); status != http.StatusOK {
			t.Fatalf("%d %v", status, out)
		}
	}
	messages := s.Messages(w.channel, "")
	for i, want := range map[int]int{0: http.StatusNotFound, 1: http.StatusOK, 3: http.StatusOK} {
		if status, _ := load(t, messages[i].Attachments[1].URL); status != want {
			t.Errorf("message %d: %d", i, status)
		}
	}
}

// fileRefusals sends what is not taken.
func fileRefusals(t *testing.T, s *discordsim.Server) {
	t.Helper()
	w := populate(t, s)
	path := "/channels/" + w.channel + "/messages"
	many := make([]upload, 11)
	for i := range many {
		many[i] = upload{fmt.Sprintf("%d.txt", i), []byte("x")}
	}
	big := make([]byte, 4097)
	v2 := func(c obj) obj { return obj{"flags": 1 << 15, "components": []any{c}} }
	for _, tt := range []struct {
		name         string
		payload      obj
		files        []upload
		status, code int
		word         string
	}{
		{"too many", obj{}, many, 400, 30015, ""},
		{"too large", obj{}, []upload{{"a", big}}, 413, 40005, ""},
		{"no such file", obj{"content": "x", "attachments": []any{obj{"id": "1"}}}, []upload{{"a", []byte("x")}}, 400, 50035, "ATTACHMENT_NOT_FOUND"},
		{"long description", obj{"attachments": []any{obj{"id": "0", "description": strings.Repeat("x", 1025)}}}, []upload{{"a", []byte("x")}}, 400, 50035, ""},
		{"unknown in a gallery", v2(obj{"type": 12, "items": []any{obj{"media": obj{"url": "attachment://b.png"}}}}), []upload{{"a", []byte("x")}}, 400, 50035, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"},
		{"unknown file", v2(obj{"type": 13, "file": obj{"url": "attachment://b.png"}}), nil, 400, 50035, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"},
		{"file from elsewhere", v2(obj{"type": 13, "file": obj{"url": "https://example.org/b.png"}}), nil, 400, 50035, "URL_TYPE_INVALID_SCHEME"},
		{"nothing", obj{}, nil, 400, 50006, ""},
	} {
		status, out := send(t, s, http.MethodPost, path, tt.payload, tt.files...)
		code, _ := out["code"].(float64)
		if status != tt.status || int(code) != tt.code || !strings.Contains(fmt.Sprint(out), tt.word) {
			t.Errorf("%s: %d %v", tt.name, status, out)
		}
	}
	if n := len(s.Messages(w.channel, "")); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

// filesOfInteractions answers, edits the answer and follows up with files,
// by an unchanged client where it can.
func filesOfInteractions(t *testing.T, s *discordsim.Server) {
	t.Helper()
	w := populate(t, s)
	badges(t, s)
	data := picture(t)
	attach(t, s, func(in inbound) any {
		err := session(t, s).InteractionRespond(&discordgo.Interaction{ID: in.ID, Token: in.Token}, &discordgo.InteractionResponse{
			Type: discordgo.InteractionResponseChannelMessageWithSource,
			Data: &discordgo.InteractionResponseData{
				Flags: discordgo.MessageFlagsEphemeral,
				Files: []*discordgo.File{{Name: "a.png", ContentType: "image/png", Reader: bytes.NewReader(data)}},
			},
		})
		if err != nil {
			t.Error(err)
		}
		return nil
	})
	res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
	if err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	m, _ := s.Message(res.MessageID)
	if !m.Ephemeral || len(m.Attachments) != 1 || m.Attachments[0].Filename != "a.png" {
		t.Fatalf("answered %+v", m)
	}
	// The endpoint may answer with files at once.
	attach(t, s, func(inbound) any {
		return formed{`{"type":4,"data":{"content":"x","attachments":[{"id":"0","filename":"d.png"}]}}`, upload{"x.png", data}}
	})
	if inline, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil); err != nil || inline.Failed {
		t.Errorf("answered at once: %+v, %v", inline, err)
	} else if m, _ := s.Message(inline.MessageID); len(m.Attachments) != 1 || m.Attachments[0].Filename != "d.png" {
		t.Errorf("answered at once: %+v", m)
	}
	hook := "/webhooks/" + s.ApplicationID() + "/" + res.Token
	_, out := send(t, s, http.MethodPatch, hook+"/messages/@original", obj{"attachments": []any{obj{"id": "0"}}}, upload{"b.png", data})
	if list, _ := out["attachments"].([]any); len(list) != 1 || !strings.Contains(fmt.Sprint(list), "b.png") || !strings.Contains(fmt.Sprint(list), "ephemeral:true") {
		t.Errorf("the edit came to %v", out)
	}
	status, out := send(t, s, http.MethodPost, hook, obj{"content": "more"}, upload{"c.txt", []byte("words")})
	if list, _ := out["attachments"].([]any); status != http.StatusOK || len(list) != 1 {
		t.Errorf("the follow-up came to %v", out)
	}
}
