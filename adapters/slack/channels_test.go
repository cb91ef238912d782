package slack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// announcement is a form with every kind of field that a team's channel and a
// longer text need.
func announcement() *chat.Form {
	return &chat.Form{
		ID: "link:", Title: "Announce", Submit: "Show", Cancel: "Cancel", Fields: []chat.Field{
			{Name: "which", Label: "Which", Kind: chat.FieldChoices, Optional: true, Options: []chat.Choice{{Name: "One", Value: "1"}, {Name: "Two", Value: "2"}}},
			{Name: "channel", Label: "Channel", Kind: chat.FieldChannel, Placeholder: "Choose"},
			{Name: "words", Label: "Text", Kind: chat.FieldLong, MinLen: 1, MaxLen: 2000},
			{Name: "picture", Label: "Picture", MaxLen: 500, Optional: true},
			{Name: "elsewhere", Label: "Another channel", Kind: chat.FieldChannel, Optional: true, Value: "C2"},
		},
	}
}

// onSim is an adapter that a simulated Slack reaches by HTTP.
func onSim(t *testing.T, h chat.Handler) (*Adapter, *slacksim.Server) {
	t.Helper()
	sim, err := slacksim.Start(slacksim.Config{Scopes: []string{"commands", "chat:write", "channels:read", "groups:read", "users:read"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := core.NewKeys(make([]byte, core.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{
		APIURL: sim.APIURL(), BotToken: core.Secret(sim.Config().BotToken), SigningSecret: core.Secret(sim.Config().SigningSecret),
		Clock: &testClock{now: time.Now()}, Keys: keys, Handler: h, Inbox: &testInbox{seen: map[string]inbox.Message{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := a.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	a.Routes(mux)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	sim.SetCommandsURL(srv.URL + CommandsPath)
	sim.SetInteractionsURL(srv.URL + InteractionsPath)
	sim.SetEventsURL(srv.URL + EventsPath)
	sim.AddUser(slacksim.User{ID: "U1", Name: "Ada", RealName: "Ada Example", Locale: "en-GB", TZ: "Europe/London", Email: "ada@example.org"})
	return a, sim
}

func TestChannel(t *testing.T) {
	t.Parallel()
	a, sim := onSim(t, newTestHandler(chat.Answer{}))
	bot, team := sim.Config().BotUserID, sim.Config().TeamID
	sim.AddChannel("C1", "general", bot, "U1")
	sim.AddPrivateChannel("C2", "board", bot, "U1")
	sim.AddChannel("C3", "without", "U1")
	sim.AddPrivateChannel("C4", "secret", "U1")
	sim.AddChannel("C5", "old", bot)
	sim.Archive("C5", true)
	for id, want := range map[string]error{
		"C1": nil, "C2": nil, "C3": chat.ErrNoChannel, "C4": chat.ErrNoChannel, "C5": chat.ErrArchived,
		"C9": chat.ErrNoChannel, "": chat.ErrNoChannel, "../C1": chat.ErrNoChannel,
	} {
		info, err := a.Channel(t.Context(), core.ChannelIdentity(Platform, team, id))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
		if names := map[string]string{"C1": "general", "C2": "board"}; info.Name != names[id] || info.Team != "" {
			t.Errorf("%q: %+v", id, info)
		}
	}
	if _, err := a.Channel(t.Context(), core.Identity{Platform: Platform, Tenant: team, User: "U1"}); !errors.Is(err, chat.ErrNoChannel) {
		t.Errorf("a person: %v", err)
	}
	if _, err := sim.RevokeTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := a.Channel(t.Context(), core.ChannelIdentity(Platform, team, "C1"))
	if err == nil || errors.Is(err, chat.ErrNoChannel) || core.ClassOf(err) != core.InstallationDead {
		t.Errorf("without a token: %v", err)
	}
}

func TestFormWithChannel(t *testing.T) {
	t.Parallel()
	h := newTestHandler(chat.Answer{})
	h.handle = func(_ context.Context, a chat.Action) chat.Answer {
		if a.Source == chat.SourceSubmit {
			return chat.Answer{Card: card("Taken")}
		}
		return chat.Answer{Form: announcement()}
	}
	_, sim := onSim(t, h)
	sim.AddChannel("C1", "general", sim.Config().BotUserID, "U1")
	sim.AddChannel("C2", "elsewhere", sim.Config().BotUserID, "U1")
	who := slacktest.New(t, sim).As("U1")
	who.Command("/badges", "list")
	h.got(t)
	form := who.Modal("Announce")
	form.Fill("words", "one").SubmitExpectingError("required")
	form.Fill("channel", "C1").Fill("words", "first\nsecond").Submit()
	got := h.got(t).Fields
	if got["channel"] != "C1" || got["words"] != "first\nsecond" || got["elsewhere"] != "C2" || got["picture"] != "" || got["which"] != "" {
		t.Errorf("got %v", got)
	}
	who.ExpectEphemeral("Taken")
}

// A global shortcut comes from no channel: what is answered beside its form
// goes to the person directly.
func TestShortcut(t *testing.T) {
	t.Parallel()
	h := newTestHandler(chat.Answer{})
	h.handle = func(_ context.Context, a chat.Action) chat.Answer {
		if a.Source == chat.SourceSubmit {
			return chat.Answer{Card: card("Taken")}
		}
		return chat.Answer{Form: announcement()}
	}
	_, sim := onSim(t, h)
	sim.AddChannel("C1", "general", sim.Config().BotUserID, "U1")
	sim.AddChannel("C2", "elsewhere", sim.Config().BotUserID, "U1")
	who := slacktest.New(t, sim).As("U1")
	who.Shortcut("announce")
	got := h.got(t)
	if got.Verb != chat.VerbCallForm || got.Source != chat.SourcePress || got.MessageKey != "" || got.Team != "slack:"+sim.Config().TeamID {
		t.Errorf("got %+v", got)
	}
	who.Modal("Announce").Fill("channel", "C1").Fill("words", "first").Submit()
	who.ExpectDM("Taken")
	h.got(t)
	who.Shortcut("of another app")
	select {
	case got := <-h.actions:
		t.Errorf("got %+v", got)
	default:
	}
}
