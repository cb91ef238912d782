package slacktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// workspace starts an app in a workspace of its own, with little patience.
func workspace(tb testing.TB, cfg slacksim.Config, app func(*slacktest.Chat) http.Handler) (*slacktest.Chat, *slacktest.Person) {
	tb.Helper()
	chat := slacktest.Start(tb, cfg).Within(100 * time.Millisecond)
	srv := httptest.NewServer(app(chat))
	tb.Cleanup(srv.Close)
	chat.OverHTTP(srv.URL, srv.URL, srv.URL)
	return chat, chat.Person("ada")
}

func echoing(chat *slacktest.Chat) http.Handler {
	return echo{chat.Sim().APIURL(), chat.Sim().Config().BotToken}
}

func silent(*slacktest.Chat) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server notices that the caller is gone once the body was read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
}

// post lets the app do something on its own account.
func post(tb testing.TB, chat *slacktest.Chat, method string, body map[string]any) {
	tb.Helper()
	req := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/", http.NoBody)
	echo{chat.Sim().APIURL(), chat.Sim().Config().BotToken}.call(req, chat.Sim().APIURL()+method, body)
}

// TestWhatFails has a story for each way to fail, and what the failure says.
func TestWhatFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		silent bool // an app that never answers instead of the one that echoes.
		story  func(testing.TB, *slacktest.Chat, *slacktest.Person)
		want   []string // empty when the story is right.
	}{
		"nothing left over": {false, func(_ testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi")
			chat.ExpectNothingMore()
		}, nil},
		"a message nobody expected": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi")
		}, []string{"left over: a message that nobody expected", "only for U0PERSON001", "You said: hi", "[Tell all]"}},
		"more than expected": {false, func(_ testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi")
			chat.ExpectNothingMore()
		}, []string{"expected nothing more", "You said: hi"}},
		"wrong text": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("You said: ho")
		}, []string{`expected an ephemeral message for U0PERSON001 saying ["You said: ho"]; there is:`, "  You said: hi", "  [Tell all]"}},
		"wrong kind of message": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectMessage("You said: hi")
		}, []string{"expected a message for", "(only for"}},
		"a message that is not to be there": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral()
			ada.ExpectNothing("hi")
		}, []string{`expected no message saying ["hi"]`}},
		"missing edit": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").ExpectEdit("hi")
		}, []string{`expected an edit saying ["hi"]`, "edited 0 times"}},
		"an edit nobody expected": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Tell all")
			ada.ExpectDM("hi")
		}, []string{"a message was edited, which nobody expected", "All have heard it", "it was:", "You said: hi"}},
		"a deletion nobody expected": {false, func(tb testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			post(tb, chat, "chat.postMessage", map[string]any{"channel": ada.ID(), "text": "hello"})
			m := ada.ExpectDM("hello")
			post(tb, chat, "chat.delete", map[string]any{"channel": m.Channel, "ts": m.TS})
		}, []string{"a message was deleted, which nobody expected", "hello"}},
		"an expected deletion": {false, func(tb testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			post(tb, chat, "chat.postMessage", map[string]any{"channel": ada.ID(), "text": "hello"})
			m := ada.ExpectDM("hello")
			post(tb, chat, "chat.delete", map[string]any{"channel": m.Channel, "ts": m.TS})
			m.ExpectDeleted()
		}, nil},
		"no deletion": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").ExpectDeleted()
		}, []string{"expected the message deleted", "You said: hi"}},
		"missing button": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").ExpectButton("Claim")
		}, []string{`expected a button "Claim"`, "[Tell all]"}},
		"a button too many": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").ExpectNoButton("Tell all")
		}, []string{`expected no button "Tell all"`}},
		"missing link": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").ExpectLink("Open")
		}, []string{`expected a link "Open"`}},
		"pressing what is not there": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Claim")
		}, []string{"press Claim as U0PERSON001", "not found", "[Tell all]"}},
		"choosing what is not offered": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Choose("Colour", "Red")
		}, []string{`choose "Red" of "Colour": not offered`}},
		"missing form": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Tell all").Modal("Other words")
		}, []string{`expected a form "Other words"`}},
		"a form nobody expected": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Other words")
		}, []string{"a form that nobody expected", "Words: ____"}},
		"a form that is still open": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words")
			ada.ExpectNoModal()
		}, []string{"expected no form", "open form:"}},
		"missing complaint": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words").
				Fill("Words", "x").SubmitExpectingError("too short")
		}, []string{`expected a complaint saying "too short"`}},
		"a form sent incomplete": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words").Submit()
		}, []string{`submit "Other words": field errors`, "required"}},
		"missing home tab": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Home()
		}, []string{"expected a home tab", "no home tab"}},
		"unanswered interaction": {true, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Command("/echo", "hi")
		}, []string{"/echo hi as U0PERSON001", "did not answer in time", "operation_timeout"}},
		"a failure that was to be": {true, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Failing().Command("/echo", "hi").ExpectFailed("operation_timeout")
		}, nil},
		"a failure nobody looked at": {true, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Failing().Command("/echo", "hi")
		}, []string{"a message that nobody expected", "operation_timeout"}},
		"answered although it should not": {false, func(_ testing.TB, _ *slacktest.Chat, ada *slacktest.Person) {
			ada.Failing().Command("/echo", "hi")
		}, []string{"expected a failure, the app answered 200"}},
		"a malformed request": {false, func(tb testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			post(tb, chat, "chat.postMessage", map[string]any{"channel": ada.ID(), "text": "x", "blocks": []any{map[string]any{"type": "marquee"}}})
		}, []string{"1 requests of the app were refused with invalid_blocks", "marquee", "json-pointer"}},
		"a malformed request that was to be": {false, func(tb testing.TB, chat *slacktest.Chat, ada *slacktest.Person) {
			post(tb, chat, "chat.postMessage", map[string]any{"channel": ada.ID(), "text": "x", "blocks": []any{map[string]any{"type": "marquee"}}})
			chat.ExpectRefusal("invalid_blocks")
		}, nil},
		"no refusal": {false, func(_ testing.TB, chat *slacktest.Chat, _ *slacktest.Person) {
			chat.ExpectRefusal("invalid_blocks")
		}, []string{"expected a request refused with invalid_blocks"}},
		"no connection": {false, func(_ testing.TB, chat *slacktest.Chat, _ *slacktest.Person) {
			chat.Connected(1)
		}, []string{"expected 1 connections"}},
		"an app that does not settle": {false, func(_ testing.TB, chat *slacktest.Chat, _ *slacktest.Person) {
			chat.Settle(func(context.Context) error { return errors.New("still busy") })
		}, []string{"does not settle: still busy"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := chattest.Failure(t, func(tb testing.TB) {
				cfg, app := slacksim.Config{}, echoing
				if tt.silent {
					cfg.AckTimeout, app = 50*time.Millisecond, silent
				}
				chat, ada := workspace(tb, cfg, app)
				tt.story(tb, chat, ada)
			})
			if len(tt.want) == 0 && got != "" {
				t.Errorf("it failed: %s", got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("it said\n%s\nwant %q", got, want)
				}
			}
		})
	}
}

