package slack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestSocketNeedsToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	if err := b.RunSocket(t.Context()); err == nil {
		t.Error("ran without a token")
	}
	if err := b.SocketHealth(); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("got %v", err)
	}
}

func TestSocketRunsOnce(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	b.two()
	if err := b.RunSocket(t.Context()); err == nil {
		t.Error("ran twice")
	}
	b.stop()
	if err := b.SocketHealth(); err == nil {
		t.Error("healthy after the end")
	}
}

// Before a refresh the replacement is there first, and what the old
// connection still brings is answered on it.
func TestSocketRefresh(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{Card: card("List")}, func(b *socketBench) { b.socketTimes.linger = 50 * time.Millisecond })
	old, _ := b.two()
	old.disconnect(endWarning)
	replacement := b.next()
	old.disconnect(endRefresh)
	old.envelope(typeCommand, "e-1", b.commandObject(""))
	old.acked("e-1")
	select {
	case code := <-old.closed:
		t.Fatalf("closed with %d before its replacement was ready", code)
	default:
	}
	replacement.hello(3)
	if code := old.ended(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	replacement.envelope(typeCommand, "e-2", b.commandObject(""))
	replacement.acked("e-2")
	b.until("its end is counted", func() bool {
		return b.counted("laurel_slack_socket_disconnects_total", endWarning) == 1 && b.counted("laurel_slack_socket_connections") == 2
	})
	if err := b.SocketHealth(); err != nil {
		t.Error(err)
	}
	if len(b.sockets) != 0 {
		t.Error("one connection too many was opened")
	}
}

// Slack may ask for refreshes as fast as it likes.
func TestSocketRefreshStorm(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{}, func(b *socketBench) { b.socketTimes.settled = time.Second })
	for range 40 {
		s := b.next()
		s.hello(1)
		s.disconnect(endRefresh)
	}
	b.mu.Lock()
	most := b.most
	b.mu.Unlock()
	// The fake counts a connection a little longer than its other end does.
	if most > appSockets {
		t.Errorf("%d connections at once", most)
	}
}

// A connection without a sign of life is replaced; one with them stays.
func TestSocketSilence(t *testing.T) {
	t.Parallel()
	const interval = time.Second
	b := newSocketBench(t, chat.Answer{}, func(b *socketBench) { b.socketTimes.ping = interval })
	lively := b.next()
	lively.hello(1)
	stopped := make(chan struct{})
	t.Cleanup(func() { <-stopped })
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		defer close(stopped)
		tick := time.NewTicker(interval / 40)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if lively.ws.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Second)) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	for range 2 {
		silent := b.next()
		silent.hello(2)
		if code := silent.ended(); code != websocket.CloseAbnormalClosure && code != 0 {
			t.Errorf("closed with %d", code)
		}
	}
	select {
	case <-lively.closed:
		t.Error("the lively connection was closed")
	default:
	}
	b.until("it is healthy", func() bool { return b.SocketHealth() == nil })
	b.until("the silent ones are counted", func() bool {
		return b.counted("laurel_slack_socket_disconnects_total", endSilent) == 2
	})
}

func TestSocketHealthSaysWhy(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	first := b.next()
	if err := b.SocketHealth(); err == nil || !strings.Contains(err.Error(), "no connection to Slack since 2026-11-20T09:00:00Z: ") {
		t.Errorf("got %v", err)
	}
	first.hello(1)
	second := b.next()
	second.hello(2)
	b.until("it is healthy", func() bool { return b.SocketHealth() == nil })
	b.clock.add(time.Hour)
	// The second goes: one is enough.
	if err := second.ws.Close(); err != nil {
		t.Fatal(err)
	}
	b.next()
	if err := b.SocketHealth(); err != nil {
		t.Error(err)
	}
	if err := first.ws.Close(); err != nil {
		t.Fatal(err)
	}
	b.until("it is told", func() bool {
		err := b.SocketHealth()
		return err != nil && strings.Contains(err.Error(), "since 2026-11-20T10:00:00Z: the connection broke")
	})
}

