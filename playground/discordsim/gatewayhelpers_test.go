package discordsim_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

const socketQuery = "?v=10&encoding=json"

// frame is one payload of the gateway.
type frame struct {
	Op   int             `json:"op"`
	Type string          `json:"t"`
	Seq  int64           `json:"s"`
	Data json.RawMessage `json:"d"`
}

// wire is a bare client of the gateway.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial connects without reading HELLO.
func dial(t *testing.T, url string) *wire {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return &wire{t: t, ws: ws}
}

// hello connects as GET /gateway says and reads HELLO.
func hello(t *testing.T, s *discordsim.Server) *wire {
	t.Helper()
	_, _, body := call(t, s, "GET", "/gateway", nil, false)
	url, _ := body["url"].(string)
	w := dial(t, url+"/"+socketQuery)
	w.want(10)
	return w
}

func (w *wire) send(op int, d any) {
	w.t.Helper()
	if err := w.ws.WriteJSON(obj{"op": op, "d": d}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) read() (frame, error) {
	w.t.Helper()
	if err := w.ws.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	var f frame
	err := w.ws.ReadJSON(&f)
	return f, err
}

// want reads a payload of this opcode.
func (w *wire) want(op int) frame {
	w.t.Helper()
	f, err := w.read()
	if err != nil || f.Op != op {
		w.t.Fatalf("got op %d %s %s, %v; want op %d", f.Op, f.Type, f.Data, err, op)
	}
	return f
}

// event reads a dispatch of this name.
func (w *wire) event(name string) frame {
	w.t.Helper()
	f := w.want(0)
	if f.Type != name {
		w.t.Fatalf("got %s, want %s", f.Type, name)
	}
	return f
}

// closed reads until the connection was closed by this code.
func (w *wire) closed(code int) {
	w.t.Helper()
	for {
		_, err := w.read()
		if err == nil {
			continue
		}
		var ce *websocket.CloseError
		if !errors.As(err, &ce) || ce.Code != code {
			w.t.Fatalf("got %v, want close %d", err, code)
		}
		return
	}
}

func identity(s *discordsim.Server, more obj) obj {
	d := obj{"token": s.BotToken(), "intents": 1, "properties": obj{"os": "linux", "browser": "test", "device": "test"}}
	for k, v := range more {
		d[k] = v
	}
	return d
}

// ready is what a test needs of READY.
type ready struct {
	SessionID string `json:"session_id"`
	ResumeURL string `json:"resume_gateway_url"`
	Shard     [2]int `json:"shard"`
	Guilds    []struct {
		ID          string `json:"id"`
		Unavailable bool   `json:"unavailable"`
	} `json:"guilds"`
}

func (w *wire) identify(s *discordsim.Server, more obj) ready {
	w.t.Helper()
	w.send(2, identity(s, more))
	var r ready
	if err := json.Unmarshal(w.event("READY").Data, &r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *wire) resume(s *discordsim.Server, session string, seq int64) {
	w.t.Helper()
	w.send(6, obj{"token": s.BotToken(), "session_id": session, "seq": seq})
}

// gatewaySim has no time between IDENTIFYs.
func gatewaySim(t *testing.T, cfg discordsim.Config) *discordsim.Server {
	t.Helper()
	if cfg.Gateway.IdentifyEvery == 0 {
		cfg.Gateway.IdentifyEvery = -1
	}
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	return start(t, cfg)
}

// eventually waits for a change after which ok holds.
func eventually(t *testing.T, s *discordsim.Server, ok func() bool) {
	t.Helper()
	ctx, cancel := timeout(t)
	defer cancel()
	if err := s.Eventually(ctx, ok); err != nil {
		t.Fatalf("%v; stats: %+v", err, s.Gateway().Stats())
	}
}
