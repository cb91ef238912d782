package discordsim_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

func ephemeral(content string, components ...any) obj {
	return obj{"type": 4, "data": obj{"content": content, "flags": 64, "components": components}}
}

func TestCommandPayloadAndEphemeralAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	bot := attach(t, s, func(inbound) any { return ephemeral("only you") })
	badges(t, s)

	res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "link", map[string]any{"address": "a@example.org"})
	if err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	in := bot.last()
	var data struct {
		Name    string
		Options []struct {
			Name    string
			Type    int
			Options []struct {
				Name  string
				Type  int
				Value string
			}
		}
	}
	if err := json.Unmarshal(in.Data, &data); err != nil {
		t.Fatal(err)
	}
	sub := data.Options[0]
	if data.Name != "badges" || sub.Type != 1 || sub.Name != "link" || sub.Options[0].Type != 3 || sub.Options[0].Value != "a@example.org" {
		t.Errorf("data = %s", in.Data)
	}
	if in.Locale != "de" || in.GuildLocale != "en-US" || in.GuildID != w.guild || in.Member == nil || in.User != nil || *in.Context != 0 || in.AppPermissions == "" || in.Channel == nil {
		t.Errorf("payload = %s", bot.lastRaw())
	}
	if len(s.Messages(w.channel, w.bob)) != 0 {
		t.Error("somebody else sees the ephemeral answer")
	}
	mine := s.Messages(w.channel, w.ada)
	if len(mine) != 1 || !mine[0].Ephemeral || mine[0].Content != "only you" {
		t.Errorf("ada sees %+v", mine)
	}
	// Not through the channel: only the token reaches an ephemeral message.
	status, _, body := call(t, s, http.MethodPatch, "/channels/"+w.channel+"/messages/"+res.MessageID, obj{"content": "x"}, true)
	if status != 404 || body["code"] != 10008.0 {
		t.Errorf("%d %v", status, body)
	}

	if _, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil); err != nil {
		t.Fatal(err)
	}
	in = bot.last()
	if in.GuildID != "" || in.Member != nil || in.User == nil || *in.Context != 1 {
		t.Errorf("direct payload = %s", bot.lastRaw())
	}
	var dgi discordgo.Interaction
	if err := json.Unmarshal(bot.lastRaw(), &dgi); err != nil || dgi.User.ID != w.ada {
		t.Errorf("decode by the library: %+v, %v", dgi, err)
	}

	for name, act := range map[string]func() error{
		"unknown command": func() error { _, err := s.Command(t.Context(), w.ada, "", "nope", "", nil); return err },
		"no subcommand":   func() error { _, err := s.Command(t.Context(), w.ada, "", "badges", "", nil); return err },
		"missing option":  func() error { _, err := s.Command(t.Context(), w.ada, "", "badges", "link", nil); return err },
		"unknown option": func() error {
			_, err := s.Command(t.Context(), w.ada, "", "badges", "list", map[string]any{"x": "y"})
			return err
		},
		"too long": func() error {
			_, err := s.Command(t.Context(), w.ada, "", "badges", "link", map[string]any{"address": strings.Repeat("a", 21)})
			return err
		},
	} {
		if err := act(); !errors.Is(err, discordsim.ErrUnknownCommand) && !errors.Is(err, discordsim.ErrBadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeferralAndFollowups(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	attach(t, s, func(inbound) any { return obj{"type": 5, "data": obj{"flags": 64}} })
	badges(t, s)
	dg := session(t, s)
	res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Messages(w.channel, w.ada)[0]; !m.Thinking || !m.Ephemeral {
		t.Fatalf("deferred = %+v", m)
	}
	i := &discordgo.Interaction{ID: res.InteractionID, AppID: s.ApplicationID(), Token: res.Token}
	content := "ready"
	if _, err := dg.InteractionResponseEdit(i, &discordgo.WebhookEdit{Content: &content}); err != nil {
		t.Fatal(err)
	}
	if m := s.Messages(w.channel, w.ada)[0]; m.Thinking || !m.Ephemeral || m.Content != "ready" || !m.Edited.IsZero() {
		t.Fatalf("edited = %+v", m)
	}
	f, err := dg.FollowupMessageCreate(i, true, &discordgo.WebhookParams{Content: "more"})
	if err != nil || f.ID == res.MessageID {
		t.Fatalf("followup = %+v, %v", f, err)
	}
	if len(s.Messages(w.channel, w.bob)) != 1 || len(s.Messages(w.channel, w.ada)) != 2 {
		t.Fatal("the follow-up is not public")
	}
	content = "changed"
	if _, err := dg.FollowupMessageEdit(i, f.ID, &discordgo.WebhookEdit{Content: &content}); err != nil {
		t.Fatal(err)
	}
	if err := dg.FollowupMessageDelete(i, f.ID); err != nil {
		t.Fatal(err)
	}
	if err := dg.InteractionRespond(i, &discordgo.InteractionResponse{Type: discordgo.InteractionResponseChannelMessageWithSource, Data: &discordgo.InteractionResponseData{Content: "again"}}); err == nil {
		t.Fatal("answered twice")
	} else {
		wantCode(t, err, 400, 40060)
	}
	s.Clock().Advance(discordsim.TokenLifetime)
	_, err = dg.InteractionResponseEdit(i, &discordgo.WebhookEdit{Content: &content})
	wantCode(t, err, 401, 50027)
	// A follow-up right after a deferral takes its place.
	res, err = s.Command(t.Context(), w.bob, "", "badges", "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, _, body := call(t, s, http.MethodPost, "/webhooks/"+s.ApplicationID()+"/"+res.Token, obj{"content": "late"}, false)
	if status != 200 || body["id"] != res.MessageID {
		t.Fatalf("%d %v", status, body)
	}
}

func TestAnswerByREST(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{Clock: simclock.New()})
	w := populate(t, s)
	badges(t, s)
	early := make(chan int, 1)
	attach(t, s, func(in inbound) any {
		hook := "/webhooks/" + s.ApplicationID() + "/" + in.Token + "/messages/@original"
		_, _, body := call(t, s, http.MethodPatch, hook, obj{"content": "early"}, false)
		code, _ := body["code"].(float64)
		early <- int(code)
		status, _, body := call(t, s, http.MethodPost, "/interactions/"+in.ID+"/"+in.Token+"/callback?with_response=true",
			ephemeral("by REST"), false)
		if status != 200 || body["resource"] == nil {
			t.Errorf("callback: %d %v", status, body)
		}
		return nil
	})
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil || res.Failed || res.Callback != 4 {
		t.Fatalf("%+v, %v", res, err)
	}
	if code := <-early; code != 10015 {
		t.Errorf("edit before the first answer: %d", code)
	}
	if got := s.Messages(s.DM(w.ada), w.ada); len(got) != 1 || got[0].Content != "by REST" {
		t.Errorf("messages = %+v", got)
	}
}

func TestLateAndBadAnswersFail(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	for _, tt := range []struct {
		name   string
		answer any
	}{
		{"modal without inputs", obj{"type": 9, "data": obj{"title": "t", "custom_id": "x", "components": []any{}}}},
		{"too long", obj{"type": 4, "data": obj{"content": strings.Repeat("x", 2001)}}},
		{"update of nothing", obj{"type": 7, "data": obj{"content": "x"}}},
		{"choices for a command", obj{"type": 8, "data": obj{"choices": []any{}}}},
		{"no type", obj{}},
		{"no object", "x"},
	} {
		attach(t, s, func(inbound) any { return tt.answer })
		res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
		if err != nil || !res.Failed || res.Notice != discordsim.NoticeFailed || res.Reason == "" {
			t.Errorf("%s: %+v, %v", tt.name, res, err)
		}
	}
	// The clock passes the deadline while the bot works.
	late := make(chan int, 1)
	attach(t, s, func(in inbound) any {
		s.Clock().Advance(4 * time.Second)
		status, _, body := call(t, s, http.MethodPost, "/interactions/"+in.ID+"/"+in.Token+"/callback", ephemeral("late"), false)
		code, _ := body["code"].(float64)
		if status != 404 {
			t.Errorf("late callback: %d", status)
		}
		late <- int(code)
		return ephemeral("late")
	})
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil || !res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	if code := <-late; code != 10062 {
		t.Errorf("late callback: code %d", code)
	}
	if n := len(s.Messages(s.DM(w.ada), w.ada)); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestRealDeadline(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{AnswerWithin: 500 * time.Millisecond})
	w := populate(t, s)
	badges(t, s)
	hang := make(chan struct{})
	bot := attach(t, s, func(inbound) any { <-hang; return ephemeral("late") })
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	close(hang)
	if err != nil || !res.Failed || bot.count() != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestPress(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	dg := session(t, s)
	bot := attach(t, s, func(in inbound) any {
		return obj{"type": 7, "data": obj{"content": "pressed", "components": []any{}}}
	})
	status, _, m := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{"content": "x", "components": []any{
		row(button("Claim", "claim:1"), obj{"type": 2, "style": 5, "label": "Open", "url": "https://example.org/"}, obj{"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": true}),
		row(obj{"type": 3, "custom_id": "pick", "placeholder": "Pick", "options": []any{obj{"label": "A", "value": "a"}, obj{"label": "B", "value": "b"}}}),
	}}, true)
	if status != 200 {
		t.Fatal(m)
	}
	id, _ := m["id"].(string)
	res, err := s.Press(t.Context(), w.ada, id, "Open")
	if err != nil || res.Link != "https://example.org/" || bot.count() != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := s.Press(t.Context(), w.ada, id, "Off"); !errors.Is(err, discordsim.ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
	if _, err := s.Press(t.Context(), w.ada, id, "nothing"); !errors.Is(err, discordsim.ErrNoComponent) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := s.Press(t.Context(), w.ada, id, "pick", "c"); !errors.Is(err, discordsim.ErrBadInput) {
		t.Errorf("wrong value: %v", err)
	}
	res, err = s.Press(t.Context(), w.bob, id, "Pick", "b")
	if err != nil || res.Failed || res.Callback != discordsim.CallbackUpdate || res.MessageID != id {
		t.Fatalf("%+v, %v", res, err)
	}
	in := bot.last()
	if in.Type != 3 || !strings.Contains(string(in.Data), `"values":["b"]`) || !strings.Contains(string(in.Message), id) {
		t.Errorf("payload = %s", bot.lastRaw())
	}
	if got, _ := s.Message(id); got.Content != "pressed" || len(got.Components) != 0 {
		t.Errorf("message = %+v", got)
	}
	// Deferred update, then an edit of the original by the token.
	attach(t, s, func(inbound) any { return obj{"type": 6} })
	_, _, m = call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{"content": "y", "components": []any{row(button("Claim", "claim:2"))}}, true)
	id, _ = m["id"].(string)
	res, err = s.Press(t.Context(), w.ada, id, "claim:2")
	if err != nil || res.MessageID != id {
		t.Fatalf("%+v, %v", res, err)
	}
	content := "later"
	if _, err := dg.InteractionResponseEdit(&discordgo.Interaction{AppID: s.ApplicationID(), Token: res.Token}, &discordgo.WebhookEdit{Content: &content}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Message(id); got.Content != "later" || len(got.Buttons()) != 1 {
		t.Errorf("message = %+v", got)
	}
	s.DeleteMessage(id)
	if _, err := s.Press(t.Context(), w.ada, id, "claim:2"); !errors.Is(err, discordsim.ErrUnknownMessage) {
		t.Errorf("deleted: %v", err)
	}
}

func TestModals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		components []any
		key        string
		want       string
	}{
		{
			"action row",
			[]any{row(obj{"type": 4, "custom_id": "address", "style": 1, "label": "Address", "min_length": 3, "max_length": 20})},
			"Address", `[{"components":[{"custom_id":"address","id":2,"type":4,"value":"a@example.org"}],"id":1,"type":1}]`,
		},
		{
			"label",
			[]any{
				obj{"type": 10, "content": "Explained"},
				obj{"type": 18, "label": "Address", "description": "Where", "component": obj{"type": 4, "custom_id": "address", "style": 1, "min_length": 3, "max_length": 20}},
			},
			"address", `[{"id":1,"type":10},{"component":{"custom_id":"address","id":3,"type":4,"value":"a@example.org"},"id":2,"type":18}]`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discordsim.Config{})
			w := populate(t, s)
			badges(t, s)
			bot := attach(t, s, func(in inbound) any {
				if in.Type == 5 {
					return ephemeral("thanks")
				}
				return obj{"type": 9, "data": obj{"title": "Link", "custom_id": "link:1", "components": tt.components}}
			})
			res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
			if err != nil || res.Modal == nil || res.Modal.Title != "Link" || len(s.Modals(w.ada)) != 1 {
				t.Fatalf("%+v, %v", res, err)
			}
			for _, bad := range []string{"", "ab", strings.Repeat("x", 21)} {
				if _, err := s.Submit(t.Context(), w.ada, res.Modal, map[string]any{tt.key: bad}); !errors.Is(err, discordsim.ErrBadInput) {
					t.Errorf("%q: %v", bad, err)
				}
			}
			done, err := s.Submit(t.Context(), w.ada, res.Modal, map[string]any{tt.key: "a@example.org"})
			if err != nil || done.Failed || len(s.Modals(w.ada)) != 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			var data struct {
				CustomID   string          `json:"custom_id"`
				Components json.RawMessage `json:"components"`
			}
			if err := json.Unmarshal(bot.last().Data, &data); err != nil {
				t.Fatal(err)
			}
			if data.CustomID != "link:1" || string(data.Components) != tt.want {
				t.Errorf("components = %s", data.Components)
			}
			if _, err := s.Submit(t.Context(), w.ada, res.Modal, map[string]any{tt.key: "a@example.org"}); !errors.Is(err, discordsim.ErrBadInput) {
				t.Errorf("submitted twice: %v", err)
			}
		})
	}
}

func TestModalStaysOpenAfterBadAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	modal := obj{"type": 9, "data": obj{"title": "Link", "custom_id": "l", "components": []any{row(obj{"type": 4, "custom_id": "a", "style": 1, "label": "A"})}}}
	attach(t, s, func(inbound) any { return modal }) // A modal after a modal is refused.
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Submit(t.Context(), w.ada, res.Modal, map[string]any{"A": "x"})
	if err != nil || !done.Failed || len(s.Modals(w.ada)) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	s.CloseModal(w.ada, res.Modal.ID)
	if len(s.Modals(w.ada)) != 0 {
		t.Error("the form is still open")
	}
}

func TestAutocomplete(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	choices := []any{obj{"name": "Go Developer", "value": "1"}}
	bot := attach(t, s, func(inbound) any { return obj{"type": 8, "data": obj{"choices": choices}} })
	got, err := s.Autocomplete(t.Context(), w.ada, "", "badges", "claim", "badge", "go")
	if err != nil || len(got) != 1 || got[0].Name != "Go Developer" || got[0].Value != "1" {
		t.Fatalf("%v, %v", got, err)
	}
	if in := bot.last(); in.Type != 4 || !strings.Contains(string(in.Data), `"focused":true`) || !strings.Contains(string(in.Data), `"value":"go"`) {
		t.Errorf("data = %s", in.Data)
	}
	if _, err := s.Autocomplete(t.Context(), w.ada, "", "badges", "link", "address", "x"); !errors.Is(err, discordsim.ErrUnknownCommand) {
		t.Errorf("option without autocompletion: %v", err)
	}
	choices = []any{obj{"name": strings.Repeat("n", 101), "value": "1"}}
	if _, err := s.Autocomplete(t.Context(), w.ada, "", "badges", "claim", "badge", "go"); err == nil {
		t.Error("a name of 101 was taken")
	}
	choices = nil
	for range 26 {
		choices = append(choices, obj{"name": "n", "value": "1"})
	}
	if _, err := s.Autocomplete(t.Context(), w.ada, "", "badges", "claim", "badge", "go"); err == nil {
		t.Error("26 choices were taken")
	}
}

