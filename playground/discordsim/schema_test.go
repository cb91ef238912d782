package discordsim_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// recorder keeps the last good body of each kind of answer.
type recorder struct {
	mu     sync.Mutex
	bodies map[string][]byte
}

func (r *recorder) get(t *testing.T, s *discordsim.Server, name, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.BaseURL()+"/api/v10"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bot "+s.BotToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies[name] = data
}

// TestAnswersFollowTheAPIDescription holds what the simulator says against
// Discord's published schemas.
func TestAnswersFollowTheAPIDescription(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, discordsim.Config{Schema: set})
	w := populate(t, s)
	badges(t, s)
	rec := &recorder{bodies: map[string][]byte{}}
	check := func(name, method, path, body string) {
		t.Helper()
		rec.get(t, s, name, method, path, body)
		if err := set.ValidateJSON(name, rec.bodies[name]); err != nil {
			t.Errorf("%s %s: %v\n%s", method, path, err, rec.bodies[name])
		}
	}
	messages := "/channels/" + w.channel + "/messages"
	check("UserPIIResponse", http.MethodGet, "/users/@me", "")
	check("UserResponse", http.MethodGet, "/users/"+w.ada, "")
	check("UserResponse", http.MethodGet, "/users/"+s.ApplicationID(), "")
	check("ErrorResponse", http.MethodGet, "/users/9", "")
	check("PrivateApplicationResponse", http.MethodGet, "/applications/@me", "")
	check("GatewayResponse", http.MethodGet, "/gateway", "")
	check("GatewayBotResponse", http.MethodGet, "/gateway/bot", "")
	check("PrivateChannelResponse", http.MethodPost, "/users/@me/channels", `{"recipient_id":"`+w.ada+`"}`)
	check("GuildChannelResponse", http.MethodGet, "/channels/"+w.channel, "")
	check("MessageResponse", http.MethodPost, messages, `{"content":"Hi <@`+w.ada+`>","nonce":"n","embeds":[{"title":"t","url":"https://example.org","color":5,"timestamp":"2026-01-02T03:04:05Z","fields":[{"name":"a","value":"b"}],"footer":{"text":"f"},"author":{"name":"n"},"image":{"url":"https://example.org/a.png"}}],"components":[{"type":1,"components":[{"type":2,"style":1,"label":"a","custom_id":"x","emoji":{"name":"🎓"}},{"type":2,"style":5,"label":"b","url":"https://example.org"}]},{"type":1,"components":[{"type":3,"custom_id":"s","options":[{"label":"a","value":"a"}]}]}]}`)
	check("MessageResponse", http.MethodPost, messages, `{"flags":32768,"components":[{"type":17,"accent_color":5,"components":[{"type":10,"content":"x"},{"type":14},{"type":9,"components":[{"type":10,"content":"y"}],"accessory":{"type":11,"media":{"url":"https://example.org/a.png"}}},{"type":12,"items":[{"media":{"url":"https://example.org/a.png"}}]}]}]}`)
	// Field errors are not held against ErrorResponse: it wants numbers for
	// their codes, while Discord's documentation and answers have words.
	check("ErrorResponse", http.MethodGet, "/channels/9", "")

	commands := s.Commands()
	if len(commands) != 1 {
		t.Fatal("the command was refused")
	}
	check("ApplicationCommandResponse", http.MethodGet, "/applications/"+s.ApplicationID()+"/commands/"+commands[0].ID, "")

	attach(t, s, func(in inbound) any {
		switch in.Type {
		case 2:
			return obj{"type": 4, "data": obj{"content": "x", "components": []any{row(button("Form", "form"))}}}
		case 3:
			return obj{"type": 9, "data": obj{"title": "Link", "custom_id": "l", "components": []any{row(obj{"type": 4, "custom_id": "a", "style": 1, "label": "A"})}}}
		}
		return obj{"type": 4, "data": obj{"content": "done", "flags": 64}}
	})
	res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
	if err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	original := "/webhooks/" + s.ApplicationID() + "/" + res.Token
	check("MessageResponse", http.MethodGet, original+"/messages/@original", "")
	check("MessageResponse", http.MethodPost, original, `{"content":"more"}`)
	press, err := s.Press(t.Context(), w.ada, res.MessageID, "Form")
	if err != nil || press.Modal == nil {
		t.Fatalf("%+v, %v", press, err)
	}
	done, err := s.Submit(t.Context(), w.ada, press.Modal, map[string]any{"A": "x"})
	if err != nil || done.Failed {
		t.Fatalf("%+v, %v", done, err)
	}
	check("MessageResponse", http.MethodGet, "/webhooks/"+s.ApplicationID()+"/"+done.Token+"/messages/@original", "")

	// An answer by REST with its response.
	attach(t, s, func(in inbound) any {
		check("InteractionCallbackResponse", http.MethodPost, "/interactions/"+in.ID+"/"+in.Token+"/callback?with_response=true", `{"type":4,"data":{"content":"x"}}`)
		return nil
	})
	if _, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil); err != nil {
		t.Fatal(err)
	}

	// The description refuses what the built-in rules do not look at.
	rec.get(t, s, "bad", http.MethodPost, messages, `{"content":"x","sticker_ids":["1","2","3","4"]}`)
	if !bytes.Contains(rec.bodies["bad"], []byte("SCHEMA_VIOLATION")) {
		t.Errorf("bad request: %s", rec.bodies["bad"])
	}
	if err := set.ValidateJSON("NoSuchSchema", obj{}); err == nil {
		t.Error("an unknown schema validated")
	}
}

// pickySchema refuses one schema, whatever it is asked about.
type pickySchema struct{ refuses string }

func (p pickySchema) Validate(name string, _ any) error {
	if name == p.refuses {
		return errors.New("refused")
	}
	return nil
}

// TestAnswersThatDoNotFitAreNoted shows that a wrong answer of the simulator
// is noticed, whichever route it is of.
func TestAnswersThatDoNotFitAreNoted(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"UserPIIResponse": "/users/@me", "GatewayResponse": "/gateway", "ErrorResponse": "/channels/9", "MessageResponse": "/messages",
	} {
		s := start(t, discordsim.Config{Schema: pickySchema{refuses: name}})
		w := populate(t, s)
		rec := &recorder{bodies: map[string][]byte{}}
		rec.get(t, s, "before", http.MethodGet, "/users/"+w.ada, "")
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("%s: %v", name, v)
		}
		if name == "MessageResponse" {
			path = "/channels/" + w.channel + path
			rec.get(t, s, "one", http.MethodPost, path, `{"content":"x"}`)
		}
		rec.get(t, s, "asked", http.MethodGet, path, "")
		if v := s.Violations(); len(v) == 0 || !strings.Contains(v[0], "refused") {
			t.Errorf("%s: %v", name, v)
		}
	}
}