// TestLateMessageIsSeen shows that a message which comes while the test ends
// is a leftover, too: the app settles when it has sent it.
func TestLateMessageIsSeen(t *testing.T) {
	t.Parallel()
	got := chattest.Failure(t, func(tb testing.TB) {
		chat, ada := workspace(tb, slacksim.Config{}, echoing)
		chat.Settle(func(context.Context) error {
			post(t, chat, "chat.postMessage", map[string]any{"channel": ada.ID(), "text": "by the way"})
			return nil
		})
	})
	if !strings.Contains(got, "a message that nobody expected") || !strings.Contains(got, "by the way") {
		t.Errorf("it said %q", got)
	}
}

// TestOnlyStrictChatsLookForLeftovers shows what New does not do, and that what
// was there before is none of a later chat's business.
func TestOnlyStrictChatsLookForLeftovers(t *testing.T) {
	t.Parallel()
	sim, err := slacksim.Start(slacksim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, strict := range []bool{false, true} {
		got := chattest.Failure(t, func(tb testing.TB) {
			chat := slacktest.New(tb, sim)
			if strict {
				chat.Strict()
			}
			post(tb, chat, "chat.postMessage", map[string]any{"channel": chat.Person("ada").ID(), "text": "hello"})
		})
		if n := strings.Count(got, "hello"); strict != (n == 1) {
			t.Errorf("strict %t: it said %q", strict, got)
		}
	}
}