func TestForgedAndRepeatedDeliveries(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	bot := attach(t, s, func(inbound) any { return ephemeral("x") })
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Redeliver(t.Context(), res)
	if err != nil || raw.Status != 200 || bot.count() != 2 || len(s.Messages(s.DM(w.ada), w.ada)) != 1 {
		t.Fatalf("%+v, %v", raw, err)
	}
	raw, err = s.SendRaw(t.Context(), []byte(`{"type":2}`), func(r *http.Request) { r.Header.Set("X-Signature-Timestamp", "1") })
	if err != nil || raw.Status != 401 {
		t.Fatalf("%+v, %v", raw, err)
	}
	raw, err = s.SendRaw(t.Context(), []byte(`{"type":1}`), nil)
	if err != nil || raw.Status != 200 {
		t.Fatalf("%+v, %v", raw, err)
	}
}

func TestEndpointIsVerified(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	for name, h := range map[string]http.HandlerFunc{
		"accepts anything": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"type":1}`)) },
		"refuses anything": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		srv := httptest.NewServer(h)
		if err := s.SetInteractionsURL(t.Context(), srv.URL); err == nil {
			t.Errorf("an endpoint that %s was taken", name)
		}
		srv.Close()
	}
	if err := s.VerifyEndpoint(t.Context()); err == nil {
		t.Error("verified without an endpoint")
	}
	attach(t, s, func(inbound) any { return nil })
	if err := s.VerifyEndpoint(t.Context()); err != nil {
		t.Error(err)
	}
}
