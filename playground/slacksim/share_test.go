package slacksim_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// TestMessageShortcut chooses the shortcut on a message with a file, whose
// content the bot gets where it is in the channel.
func TestMessageShortcut(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) {
		c.Scopes = everything
		c.Shortcuts = []slacksim.ShortcutInfo{{Name: "Verify", Type: "message", CallbackID: "verify"}, {Name: "New", Type: "global", CallbackID: "new"}}
	})
	a := newApp(t, sim)
	var got slack.InteractionCallback
	a.on(nil, func(in slack.InteractionCallback) any {
		got = in
		return nil
	})
	const alone = "C0ALONE"
	sim.AddChannel(alone, "alone", ada)
	for channel, status := range map[string]int{team: http.StatusOK, alone: http.StatusFound} {
		ref, err := sim.Share(t.Context(), ada, channel, "a & b: https://example.org/x?a=1&b=2, ok", slacksim.Upload{Name: "My badge.png", Data: picture(t)})
		if err != nil {
			t.Fatal(err)
		}
		res, err := sim.MessageShortcut(t.Context(), ada, ref, "verify")
		if err != nil || !res.OK() {
			t.Fatalf("%+v, %v", res, err)
		}
		if got.Type != slack.InteractionTypeMessageAction || got.CallbackID != "verify" || got.Channel.ID != channel || got.MessageTs != ref.TS || got.User.ID != ada {
			t.Errorf("told %+v", got)
		}
		m := got.Message
		if m.Text != "a &amp; b: <https://example.org/x?a=1&amp;b=2>, ok" || len(m.Files) != 1 || m.Files[0].Name != "My badge.png" || m.User != ada || len(m.Blocks.BlockSet) != 1 {
			t.Errorf("the message is %+v", m)
		}
		link := m.Files[0].URLPrivateDownload
		if got, _, body := fetch(t, http.MethodGet, link, sim.Config().BotToken, nil); got != status || status == http.StatusOK && body != string(picture(t)) {
			t.Errorf("%s: status %d", channel, got)
		}
		if got, _, _ := fetch(t, http.MethodGet, link, "", nil); got != http.StatusFound {
			t.Errorf("%s without a token: status %d", channel, got)
		}
		// The answer stands beside the message, which stays as it is.
		if err := slack.PostWebhookContext(t.Context(), res.ResponseURL, &slack.WebhookMessage{Text: "Verdict", ReplaceOriginal: true, ResponseType: "ephemeral"}); err != nil {
			t.Error(err)
		}
		all := sim.Messages(channel, ada)
		last := all[len(all)-1]
		if last.Text != "Verdict" || !last.Ephemeral || last.Viewer != ada || strings.Contains(all[len(all)-2].Text, "Verdict") {
			t.Errorf("%s shows %+v", channel, all)
		}
		if _, err := sim.MessageShortcut(t.Context(), ada, last.Ref(), "verify"); !errors.Is(err, slacksim.ErrNotFound) {
			t.Errorf("on what only one person sees: %v", err)
		}
	}
	if _, err := sim.Share(t.Context(), bert, alone, "x"); !errors.Is(err, slacksim.ErrNotVisible) {
		t.Errorf("from outside: %v", err)
	}
	if _, err := sim.Share(t.Context(), ada, team, "", slacksim.Upload{Name: "b", Data: make([]byte, slacksim.FileMax+1)}); err == nil {
		t.Error("too large a file was taken")
	}
	if state := sim.State(ada); len(state.Shortcuts) != 1 || state.Shortcuts[0].CallbackID != "verify" {
		t.Errorf("offers %+v", state.Shortcuts)
	} else if len(state.Global) != 1 || state.Global[0].CallbackID != "new" {
		t.Errorf("offers %+v beside the composer", state.Global)
	}
}
