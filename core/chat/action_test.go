package chat

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		verb Verb
		arg  string
	}{
		{"", VerbList, ""},
		{"   ", VerbList, ""},
		{"list", VerbList, ""},
		{"LINK ada@example.org", VerbLink, "ada@example.org"},
		{"  link   ada@example.org  ", VerbLink, "ada@example.org"},
		{"claim Project Manager", VerbClaim, "Project Manager"},
		{"emails", VerbEmails, ""},
		{"Forget me", VerbForget, "me"},
		{"help me", VerbHelp, ""},
		{"dance", VerbHelp, "dance"},
		{"code 123", VerbHelp, "code"},
		{"Settings", VerbSettings, ""},
	} {
		verb, arg := ParseCommand(tt.text)
		if verb != tt.verb || arg != tt.arg {
			t.Errorf("%q: got %s %q, want %s %q", tt.text, verb, arg, tt.verb, tt.arg)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	verb, opaque, ok := ParseID(ID(VerbClaim, "x:y"))
	if !ok || verb != VerbClaim || opaque != "x:y" {
		t.Errorf("got %s %q %v", verb, opaque, ok)
	}
	for _, bad := range []string{"", "claim", "dance:x", "list:x", ":x", "claim:" + strings.Repeat("x", 100)} {
		if _, _, ok := ParseID(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

type handlerFunc func(context.Context, Action) Answer

func (f handlerFunc) Handle(ctx context.Context, a Action) Answer { return f(ctx, a) }
func (handlerFunc) Acknowledged(Answer)                           {}

func TestRaceAnswersInTime(t *testing.T) {
	t.Parallel()
	h := handlerFunc(func(context.Context, Action) Answer { return Answer{Posted: true} })
	late := func(context.Context, Answer) { t.Error("a timely answer came late as well") }
	if answer, ok := Race(t.Context(), h, Action{}, time.Minute, late); !ok || !answer.Posted {
		t.Errorf("got %+v, %v", answer, ok)
	}
}

// The transport is released at its limit, the work goes on although the
// request is over, and its answer comes late, once.
func TestRaceReleasesTheTransport(t *testing.T) {
	t.Parallel()
	release, came := make(chan struct{}), make(chan Answer, 2)
	h := handlerFunc(func(ctx context.Context, _ Action) Answer {
		<-release
		return Answer{Posted: ctx.Err() == nil}
	})
	ctx, cancel := context.WithCancel(t.Context())
	if _, ok := Race(ctx, h, Action{}, time.Millisecond, func(_ context.Context, a Answer) { came <- a }); ok {
		t.Fatal("answered before the work was done")
	}
	cancel()
	close(release)
	if answer := <-came; !answer.Posted {
		t.Error("the work was cancelled with its request")
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"1234 5678": "12345678", " 12-34 ": "1234", "١٢٣٤": "1234", "１２３": "123", "abc": "", "": "",
	} {
		if got := digits(typed); got != want {
			t.Errorf("digits(%q) = %q, want %q", typed, got, want)
		}
	}
}