// A token that does not work is told in each attempt, and works once it was
// mended.
func TestSocketVoidToken(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_auth", "account_inactive", "not_authed", "token_revoked", "missing_scope", "not_allowed_token_type"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			asked, mended := make(chan struct{}), make(chan struct{})
			b := newSocketBench(t, chat.Answer{}, func(b *socketBench) {
				b.slack.once(connectionsOpen, refuses(code))
				b.slack.once(connectionsOpen, func(w http.ResponseWriter, r *http.Request) {
					close(asked)
					<-mended
					refuses(code)(w, r)
				})
			})
			<-asked
			if err := b.SocketHealth(); err == nil || !strings.Contains(err.Error(), "Slack does not accept the app token: "+code) {
				t.Errorf("got %v", err)
			}
			close(mended)
			b.two()
			if got := strings.Count(b.logs.String(), "does not accept the app token"); got != 2 {
				t.Errorf("told %d times", got)
			}
			if got := b.counted("laurel_slack_socket_connects_total", "void_token"); got != 2 {
				t.Errorf("counted %v", got)
			}
			if err := b.SocketHealth(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSocketComesBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spoil  func(b *socketBench, s *fakeSocket)
		reason string
	}{
		{"broken", func(_ *socketBench, s *fakeSocket) { s.breakOff() }, endBroken},
		{"closed", func(_ *socketBench, s *fakeSocket) {
			if err := s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseServiceRestart, ""), time.Now().Add(time.Second)); err != nil {
				t.Error(err)
			}
		}, endClosed},
		{"disabled", func(_ *socketBench, s *fakeSocket) { s.disconnect(endDisabled) }, endDisabled},
		{"too many", func(_ *socketBench, s *fakeSocket) { s.disconnect(endTooMany) }, endTooMany},
		{"something new", func(_ *socketBench, s *fakeSocket) { s.disconnect("maintenance") }, endOther},
		{"too large", func(_ *socketBench, s *fakeSocket) {
			s.send(map[string]any{"x": strings.Repeat("x", maxSocketMessage)})
		}, endTooLarge},
		{"attempts fail", func(b *socketBench, s *fakeSocket) {
			b.slack.once(connectionsOpen, refuses("invalid_auth"))
			b.slack.once(connectionsOpen, says(http.StatusBadGateway, ""))
			b.slack.once(connectionsOpen, says(http.StatusOK, `{"ok":true,"url":"https://evil.example.org/"}`))
			b.slack.once(connectionsOpen, says(http.StatusOK, `{"ok":true,"url":"ws`+strings.TrimPrefix(b.slack.server.URL, "http")+`/nowhere"}`))
			s.breakOff()
		}, endBroken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newSocketBench(t, chat.Answer{Card: card("List")})
			s, _ := b.two()
			tt.spoil(b, s)
			again := b.next()
			again.hello(2)
			again.envelope(typeCommand, "e-1", b.commandObject(""))
			again.acked("e-1")
			if got := b.counted("laurel_slack_socket_disconnects_total", tt.reason); got != 1 {
				t.Errorf("%s: %v", tt.reason, got)
			}
		})
	}
}

