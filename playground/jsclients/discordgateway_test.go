package jsclients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
)

type resumed struct {
	Replayed int `json:"replayed"`
}

type created struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// discordResumes: the connection drops, or the gateway asks for a new one, and
// the client resumes its session and gets what it has missed, an interaction
// in its three seconds included.
func discordResumes(tb testing.TB, s *discordStage) {
	tb.Helper()
	gw := s.sim.Gateway()
	for _, end := range []struct {
		name string
		do   func() int
	}{
		{"a dropped connection", func() int { return gw.Drop("") }},
		{"op 7", func() int { return gw.AskReconnect("") }},
		{"op 9, resumable", func() int { return gw.Invalidate("", true) }},
		{"close 4000", func() int { return gw.Close("", discordsim.CloseUnknownError) }},
	} {
		before, session := gw.Stats(), gw.Sessions()[0]
		equal(tb, end.name+": sessions", end.do(), 1)
		// While nobody listens.
		id, err := s.sim.AddChannel(discordsim.Channel{GuildID: s.guild, Name: "later"})
		if err != nil {
			tb.Fatal(err)
		}
		typed := act(func() (*discordsim.Result, error) {
			return s.sim.Command(ctx(tb), s.ada, s.channel, "badges", "list", nil)
		})
		i := s.next(tb, "ChatInputCommandInteraction")
		s.interact(tb, i, "reply", obj{"content": "Back again"})
		if r := typed.end(tb); r.Failed {
			tb.Fatalf("%s: the command came to %+v", end.name, r)
		}
		equal(tb, end.name+": the channel", await[created](tb, s.js, "channel_create", nil).ID, id)
		back := await[resumed](tb, s.js, "resumed", nil)
		after, sessions := gw.Stats(), gw.Sessions()
		if len(sessions) != 1 || sessions[0].ID != session.ID || !sessions[0].Connected {
			tb.Fatalf("%s: session %+v went on as %+v", end.name, session, sessions)
		}
		equal(tb, end.name+": identifies, resumes, at the URL for them", []int{after.Identifies, after.Resumed, sessions[0].AtResumeURL},
			[]int{before.Identifies, before.Resumed + 1, session.AtResumeURL + 1})
		if replayed := after.Replayed - before.Replayed; end.name == "a dropped connection" && (replayed == 0 || back.Replayed < replayed) {
			tb.Fatalf("%s: %d replayed, the client saw %d", end.name, replayed, back.Replayed)
		}
	}
}

// discordIdentifies: a session that is over is followed by a new one.
func discordIdentifies(tb testing.TB, s *discordStage) {
	tb.Helper()
	gw := s.sim.Gateway()
	before, session := gw.Stats(), gw.Sessions()[0]
	for s.js.count("shard_ready") > 0 {
		await[nothing](tb, s.js, "shard_ready", nil)
	}
	equal(tb, "sessions", gw.Invalidate("", false), 1)
	await[nothing](tb, s.js, "shard_ready", nil)
	after, sessions := gw.Stats(), gw.Sessions()
	if len(sessions) != 1 || sessions[0].ID == session.ID {
		tb.Fatalf("session %+v was followed by %+v", session, sessions)
	}
	equal(tb, "identifies, resumes", []int{after.Identifies, after.Resumes}, []int{before.Identifies + 1, before.Resumes})
	typed, i := s.command(tb, s.channel, "badges", "list", nil)
	s.interact(tb, i, "reply", obj{"content": "New here"})
	if r := typed.end(tb); r.Failed {
		tb.Fatalf("the command came to %+v", r)
	}
}

// limited is the event RateLimited of the client's REST manager.
type limited struct {
	Global      bool    `json:"global"`
	Limit       float64 `json:"limit"`
	Route       string  `json:"route"`
	TimeToReset float64 `json:"timeToReset"`
}

