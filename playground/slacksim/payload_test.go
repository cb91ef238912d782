package slacksim_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// beyond lists names that Slack's documentation shows and the samples lack.
// https://docs.slack.dev/reference/interaction-payloads/
var beyond = []string{".state", ".response_urls", ".view.blocks", ".message.metadata", ".view.hash", ".user.username", ".message.files.channels", ".message.files.groups", ".message.files.ims"}

// foreign lists the names in got that the sample does not have. Values whose
// names the app chooses, and blocks, which have their own rules, are left out.
func foreign(path string, got, sample any) []string {
	var out []string
	switch g := got.(type) {
	case map[string]any:
		s, ok := sample.(map[string]any)
		if !ok || path == ".view.state" || path == ".message.metadata" {
			return nil
		}
		for key, value := range g {
			at := path + "." + key
			if slices.Contains(beyond, at) || key == "blocks" {
				continue
			}
			want, known := s[key]
			// Where a file was shared stands by the channel's id.
			if !known && strings.HasSuffix(path, ".shares.public") && strings.HasPrefix(key, "C00") {
				continue
			}
			if !known {
				out = append(out, at)
				continue
			}
			out = append(out, foreign(at, value, want)...)
		}
	case []any:
		s, ok := sample.([]any)
		if !ok || len(s) == 0 {
			return nil
		}
		for _, item := range g {
			out = append(out, foreign(path, item, s[0])...)
		}
	}
	slices.Sort(out)
	return out
}

func TestPayloadNamesMatchSamples(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, func(slack.InteractionCallback) any { return nil })
	ctx := t.Context()
	last := func() []byte {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.bodies[len(a.bodies)-1]
	}
	compare := func(name string, payload []byte, elem ...string) {
		t.Helper()
		var got, sample any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := json.Unmarshal(refdata.Read(t, append([]string{"slack", "samples"}, elem...)...), &sample); err != nil {
			t.Fatal(err)
		}
		if names := foreign("", got, sample); len(names) > 0 {
			t.Errorf("%s: names that Slack does not send: %v", name, names)
		}
	}
	form := func(key string) []byte {
		values, err := url.ParseQuery(string(last()))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			return []byte(values.Get(key))
		}
		flat := map[string]any{}
		for name := range values {
			flat[name] = values.Get(name)
		}
		raw, err := json.Marshal(flat)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	res, err := sim.Command(ctx, ada, team, "/badges", "link ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	compare("command", form(""), "app-backend", "SlashCommandPayload.json")
	if _, err := api.OpenViewContext(ctx, res.TriggerID, slack.ModalViewRequest{
		Type: "modal", Title: plain("x"), Submit: plain("Send"), NotifyOnClose: true,
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("b", plain("Name"), nil, slack.NewPlainTextInputBlockElement(nil, "a")).WithOptional(true)}},
	}); err != nil {
		t.Fatal(err)
	}
	view := sim.Views(ada)[0]
	if _, err := sim.SubmitForged(ctx, ada, view.ID, nil); err != nil {
		t.Fatal(err)
	}
	compare("view_submission", form("payload"), "app-backend", "ViewSubmissionPayload.json")
	channel, ts, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(claimBlocks().BlockSet...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Press(ctx, ada, slacksim.MessageRef{Channel: channel, TS: ts}, "Claim"); err != nil {
		t.Fatal(err)
	}
	compare("block_actions", form("payload"), "app-backend", "BlockActionPayload.json")
	if _, err := sim.Shortcut(ctx, ada, "announce"); err != nil {
		t.Fatal(err)
	}
	compare("shortcut", form("payload"), "app-backend", "MessageShortcutPayload.json")
	shared, err := sim.Share(ctx, bert, team, "see https://example.org/1", slacksim.Upload{Name: "b.png", Data: picture(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.MessageShortcut(ctx, ada, shared, "verify"); err != nil {
		t.Fatal(err)
	}
	compare("message_action", form("payload"), "app-backend", "MessageShortcutPayload.json")
	if _, err := sim.OpenHome(ctx, ada, "home"); err != nil {
		t.Fatal(err)
	}
	compare("app_home_opened", last(), "events", "AppHomeOpenedPayload.json")
	if _, err := sim.Say(ctx, ada, sim.DM(ada), "hi"); err != nil {
		t.Fatal(err)
	}
	compare("message.im", last(), "events", "MessagePayload.json")
	if _, err := sim.RevokeTokens(ctx); err != nil {
		t.Fatal(err)
	}
	compare("tokens_revoked", last(), "events", "TokensRevokedPayload.json")
	if _, err := sim.Uninstall(ctx); err != nil {
		t.Fatal(err)
	}
	compare("app_uninstalled", last(), "events", "AppUninstalledPayload.json")
}
