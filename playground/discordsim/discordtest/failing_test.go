package discordtest_test

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
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
)

// world starts a bot in a Discord of its own, with little patience.
func world(tb testing.TB, cfg discordsim.Config) (*discordtest.Chat, *discordtest.Person, echo) {
	tb.Helper()
	chat := discordtest.Start(tb, cfg).Within(100 * time.Millisecond)
	bot := echo{chat.Sim().BaseURL(), chat.Sim().BotToken(), chat.Sim().PublicKey()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cfg.AnswerWithin > 0 && len(chat.Sim().Commands()) > 0 {
			// The server notices that the caller is gone once the body was read.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		bot.ServeHTTP(w, r)
	}))
	tb.Cleanup(srv.Close)
	chat.Within(discordtest.DefaultPatience).OverHTTP(srv.URL)
	bot.registers(tb, chat.Sim().ApplicationID())
	return chat, chat.Person("ada"), bot
}

// says is the one command of the bot.
func says(p *discordtest.Person, what string) *discordtest.Reply {
	return p.Command("echo", "", map[string]any{"words": what})
}

// sends lets the bot do something on its own account.
func (e echo) sends(tb testing.TB, method, path string, body map[string]any) {
	tb.Helper()
	e.call(httptest.NewRequestWithContext(tb.Context(), method, "/", http.NoBody), method, path, body)
}

// thinking defers every command and never comes back to it.
func thinking(w http.ResponseWriter, r *http.Request) {
	if body, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(body), `"type":2`) {
		reply(w, 5, map[string]any{"flags": 64})
	}
}

