package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/core/chat"
)

func posted() *testHandler {
	return newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Posted: true} })
}

// The gateway gives the very callbacks that HTTP gives.
func TestGatewayAnswersAsHTTPDoes(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{"command": aCommand, "press": aPress, "submit": aSubmit, "pressed": aPressed, "complete": aComplete}
	for source, body := range bodies {
		for name, answer := range testAnswers() {
			t.Run(source+" "+name, func(t *testing.T) {
				t.Parallel()
				h := newTestHandler(func(chat.Action) chat.Answer { return answer })
				f := newFixture(t, h)
				want := f.post(t, body).Body.Bytes()

				gw := newFakeGateway(t, time.Minute)
				r := newReplica(t, gw, h)
				r.run(t, "a")
				c := receive(t, gw.conns)
				c.ready(t, gw)
				c.event(2, "INTERACTION_CREATE", body)
				got := r.awaitCallback(t)
				if got.method != http.MethodPost || got.auth != "" ||
					got.path != "/api/v9/interactions/"+snowflakeAt(start)+"/"+testHook+"/callback" {
					t.Errorf("%s %s with %q", got.method, got.path, got.auth)
				}
				if string(got.body) != string(want) {
					t.Errorf("callback %s, over HTTP %s", got.body, want)
				}
				checkCallback(t, got.body)
				if a, b := receive(t, h.actions), receive(t, h.actions); a.Key != b.Key {
					t.Errorf("keys %q and %q", a.Key, b.Key)
				}
			})
		}
	}
}

func TestGatewayIdentifies(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	if err := r.GatewayHealth(); err == nil {
		t.Error("healthy before it runs")
	}
	r.run(t, "a")
	c := receive(t, gw.conns)
	if c.query != gatewayQuery {
		t.Errorf("query %q", c.query)
	}
	eventually(t, "a health that tells what it waits for", func() bool {
		err := r.GatewayHealth()
		return err != nil && strings.Contains(err.Error(), "shard 0 has no session since")
	})
	id := c.ready(t, gw)
	if id.Token != testToken || id.Intents != 0 || id.Shard != [2]int{0, 1} || id.Properties["os"] == "" {
		t.Errorf("identify %+v", id)
	}
	eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
	r.stop()
	if code := receive(t, c.closed); code != closeResumable {
		t.Errorf("closed with %d", code)
	}
	if n := counter(t, r.reg, "laurel_discord_gateway_identifies_total"); n != 1 {
		t.Errorf("%v identifies", n)
	}
	if strings.Contains(r.logs.String(), testToken) {
		t.Error("the token is in the log")
	}
}

func TestGatewayRunsOnceAndNeedsItsSettings(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	if err := r.RunGateway(t.Context(), GatewayConfig{Leases: r.leases}); err == nil {
		t.Error("ran without a holder")
	}
	r.run(t, "a")
	receive(t, gw.conns)
	if err := r.RunGateway(t.Context(), GatewayConfig{Leases: r.leases, Holder: "b"}); err == nil {
		t.Error("ran twice")
	}
}

// A late answer is deferred, then edited; it delays no other.
func TestGatewaySlowAnswerDelaysNoOther(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := newTestHandler(func(a chat.Action) chat.Answer {
		if a.Verb == chat.VerbClaim {
			<-release
		}
		return chat.Answer{Card: &chat.Card{Title: "Hello"}}
	})
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, h)
	r.answerWithin = 200 * time.Millisecond
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	slow := strings.Replace(aPress, snowflakeAt(start), snowflakeAt(start.Add(time.Second)), 1)
	slow = strings.Replace(slow, testHook, "slow-token", 1)
	c.event(2, "INTERACTION_CREATE", slow)
	c.event(3, "INTERACTION_CREATE", aCommand)
	if got := r.awaitCallback(t); !strings.Contains(got.path, testHook) || !strings.Contains(string(got.body), `"type":4`) {
		t.Errorf("first %s %s", got.path, got.body)
	}
	if got := r.awaitCallback(t); !strings.Contains(got.path, "slow-token") || string(got.body) != `{"type":6}` {
		t.Errorf("then %s %s", got.path, got.body)
	}
	close(release)
	if got := receive(t, r.api.seen); got.method != http.MethodPatch || !strings.HasSuffix(got.path, "slow-token/messages/@original") {
		t.Errorf("last %s %s", got.method, got.path)
	}
}

