package slack

import (
	"net/http"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core/chat"
)

func TestPersonIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	// A press on Claim does not wait, but asks for next time.
	b.interact(b.press("claim:1", true))
	if a := b.handler.got(t); a.Locale != "" {
		t.Errorf("locale %q", a.Locale)
	}
	b.slack.expect("users.info")
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.interact(b.press("help:", true))
	if a := b.handler.got(t); a.Locale != "de-DE" || a.TimeZone != "Europe/Berlin" {
		t.Errorf("locale %q, zone %q", a.Locale, a.TimeZone)
	}
	if len(b.slack.calls) != 0 {
		t.Error("asked again")
	}
	b.clock.add(personLife)
	b.slack.once("users.info", says(http.StatusOK, `{"ok":true,"user":{"id":"U1","locale":"<b>","tz":"../../etc"}}`))
	b.command(b.commandForm(""))
	if a := b.handler.got(t); a.Locale != "" || a.TimeZone != "" {
		t.Errorf("locale %q, zone %q", a.Locale, a.TimeZone)
	}
}

func TestPersonCannotBeAsked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer http.HandlerFunc
		quiet  time.Duration
	}{
		{"refused", refuses("missing_scope"), personLife},
		{"unreachable", says(http.StatusBadGateway, ""), failedPersonLife},
		{"limited", says(http.StatusTooManyRequests, "", "Retry-After", "90"), 90 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			b.slack.once("users.info", tt.answer)
			ask := func() int {
				b.command(b.commandForm(""))
				b.handler.got(t)
				n := 0
				for len(b.slack.calls) > 0 {
					<-b.slack.calls
					n++
				}
				return n
			}
			if n := ask(); n != 1 {
				t.Errorf("asked %d times", n)
			}
			b.clock.add(tt.quiet - time.Second)
			if n := ask(); n != 0 {
				t.Error("asked too early")
			}
			b.clock.add(time.Second)
			if n := ask(); n != 1 {
				t.Error("not asked again")
			}
		})
	}
}

func TestCommandDoesNotWaitForPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	release := make(chan struct{})
	b.slack.once("users.info", func(w http.ResponseWriter, r *http.Request) {
		<-release
		says(http.StatusOK, `{"ok":true,"user":{"id":"U1","locale":"es-ES"}}`)(w, r)
	})
	b.command(b.commandForm(""))
	if a := b.handler.got(t); a.Locale != "" {
		t.Errorf("locale %q", a.Locale)
	}
	close(release)
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.command(b.commandForm(""))
	if a := b.handler.got(t); a.Locale != "es-ES" {
		t.Errorf("locale %q", a.Locale)
	}
}

func TestLRU(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLRU[int](2)
	l.put("a", 1, now.Add(time.Hour))
	l.put("b", 2, now.Add(time.Hour))
	l.get("a", now)
	l.put("c", 3, now.Add(time.Minute))
	if _, ok := l.get("b", now); ok {
		t.Error("b was asked for the longest ago and is still there")
	}
	if v, ok := l.get("a", now); !ok || v != 1 {
		t.Error("a is gone")
	}
	if _, ok := l.get("c", now.Add(time.Minute)); ok {
		t.Error("c did not expire")
	}
	if len(l.items) != 1 || l.order.Len() != 1 {
		t.Errorf("%d items, %d in order", len(l.items), l.order.Len())
	}
}