// TestWhatFails has a story for each way to fail, and what the failure says.
func TestWhatFails(t *testing.T) {
	t.Parallel()
	type story func(testing.TB, *discordtest.Chat, *discordtest.Person, echo)
	tests := map[string]struct {
		silent bool // a bot that never answers instead of the one that echoes.
		story  story
		want   []string // empty when the story is right.
	}{
		"nothing left over": {false, func(_ testing.TB, chat *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi")
			chat.ExpectNothingMore()
		}, nil},
		"a message nobody expected": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi")
		}, []string{"left over: a message that nobody expected", "only for one person", "You said: hi", "[Tell all]", "[Read the log](https://example.org/log)"}},
		"more than expected": {false, func(_ testing.TB, chat *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi")
			chat.ExpectNothingMore()
		}, []string{"expected nothing more", "You said: hi"}},
		"wrong text": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("You said: ho")
		}, []string{`expected the answer saying ["You said: ho"]; there is:`, "  You said: hi", "  [Tell all]"}},
		"wrong text of a message": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi")
			ada.ExpectEphemeral("You said: ho")
		}, []string{`saying ["You said: ho"]; there is:`, "  You said: hi"}},
		"wrong kind of message": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectMessage("You said: hi")
		}, []string{"the answer is ephemeral"}},
		"no update": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectUpdate("You said: hi")
		}, []string{"answered by callback 4, expected an update"}},
		"a message that is not to be there": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral()
			ada.ExpectNothing("hi")
		}, []string{`expected no message saying ["hi"]`}},
		"missing edit": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").ExpectEdit("hi")
		}, []string{`expected an edit saying ["hi"]`, "You said: hi"}},
		"an edit nobody expected": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Tell all")
			ada.ExpectMessage("hi")
		}, []string{"a message was edited, which nobody expected", "All have heard it", "it was:", "You said: hi"}},
		"a deletion nobody expected": {false, func(tb testing.TB, _ *discordtest.Chat, ada *discordtest.Person, bot echo) {
			at := "/channels/" + ada.Channel() + "/messages"
			bot.sends(tb, http.MethodPost, at, map[string]any{"content": "hello"})
			bot.sends(tb, http.MethodDelete, at+"/"+ada.ExpectDM("hello").ID(), nil)
		}, []string{"a message was deleted, which nobody expected", "hello"}},
		"an expected deletion": {false, func(tb testing.TB, _ *discordtest.Chat, ada *discordtest.Person, bot echo) {
			at := "/channels/" + ada.Channel() + "/messages"
			bot.sends(tb, http.MethodPost, at, map[string]any{"content": "hello"})
			m := ada.ExpectDM("hello")
			bot.sends(tb, http.MethodDelete, at+"/"+m.ID(), nil)
			m.ExpectDeleted()
		}, nil},
		"no deletion": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").ExpectDeleted()
		}, []string{"expected the message deleted", "You said: hi"}},
		"missing button": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").ExpectButton("Claim")
		}, []string{`expected a button "Claim"`, "[Tell all]"}},
		"a button too many": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").ExpectNoButton("Tell all")
		}, []string{`expected no button "Tell all"`}},
		"missing link": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").ExpectLink("Open")
		}, []string{`expected a link "Open"`}},
		"a link": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Tell all").ExpectLink()
			ada.ExpectMessage("hi")
		}, []string{"press Tell all: no link was opened"}},
		"pressing what is not there": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Claim")
		}, []string{"press Claim", "no such component", "[Tell all]"}},
		"choosing what is not offered": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Choose("Colour", "Red")
		}, []string{`choose "Red" of "Colour": not offered`}},
		"missing form": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Tell all").Modal("Other words")
		}, []string{"answered by callback 7, expected a form"}},
		"another form": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Other words").Modal("Your address")
		}, []string{`the form is titled "Other words", expected "Your address"`}},
		"a form nobody expected": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Other words")
		}, []string{"a form that nobody expected", "Words: ____"}},
		"a form that is still open": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words").Expect("Words")
			ada.ExpectNoModal()
		}, []string{"expected no form", "open form:"}},
		"missing complaint": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words").
				Fill("Words", "x").SubmitExpectingError("too short")
		}, []string{`expected a complaint saying "too short"`}},
		"a form sent incomplete": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi").ExpectEphemeral("hi").Press("Other words").Modal("Other words").Submit()
		}, []string{"submit Other words", "required"}},
		"unanswered interaction": {true, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada, "hi")
		}, []string{"/echo as ", `the person sees "This interaction failed": no answer in time`}},
		"a failure that was to be": {true, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada.Failing(), "hi").ExpectFailed("no answer in time")
		}, nil},
		"another failure": {true, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada.Failing(), "hi").ExpectFailed("50035")
		}, []string{`expected a failure saying "50035"`}},
		"answered although it should not": {false, func(_ testing.TB, _ *discordtest.Chat, ada *discordtest.Person, _ echo) {
			says(ada.Failing(), "hi")
		}, []string{"expected a failure, the bot answered by callback 4"}},
		"a malformed request": {false, func(tb testing.TB, _ *discordtest.Chat, ada *discordtest.Person, bot echo) {
			bot.sends(tb, http.MethodPost, "/channels/"+ada.Channel()+"/messages", map[string]any{"content": strings.Repeat("x", 2001)})
		}, []string{"1 requests of the bot were refused with 50035", "BASE_TYPE_MAX_LENGTH"}},
		"a malformed request that was to be": {false, func(tb testing.TB, chat *discordtest.Chat, ada *discordtest.Person, bot echo) {
			bot.sends(tb, http.MethodPost, "/channels/"+ada.Channel()+"/messages", map[string]any{"content": ""})
			chat.ExpectRefusal(50006)
		}, nil},
		"no refusal": {false, func(_ testing.TB, chat *discordtest.Chat, _ *discordtest.Person, _ echo) {
			chat.ExpectRefusal(50035)
		}, []string{"expected a request refused with 50035"}},
		"no session": {false, func(_ testing.TB, chat *discordtest.Chat, _ *discordtest.Person, _ echo) {
			chat.OverGateway()
		}, []string{"expected the bot to listen to all of its shards"}},
		"no command": {false, func(_ testing.TB, chat *discordtest.Chat, _ *discordtest.Person, _ echo) {
			chat.Registered("echo", "badges")
		}, []string{`expected the commands ["echo" "badges"]`}},
		"a bot that does not settle": {false, func(_ testing.TB, chat *discordtest.Chat, _ *discordtest.Person, _ echo) {
			chat.Settle(func(context.Context) error { return errors.New("still busy") })
		}, []string{"does not settle: still busy"}},
		"a message that comes while the test ends": {false, func(_ testing.TB, chat *discordtest.Chat, ada *discordtest.Person, bot echo) {
			chat.Settle(func(context.Context) error {
				bot.sends(t, http.MethodPost, "/channels/"+ada.Channel()+"/messages", map[string]any{"content": "by the way"})
				return nil
			})
		}, []string{"a message that nobody expected", "by the way"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := chattest.Failure(t, func(tb testing.TB) {
				cfg := discordsim.Config{}
				if tt.silent {
					cfg.AnswerWithin = 500 * time.Millisecond
				}
				chat, ada, bot := world(tb, cfg)
				tt.story(tb, chat, ada, bot)
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

// TestThinkingWithoutEnd shows that a deferral that is never followed up is
// left over, and that no expectation takes it for an answer.
func TestThinkingWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, look := range []bool{false, true} {
		got := chattest.Failure(t, func(tb testing.TB) {
			sim := discordtest.Start(tb, discordsim.Config{})
			bot := echo{sim.Sim().BaseURL(), sim.Sim().BotToken(), sim.Sim().PublicKey()}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if len(sim.Sim().Commands()) == 0 {
					bot.ServeHTTP(w, r)
					return
				}
				thinking(w, r)
			}))
			tb.Cleanup(srv.Close)
			sim.OverHTTP(srv.URL)
			bot.registers(tb, sim.Sim().ApplicationID())
			said := says(sim.Within(50*time.Millisecond).Person("ada"), "hi")
			if look {
				said.ExpectEphemeral()
			}
		})
		if want := map[bool]string{false: "the bot is thinking and has not answered", true: "expected the answer saying []"}[look]; !strings.Contains(got, want) {
			t.Errorf("it said\n%s\nwant %q", got, want)
		}
	}
}

// strict is a description that knows no answer of one kind.
type strict struct{ refuses string }

func (s strict) Validate(name string, _ any) error {
	if name == s.refuses {
		return errors.New("not as described")
	}
	return nil
}

// TestViolationsOfTheSimulator shows that an answer of the simulator that
// Discord's description does not know fails the test that got it.
func TestViolationsOfTheSimulator(t *testing.T) {
	t.Parallel()
	got := chattest.Failure(t, func(tb testing.TB) {
		chat := discordtest.Start(tb, discordsim.Config{Schema: strict{"MessageResponse"}})
		bot := echo{chat.Sim().BaseURL(), chat.Sim().BotToken(), chat.Sim().PublicKey()}
		ada := chat.Person("ada")
		bot.sends(tb, http.MethodPost, "/channels/"+ada.Channel()+"/messages", map[string]any{"content": "hello"})
		ada.ExpectDM("hello")
	})
	if !strings.Contains(got, "against Discord's description") || !strings.Contains(got, "not as described") {
		t.Errorf("it said %q", got)
	}
}
