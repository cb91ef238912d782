package discordsim_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// filesOfPeople lets people send files in messages and with a command, and
// choose a command in the menu of a message.
func filesOfPeople(t *testing.T, s *discordsim.Server, set *schema.Set) {
	t.Helper()
	w := populate(t, s)
	bot := attach(t, s, func(inbound) any { return obj{"type": 4, "data": obj{"content": "seen", "flags": 64}} })
	name := map[discordgo.Locale]string{discordgo.German: "Diesen Badge prüfen"}
	if _, err := session(t, s).ApplicationCommandBulkOverwrite(s.ApplicationID(), "", []*discordgo.ApplicationCommand{
		{Name: "badges", Description: "x", Options: []*discordgo.ApplicationCommandOption{
			{Type: discordgo.ApplicationCommandOptionSubCommand, Name: "verify", Description: "x", Options: []*discordgo.ApplicationCommandOption{
				{Type: discordgo.ApplicationCommandOptionString, Name: "link", Description: "x"},
				{Type: discordgo.ApplicationCommandOptionAttachment, Name: "file", Description: "x"},
			}},
		}},
		{Type: discordgo.MessageApplicationCommand, Name: "Verify this badge", NameLocalizations: &name},
	}); err != nil {
		t.Fatal(err)
	}
	if all := s.Commands(); len(all) != 2 || all[1].Type != 3 || all[1].NameLocalizations["de"] != name[discordgo.German] {
		t.Fatalf("commands %+v", all)
	}
	var data struct {
		Type     int    `json:"type"`
		TargetID string `json:"target_id"`
		Resolved struct {
			Messages    map[string]json.RawMessage `json:"messages"`
			Attachments map[string]json.RawMessage `json:"attachments"`
		} `json:"resolved"`
		Options []struct {
			Options []struct {
				Type  int    `json:"type"`
				Value string `json:"value"`
			} `json:"options"`
		} `json:"options"`
	}
	told := func() {
		t.Helper()
		data.Resolved.Messages, data.Resolved.Attachments, data.Options = nil, nil, nil
		if err := json.Unmarshal(bot.last().Data, &data); err != nil {
			t.Fatal(err)
		}
	}
	get := func(raw json.RawMessage, path string) {
		t.Helper()
		if err := set.ValidateJSON("MessageAttachmentResponse", raw); err != nil {
			t.Error(err)
		}
		var a struct{ URL string }
		if err := json.Unmarshal(raw, &a); err != nil || !strings.Contains(a.URL, path) {
			t.Fatalf("%q, %v", a.URL, err)
		}
		for address, want := range map[string]int{a.URL: http.StatusOK, a.URL + "0": http.StatusNotFound} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != want || want == http.StatusOK && string(body) != string(picture(t)) {
				t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
			}
		}
	}

	id, err := s.Share(w.bob, w.channel, "see https://example.org/1", discordsim.Upload{Name: "my badge.png", Data: picture(t)})
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.MessageCommand(t.Context(), w.ada, id, "Verify this badge")
	if err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	told()
	if data.Type != 3 || data.TargetID != id || len(data.Resolved.Messages) != 1 {
		t.Errorf("told %s", bot.last().Data)
	}
	if err := set.ValidateJSON("MessageResponse", data.Resolved.Messages[id]); err != nil {
		t.Error(err)
	}
	var m struct {
		Content     string
		Attachments []json.RawMessage
	}
	if err := json.Unmarshal(data.Resolved.Messages[id], &m); err != nil || m.Content == "" || len(m.Attachments) != 1 {
		t.Fatalf("message %+v, %v", m, err)
	}
	get(m.Attachments[0], "/attachments/"+w.channel+"/")
	if _, err := s.MessageCommand(t.Context(), w.ada, res.MessageID, "Verify this badge"); !errors.Is(err, discordsim.ErrUnknownMessage) {
		t.Errorf("on what only one person sees: %v", err)
	}
	if _, err := s.MessageCommand(t.Context(), w.ada, id, "badges"); !errors.Is(err, discordsim.ErrUnknownCommand) {
		t.Errorf("a typed command in the menu: %v", err)
	}
	if _, err := s.Command(t.Context(), w.ada, w.channel, "Verify this badge", "", nil); !errors.Is(err, discordsim.ErrUnknownCommand) {
		t.Errorf("one of the menu, typed: %v", err)
	}

	if _, err := s.Command(t.Context(), w.ada, "", "badges", "verify", map[string]any{"file": discordsim.Upload{Name: "b.png", Data: picture(t)}}); err != nil {
		t.Fatal(err)
	}
	told()
	if len(data.Options) != 1 || len(data.Options[0].Options) != 1 || data.Options[0].Options[0].Type != 11 {
		t.Fatalf("told %s", bot.last().Data)
	}
	get(data.Resolved.Attachments[data.Options[0].Options[0].Value], "/ephemeral-attachments/")
	for _, bad := range []any{"text", discordsim.Upload{Name: "b", Data: make([]byte, 5000)}} {
		if _, err := s.Command(t.Context(), w.ada, "", "badges", "verify", map[string]any{"file": bad}); !errors.Is(err, discordsim.ErrBadInput) {
			t.Errorf("%T: %v", bad, err)
		}
	}
	if _, err := s.Share(w.ada, w.channel, "", discordsim.Upload{Name: "b", Data: make([]byte, 5000)}); !errors.Is(err, discordsim.ErrBadInput) {
		t.Errorf("too large: %v", err)
	}
}