// Before the greeting a connection is none.
func TestSocketGreeting(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{}, func(b *socketBench) { b.socketTimes.open = 200 * time.Millisecond })
	b.next().ended()
	s := b.next()
	s.disconnect(endTooMany)
	s.ended()
	b.two()
	for _, reason := range []string{endNoHello, endTooMany} {
		if got := b.counted("laurel_slack_socket_connects_total", reason); got != 1 {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

// Where places are rare a second connection is not kept.
func TestSocketLeavesRoom(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{}, func(b *socketBench) { b.socketTimes.slowWait = time.Hour })
	first := b.next()
	first.hello(appSockets)
	second := b.next()
	second.hello(appSockets - keptFree + 1)
	if code := second.ended(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	// The one that is left is replaced all the same.
	first.disconnect(endRefresh)
	b.next().hello(appSockets)
	b.until("it is in use", func() bool {
		return b.counted("laurel_slack_socket_connects_total", "opened") == 3
	})
	if err := b.SocketHealth(); err != nil {
		t.Error(err)
	}
}

// What was taken before the end is answered; what comes later is left to
// another process.
func TestSocketShutdown(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	release := make(chan struct{})
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		<-release
		return chat.Answer{Card: card("Last")}
	}
	first, second := b.two()
	first.envelope(typeCommand, "e-1", b.commandObject(""))
	b.handler.got(t)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.stop()
	}()
	if code := second.ended(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	first.envelope(typeCommand, "e-2", b.commandObject(""))
	close(release)
	if body, _ := first.acked("e-1").(map[string]any); body["text"] != "Last" {
		t.Errorf("got %v", body)
	}
	if code := first.ended(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	<-stopped
	if len(first.acks) != 0 || len(b.handler.actions) != 0 {
		t.Error("an envelope was taken after the end")
	}
	if err := b.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := b.counted("laurel_slack_socket_disconnects_total", endShutdown); got != 2 {
		t.Errorf("ended: %v", got)
	}
}

func TestOpenError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		want socketError
	}{
		{context.DeadlineExceeded, socketError{code: "timeout"}},
		{&core.DeliveryError{Class: core.RetryLater, Code: "ratelimited", After: time.Minute}, socketError{code: "ratelimited", after: time.Minute}},
		{&core.DeliveryError{Class: core.Temporary, Code: "internal_error"}, socketError{code: "internal_error"}},
		{&core.DeliveryError{Class: core.InstallationDead, Code: "token_expired"}, socketError{code: "token_expired", void: true}},
		{&core.DeliveryError{Class: core.TargetDead, Code: "missing_scope connections:write"}, socketError{code: "missing_scope connections:write", void: true}},
		{&core.DeliveryError{Class: core.Temporary, Code: "access_denied"}, socketError{code: "access_denied", void: true}},
	}
	for _, tt := range tests {
		if got := openError(tt.err); *got != tt.want {
			t.Errorf("%v: got %+v", tt.err, *got)
		}
	}
	p := &socketPool{adapter: newBench(t, chat.Answer{}).Adapter, times: usualSocketTimes()}
	if pause, _ := p.tell(&core.DeliveryError{Class: core.RetryLater, Code: "ratelimited", After: time.Hour}, 1); pause < time.Hour {
		t.Errorf("waits only %v", pause)
	}
	var last time.Duration
	for n := 1; n < 12; n++ {
		pause := p.backoff(n)
		last = min(p.times.firstWait<<(n-1), p.times.longestWait)
		if pause < last/2 || pause > last*3/2 {
			t.Errorf("after %d failures: %v", n, pause)
		}
	}
	if last != p.times.longestWait {
		t.Error("the pause does not grow")
	}
	if errors.Unwrap(&socketError{code: "x"}) != nil || (&socketError{code: "x"}).Error() == "" {
		t.Error("the error says nothing")
	}
}

func TestAllowedSocket(t *testing.T) {
	t.Parallel()
	plain := newBench(t, chat.Answer{})
	safe := newBench(t, chat.Answer{}, func(c *Config) { c.APIURL = "" })
	for address, want := range map[string][2]bool{
		"wss://wss-primary.slack.com/link/?ticket=x": {true, true},
		"ws://127.0.0.1:1/link":                      {true, false},
		"https://slack.com/":                         {},
		"wss:///x":                                   {},
		"wss://u:p@slack.com/":                       {},
		"://":                                        {},
	} {
		if got := [2]bool{plain.allowedSocket(address), safe.allowedSocket(address)}; got != want {
			t.Errorf("%s: got %v", address, got)
		}
	}
}