// discordLimits: the client keeps to the buckets it is told of, and waits as
// long as a 429 of a bucket, or of all requests together, says.
func discordLimits(tb testing.TB, s *discordStage) {
	tb.Helper()
	typed, i := s.command(tb, s.channel, "badges", "list", nil)
	s.interact(tb, i, "reply", obj{"content": "One"})
	token := typed.end(tb).Token
	s.sim.SetEnforceRateLimits(true)
	defer s.sim.SetEnforceRateLimits(false)
	s.sim.ResetTraffic()

	// By the headers alone: six of five in two seconds, and no 429.
	began := time.Now()
	for n := range 6 {
		s.interact(tb, i, "followUp", obj{"content": fmt.Sprint("more ", n)})
	}
	l := await[limited](tb, s.js, "rate_limited", nil)
	if l.Global || l.Limit != 5 || !strings.HasPrefix(l.Route, "/webhooks/") || time.Since(began) < time.Second {
		tb.Fatalf("limited by %+v after %s", l, time.Since(began))
	}
	equal(tb, "429s", s.sim.Traffic().ByStatus[http.StatusTooManyRequests], 0)

	// A 429 of the bucket: somebody else used it up.
	for range 4 {
		followUp(tb, s, token)
	}
	more := s.interact(tb, i, "followUp", obj{"content": "in the end"})
	await[limited](tb, s.js, "rate_limited", func(l limited) bool { return !l.Global })
	equal(tb, "in the end", s.message(tb, more.ID).Content, "in the end")
	if t := s.sim.Traffic(); t.ByScope["user"] == 0 {
		tb.Fatalf("the traffic was %+v", t)
	}

	// The global limit, which is lower here than the client knows.
	var calls []func() (json.RawMessage, *failure)
	for _, path := range []string{"/users/@me", "/users/" + s.ada, "/users/" + s.bert, "/applications/@me", "/channels/" + s.channel, "/gateway/bot"} {
		calls = append(calls, s.js.begin(tb, "get", path))
	}
	for _, end := range calls {
		if _, failed := end(); failed != nil {
			tb.Fatalf("under the global limit: %s", failed)
		}
	}
	await[limited](tb, s.js, "rate_limited", func(l limited) bool { return l.Global })
	if t := s.sim.Traffic(); t.ByScope["global"] == 0 {
		tb.Fatalf("the traffic was %+v", t)
	}
}

// followUp uses a bucket beside the client.
func followUp(tb testing.TB, s *discordStage, token string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx(tb), http.MethodPost, s.sim.BaseURL()+"/api/v10/webhooks/"+s.sim.ApplicationID()+"/"+token,
		bytes.NewReader([]byte(`{"content":"beside"}`)))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	_ = resp.Body.Close()
}

