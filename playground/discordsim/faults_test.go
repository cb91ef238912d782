package discordsim_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	dg := session(t, s)
	const messages = "/channels/*/messages"

	half := 0.5
	f := s.Fail(discordsim.Fault{Method: http.MethodPost, PathPattern: messages, RetryAfter: &half, Global: true, Times: 2})
	_, err := dg.ChannelMessageSend(w.channel, "x")
	var limited *discordgo.RateLimitError
	if !errors.As(err, &limited) || limited.RetryAfter != 500*time.Millisecond {
		t.Fatalf("err = %v", err)
	}
	f.Cancel()
	if f.Served() != 1 {
		t.Fatalf("served %d", f.Served())
	}
	// A session holds back after a global limit: go on with a new one.
	dg = session(t, s)

	s.Fail(discordsim.Fault{PathPattern: messages, Status: 500})
	_, err = dg.ChannelMessageSend(w.channel, "x")
	wantCode(t, err, 500, 0)

	s.Fail(discordsim.Fault{PathPattern: "/channels/**", Status: 403, Code: 50001, Message: "Missing Access"})
	_, err = dg.ChannelMessageSend(w.channel, "x")
	wantCode(t, err, 403, 50001)

	s.Fail(discordsim.Fault{PathPattern: messages, Status: 429, HTMLBody: true})
	if _, err = dg.ChannelMessageSend(w.channel, "x"); err == nil {
		t.Fatal("the page was taken for an answer")
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		t.Logf("error of a page: %v", err)
	}
	if n := len(s.Messages(w.channel, "")); n != 0 {
		t.Fatalf("%d messages got through faults", n)
	}

	s.Fail(discordsim.Fault{PathPattern: messages, DropBefore: true})
	if _, err = dg.ChannelMessageSend(w.channel, "x"); err == nil || len(s.Messages(w.channel, "")) != 0 {
		t.Fatalf("drop before: %v", err)
	}
	s.Fail(discordsim.Fault{PathPattern: messages, DropAnswer: true})
	if _, err = dg.ChannelMessageSend(w.channel, "x"); err == nil || len(s.Messages(w.channel, "")) != 1 {
		t.Fatalf("drop answer: %v", err)
	}
	if _, err = dg.ChannelMessageSend(w.channel, "x"); err != nil {
		t.Fatal(err)
	}
}