// A connection on which one heartbeat is not acknowledged is replaced, and
// the session goes on where it asked to.
func TestGatewaySilenceIsNoticed(t *testing.T) {
	t.Parallel()
	const interval = 200 * time.Millisecond
	gw := newFakeGateway(t, interval)
	r := newReplica(t, gw, posted())
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	c.event(5, "INTERACTION_CREATE", aCommand)
	r.awaitCallback(t)
	c.hush()
	quiet := time.Now()
	if code := receive(t, c.closed); code != closeResumable {
		t.Errorf("closed with %d", code)
	}
	// One heartbeat may have been acknowledged just before.
	if took := time.Since(quiet); took > 10*interval {
		t.Errorf("noticed after %v", took)
	}
	next := receive(t, gw.conns)
	if got := next.resumed(t, 5); got.SessionID != "s1" || got.Sequence != 5 || got.Token != testToken {
		t.Errorf("resume %+v", got)
	}
	if next.path != "/again" || next.query != gatewayQuery {
		t.Errorf("resumed at %s?%s", next.path, next.query)
	}
	eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
	if n := counter(t, r.reg, "laurel_discord_gateway_identifies_total"); n != 1 {
		t.Errorf("%v identifies", n)
	}
}

// What was told before and is told again is answered once; what is new is
// answered.
func TestGatewayReplay(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	h := posted()
	r := newReplica(t, gw, h)
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	c.event(2, "INTERACTION_CREATE", aCommand)
	r.awaitCallback(t)
	c.say(`{"op":7,"d":null}`)
	if code := receive(t, c.closed); code != closeResumable {
		t.Errorf("closed with %d", code)
	}
	next := receive(t, gw.conns)
	f := receive(t, next.frames)
	if f.Op != opResume {
		t.Fatalf("frame %d", f.Op)
	}
	next.event(2, "INTERACTION_CREATE", aCommand)
	late := strings.Replace(aCommand, snowflakeAt(start), snowflakeAt(start.Add(-2*time.Second)), 1)
	next.event(3, "INTERACTION_CREATE", strings.Replace(late, testHook, "late-token", 1))
	next.event(4, "RESUMED", `{}`)
	if got := r.awaitCallback(t); !strings.Contains(got.path, "late-token") {
		t.Errorf("answered %s", got.path)
	}
	r.stop()
	receive(t, next.closed)
	if got := r.callbacks(); len(got) != 2 || len(h.actions) != 2 {
		t.Errorf("%d callbacks, %d actions", len(got), len(h.actions))
	}
}

func TestGatewayInvalidSession(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	c.say(`{"op":9,"d":true}`)
	c = receive(t, gw.conns)
	if f := receive(t, c.frames); f.Op != opResume {
		t.Fatalf("after true: frame %d", f.Op)
	}
	c.say(`{"op":9,"d":false}`)
	c = receive(t, gw.conns)
	if c.path != "/" {
		t.Errorf("began anew at %s", c.path)
	}
	c.ready(t, gw)
	// A close code that ends the session, and one that does not.
	c.hangUp(closeSessionTimedOut)
	c = receive(t, gw.conns)
	c.ready(t, gw)
	c.hangUp(4000)
	c = receive(t, gw.conns)
	c.resumed(t, 2)
	// A cut is no reason to begin anew.
	_ = c.ws.NetConn().Close()
	receive(t, gw.conns).resumed(t, 3)
	if n := counter(t, r.reg, "laurel_discord_gateway_identifies_total"); n != 3 {
		t.Errorf("%v identifies", n)
	}
}

// Interactions of a session that lives have three seconds: there is no wait
// before it goes on.
func TestGatewayResumesAtOnce(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.gatewayTimes.invalidMin = time.Hour
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	c.say(`{"op":9,"d":true}`)
	receive(t, gw.conns).resumed(t, 1)
}