// discordRefusals: what is wrong is refused by Discord's own codes, with the
// place of each error, and the client reports them.
func discordRefusals(tb testing.TB, s *discordStage) {
	tb.Helper()
	long := func(n int) string { return strings.Repeat("x", n) }
	six := []obj{}
	for n := range 6 {
		six = append(six, jsButton("x", fmt.Sprint(n)))
	}
	type refusal struct {
		name string
		args []any
		code float64
		at   string // of an error in the tree of 50035
	}
	send := func(name string, payload obj, code float64, at string) refusal {
		return refusal{name, []any{"send", s.channel, payload}, code, at}
	}
	before := len(s.sim.Messages(s.channel, ""))
	for _, tt := range []refusal{
		send("custom_id too long", obj{"content": "x", "components": []obj{row(jsButton("x", long(101)))}}, 50035, "components.0.components.0.custom_id"),
		send("label too long", obj{"content": "x", "components": []obj{row(jsButton(long(81), "x"))}}, 50035, "components.0.components.0.label"),
		send("six buttons", obj{"content": "x", "components": []obj{row(six...)}}, 50035, "components.0.components"),
		send("custom_id twice", obj{"content": "x", "components": []obj{row(jsButton("x", "x"), jsButton("y", "x"))}}, 50035, "components.0.components.1.custom_id"),
		send("content too long", obj{"content": long(2001)}, 50035, "content"),
		send("embed title too long", obj{"embeds": []obj{{"title": long(257)}}}, 50035, "embeds.0.title"),
		send("nothing", obj{"content": ""}, 50006, ""),
		send("content beside V2", obj{"content": "x", "flags": discordsim.FlagComponentsV2, "components": []obj{{"type": 10, "content": "x"}}}, 50035, "content"),
		{"unknown channel", []any{"channel", "1100000000000000009"}, 10003, ""},
		{"unknown user", []any{"sendTo", "1100000000000000009", obj{"content": "x"}}, 10013, ""},
		{"unknown message", []any{"edit", s.channel, "1100000000000000009", obj{"content": "x"}}, 10008, ""},
		{"command name", []any{"setCommands", []obj{{"name": "Not Good", "description": "x"}}}, 50035, "0.name"},
		{"command description", []any{"createCommand", obj{"name": "fine", "description": long(101)}, s.guild}, 50035, "description"},
	} {
		_, failed := s.js.try(tb, tt.args[0].(string), tt.args[1:]...)
		refused(tb, tt.name, failed, tt.code, tt.at)
	}
	equal(tb, "messages", len(s.sim.Messages(s.channel, "")), before)
	equal(tb, "commands", len(s.sim.Commands()), 2)

	typed, i := s.command(tb, s.channel, "badges", "list", nil)
	for _, tt := range []refusal{
		{"reply", []any{"reply", obj{"content": "x", "components": []obj{row(jsButton("x", long(101)))}}}, 50035, "data.components.0.components.0.custom_id"},
		{"modal title", []any{"showModal", obj{"title": long(46), "custom_id": "x", "components": []obj{row(obj{"type": 4, "custom_id": "a", "style": 1, "label": "A"})}}}, 50035, "data.title"},
		{"modal of six", []any{"showModal", obj{"title": "x", "custom_id": "x", "components": repeat(6, row(obj{"type": 4, "custom_id": "a", "style": 1, "label": "A"}))}}, 50035, "data.components"},
	} {
		_, failed := s.js.try(tb, "interact", append([]any{i.ID}, tt.args...)...)
		refused(tb, tt.name, failed, tt.code, tt.at)
	}
	s.interact(tb, i, "reply", obj{"content": "Good at last"})
	if r := typed.end(tb); r.Failed {
		tb.Fatalf("the command came to %+v", r)
	}

	// Too late: the person saw a failure, the token is void.
	typed, i = s.command(tb, s.channel, "badges", "list", nil)
	s.sim.Clock().Advance(answerWithin + time.Second)
	if r := typed.end(tb); !r.Failed {
		tb.Fatalf("an answer after the deadline came to %+v", r)
	}
	_, failed := s.js.try(tb, "interact", i.ID, "reply", obj{"content": "Too late"})
	refused(tb, "too late", failed, 10062, "")

	s.sim.SetDMsClosed(s.bert, true)
	_, failed = s.js.try(tb, "sendTo", s.bert, obj{"content": "x"})
	refused(tb, "closed direct messages", failed, 50007, "")
	s.sim.SetDMsClosed(s.bert, false)
}

// refused wants Discord's error of a code, with an error at a place.
func refused(tb testing.TB, name string, failed *failure, code float64, at string) {
	tb.Helper()
	if failed == nil || failed.Code != code || !strings.HasPrefix(failed.Name, "DiscordAPIError") {
		tb.Fatalf("%s: %s, want %.0f", name, failed, code)
	}
	if at == "" {
		return
	}
	var node any
	if err := json.Unmarshal(failed.Errors, &node); err != nil {
		tb.Fatalf("%s: %v in %s", name, err, failed)
	}
	for key := range strings.SplitSeq(at+"._errors", ".") {
		m, _ := node.(map[string]any)
		node = m[key]
	}
	if list, ok := node.([]any); !ok || len(list) == 0 {
		tb.Fatalf("%s: no error at %s in %s", name, at, failed.Errors)
	}
}

// discordTurnsAway: a wrong token, and intents that the application lacks.
func discordTurnsAway(tb testing.TB, s *discordStage) {
	tb.Helper()
	_, failed := s.js.try(tb, "login", "wrong.token.here")
	if failed == nil || failed.Code != "TokenInvalid" {
		tb.Fatalf("a wrong token: %s", failed)
	}
	equal(tb, "identifies", s.sim.Gateway().Stats().Identifies, 0)
	equal(tb, "401s", s.sim.Traffic().ByStatus[http.StatusUnauthorized], 1)
}
