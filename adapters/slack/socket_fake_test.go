package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const testAppToken = core.Secret("xapp-test-token-0004")

// fakeSocket is Slack's end of one connection.
type fakeSocket struct {
	tb testing.TB
	ws *websocket.Conn
	// acks are the acknowledgements that arrived.
	acks chan map[string]any
	// closed holds the close code, or 0 for a connection that broke.
	closed  chan int
	writing sync.Mutex
}

func (s *fakeSocket) read() {
	for {
		_, data, err := s.ws.ReadMessage()
		if err != nil {
			var end *websocket.CloseError
			code := 0
			if errors.As(err, &end) {
				code = end.Code
			}
			s.closed <- code
			return
		}
		if len(data) >= 20<<10 {
			s.tb.Errorf("an acknowledgement has %d bytes", len(data))
		}
		var ack map[string]any
		if err := json.Unmarshal(data, &ack); err != nil {
			s.tb.Errorf("acknowledgement is no JSON: %v", err)
		}
		s.acks <- ack
	}
}

// breakOff ends the connection without a word.
func (s *fakeSocket) breakOff() {
	if err := s.ws.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.tb.Logf("close: %v", err)
	}
}

func (s *fakeSocket) send(message map[string]any) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.ws.WriteJSON(message); err != nil {
		s.tb.Logf("send: %v", err)
	}
}

func (s *fakeSocket) hello(connections int) {
	s.send(map[string]any{"type": "hello", "num_connections": connections, "connection_info": map[string]any{"app_id": "A1"}})
}

func (s *fakeSocket) disconnect(reason string) {
	s.send(map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "x"}})
}

// envelope sends a payload that may be answered inline.
func (s *fakeSocket) envelope(kind, id string, payload any) {
	s.send(map[string]any{
		"type": kind, "envelope_id": id, "payload": payload,
		"accepts_response_payload": kind != "events_api", "retry_attempt": 0, "retry_reason": "",
	})
}

// acked returns the payload of the next acknowledgement, which is for id.
func (s *fakeSocket) acked(id string) any {
	s.tb.Helper()
	select {
	case ack := <-s.acks:
		if ack["envelope_id"] != id {
			s.tb.Errorf("acknowledged %v, want %s", ack["envelope_id"], id)
		}
		return ack["payload"]
	case <-time.After(patience):
		s.tb.Fatalf("%s was not acknowledged", id)
		return nil
	}
}

// ended returns the code the connection was closed with.
func (s *fakeSocket) ended() int {
	s.tb.Helper()
	select {
	case code := <-s.closed:
		return code
	case <-time.After(patience):
		s.tb.Fatal("the connection is still open")
		return 0
	}
}

// socketBench is an adapter whose Socket Mode leads to a fake Slack.
type socketBench struct {
	*bench
	sockets chan *fakeSocket
	// stop ends RunSocket and waits for it.
	stop func()

	mu         sync.Mutex
	open, most int
}

// newSocketBench starts Socket Mode. The periods are long where a test does
// not shorten them and the pauses short.
func newSocketBench(tb testing.TB, answer chat.Answer, changes ...func(*socketBench)) *socketBench {
	tb.Helper()
	b := &socketBench{
		bench: newBench(tb, answer, func(c *Config) {
			c.AppToken, c.SigningSecret = testAppToken, ""
		}),
		sockets: make(chan *fakeSocket, 1000),
	}
	b.slack.link = b.accept
	b.socketTimes = socketTimes{
		ping: time.Minute, open: time.Minute, linger: time.Minute,
		firstWait: time.Millisecond, longestWait: 4 * time.Millisecond, slowWait: 2 * time.Millisecond,
	}
	for _, change := range changes {
		change(b)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.RunSocket(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				tb.Error(err)
			}
		case <-time.After(patience):
			tb.Error("still running")
		}
		if tb.Failed() {
			tb.Logf("log:\n%s", b.logs)
		}
		if n := b.counted("laurel_slack_socket_connections"); n != 0 {
			tb.Errorf("%v connections are left", n)
		}
	})
	tb.Cleanup(b.stop)
	return b
}

func (b *socketBench) accept(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("ticket") == "" {
		b.slack.tb.Error("no ticket")
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		b.slack.tb.Errorf("upgrade: %v", err)
		return
	}
	b.count(1)
	defer b.count(-1)
	s := &fakeSocket{tb: b.slack.tb, ws: ws, acks: make(chan map[string]any, 100), closed: make(chan int, 1)}
	b.sockets <- s
	s.read()
	s.breakOff()
}

func (b *socketBench) count(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open += n
	b.most = max(b.most, b.open)
}

// next returns the next connection that was opened.
func (b *socketBench) next() *fakeSocket {
	b.slack.tb.Helper()
	select {
	case s := <-b.sockets:
		return s
	case <-time.After(patience):
		b.slack.tb.Fatal("no connection was opened")
		return nil
	}
}

// two greets on both of the first connections.
func (b *socketBench) two() (first, second *fakeSocket) {
	b.slack.tb.Helper()
	first = b.next()
	first.hello(1)
	second = b.next()
	second.hello(2)
	b.until("both connections are in use", func() bool {
		return b.counted("laurel_slack_socket_connects_total", "opened") == 2
	})
	return first, second
}

// until waits for something that nothing tells of.
func (b *socketBench) until(what string, so func() bool) {
	b.slack.tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !so() {
		select {
		case <-tick.C:
		case <-late:
			b.slack.tb.Fatalf("it never came true that %s; log:\n%s", what, b.logs)
		}
	}
}

// commandObject is a command as Socket Mode carries it.
func (b *socketBench) commandObject(text string) map[string]any {
	object := map[string]any{}
	for name, values := range b.commandForm(text) {
		object[name] = values[0]
	}
	return object
}

func uninstalled(id string) map[string]any {
	return map[string]any{
		"type": "event_callback", "team_id": "T1", "event_id": id, "event": map[string]any{"type": "app_uninstalled"},
	}
}