func TestGatewayHeartbeatOnRequest(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.gatewayTimes.random = func() float64 { return 0.99 }
	r.run(t, "a")
	c := receive(t, gw.conns)
	receive(t, c.frames)
	c.say(`{"op":1,"d":null}`)
	if got := receive(t, c.beats); string(got) != "null" {
		t.Errorf("first heartbeat %s", got)
	}
	c.event(7, "READY", `{"session_id":"s1","resume_gateway_url":""}`)
	// The limit of sends is kept whatever is asked.
	for range 2 * maxSends {
		c.say(`{"op":1}`)
	}
	c.event(8, "INTERACTION_CREATE", aCommand)
	r.awaitCallback(t)
	beats := 1
	for len(c.beats) > 0 {
		if got := receive(t, c.beats); string(got) != "7" {
			t.Errorf("heartbeat %s", got)
		}
		beats++
	}
	if beats > maxSends-keptSends {
		t.Errorf("%d heartbeats", beats)
	}
}

func TestGatewayBadFrames(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	c.event(2, "INTERACTION_CREATE", `{"type":2}`)
	c.event(3, "SOMETHING_NEW", `[1]`)
	c.event(4, "INTERACTION_CREATE", aCommand)
	r.awaitCallback(t)
	c.say(`not json`)
	receive(t, gw.conns).resumed(t, 5)
	if n := counter(t, r.reg, "laurel_discord_refused_total"); n != 1 {
		t.Errorf("refused %v", n)
	}
}

func TestGatewayRefused(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.gatewayTimes.fatalPause = 100 * time.Millisecond
	r.run(t, "a")
	c := receive(t, gw.conns)
	receive(t, c.frames)
	c.hangUp(closeAuthentication)
	eventually(t, "a health that names the setting", func() bool {
		err := r.GatewayHealth()
		return err != nil && strings.Contains(err.Error(), "DISCORD_BOT_TOKEN") && strings.Contains(err.Error(), "4004")
	})
	// It is tried again, slowly.
	receive(t, gw.conns).ready(t, gw)
	eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
}

func TestGatewayTokenRefusedByREST(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.api.answer = func(call) (int, map[string]string, string) { return 401, nil, `{"code":0}` }
	r.run(t, "a")
	eventually(t, "a health that names the setting", func() bool {
		err := r.GatewayHealth()
		return err != nil && strings.Contains(err.Error(), "DISCORD_BOT_TOKEN")
	})
	if n := len(r.api.all()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestGatewayReshards(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	r.gatewayTimes.leaseTTL, r.gatewayTimes.leaseMargin = 300*time.Millisecond, 50*time.Millisecond
	r.run(t, "a")
	c := receive(t, gw.conns)
	receive(t, c.frames)
	gw.tell(2, 1, 1000, 1000, 0)
	c.hangUp(closeShardingRequired)
	seen := map[[2]int]bool{}
	for range 2 {
		seen[receive(t, gw.conns).ready(t, gw).Shard] = true
	}
	if !seen[[2]int{0, 2}] || !seen[[2]int{1, 2}] {
		t.Errorf("shards %v", seen)
	}
	eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
}

func TestEndOf(t *testing.T) {
	t.Parallel()
	tests := map[int]nextStep{
		1000: stepResume, 1001: stepResume, 1006: stepResume, 1012: stepResume, 3999: stepResume,
		4000: stepResume, 4001: stepResume, 4002: stepResume, 4003: stepFresh, 4004: stepFatal, 4005: stepResume,
		4007: stepFresh, 4008: stepResume, 4009: stepFresh, 4010: stepFatal, 4011: stepReshard, 4012: stepFatal,
		4013: stepFatal, 4014: stepFatal, 4999: stepResume,
	}
	for code, want := range tests {
		end := endOf(fmt.Errorf("read: %w", &websocket.CloseError{Code: code}))
		if end.next != want || end.name == "" || end.reason == "" {
			t.Errorf("%d: %+v", code, end)
		}
		if want == stepFatal && !strings.Contains(end.reason, fmt.Sprint(code)) {
			t.Errorf("%d: %s", code, end.reason)
		}
	}
	if end := endOf(errors.New("reset")); end.next != stepResume || end.name != "lost" {
		t.Errorf("%+v", end)
	}
}

func TestHeartbeatFrames(t *testing.T) {
	t.Parallel()
	for seq, want := range map[int64]string{0: `{"op":1,"d":null}`, 7: `{"op":1,"d":7}`} {
		if got, err := json.Marshal(newHeartbeat(seq)); err != nil || string(got) != want {
			t.Errorf("%s, %v", got, err)
		}
	}
}
