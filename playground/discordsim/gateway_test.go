package discordsim_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
	"github.com/laurelbot/laurel/playground/simclock"
)

func timeout(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 10*time.Second)
}

func TestGatewayShards(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{Gateway: discordsim.GatewayConfig{GuildsPerShard: 2}})
	w := populate(t, s)
	guilds := []string{w.guild}
	for range 2 {
		guilds = append(guilds, s.AddGuild(discordsim.Guild{Name: "More"}))
	}
	_, _, body := call(t, s, "GET", "/gateway/bot", nil, true)
	if body["shards"] != 2.0 {
		t.Fatalf("recommended: %v", body)
	}
	c := hello(t, s)
	c.send(2, identity(s, nil))
	c.closed(discordsim.CloseShardingRequired)

	zero, one := hello(t, s), hello(t, s)
	conns, got := []*wire{zero, one}, [2][]string{}
	for i, c := range conns {
		r := c.identify(s, obj{"shard": []int{i, 2}})
		if r.Shard != [2]int{i, 2} {
			t.Errorf("shard = %v", r.Shard)
		}
		for _, g := range r.Guilds {
			if !g.Unavailable {
				t.Errorf("guild %s is available in READY", g.ID)
			}
			var created struct{ ID string }
			if err := json.Unmarshal(c.event("GUILD_CREATE").Data, &created); err != nil {
				t.Fatal(err)
			}
			got[i] = append(got[i], created.ID)
		}
	}
	all := slices.Sorted(slices.Values(append(slices.Clone(got[0]), got[1]...)))
	slices.Sort(guilds)
	if !slices.Equal(all, guilds) || len(got[0]) == 0 || len(got[1]) == 0 {
		t.Fatalf("guilds by shard: %v, want %v in all", got, guilds)
	}
	if !s.Gateway().Ready() {
		t.Error("not ready with both shards")
	}
	// Events of a guild go to its shard, those of direct messages to shard 0.
	for i, c := range conns {
		s.RemoveGuild(got[i][0])
		c.event("GUILD_DELETE")
	}
	if n := s.Gateway().Dispatch("", "TYPING_START", obj{}); n != 1 {
		t.Errorf("%d sessions", n)
	}
	zero.event("TYPING_START")
	status, _, refused := call(t, s, "GET", "/channels/"+w.channel, nil, true)
	if removed := slices.Contains([]string{got[0][0], got[1][0]}, w.guild); removed && (status != 403 || refused["code"] != 50001.0) {
		t.Errorf("channel of a left guild: %d %v", status, refused)
	}
}

func TestGatewayRefusals(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{Gateway: discordsim.GatewayConfig{SendsPerMinute: 5}})
	for _, tt := range []struct {
		name string
		code int
		send func(c *wire)
	}{
		{"unknown opcode", discordsim.CloseUnknownOpcode, func(c *wire) { c.send(5, nil) }},
		{"no JSON", discordsim.CloseDecodeError, func(c *wire) { _ = c.ws.WriteMessage(websocket.TextMessage, []byte("{")) }},
		{"binary", discordsim.CloseDecodeError, func(c *wire) { _ = c.ws.WriteMessage(websocket.BinaryMessage, []byte(`{"op":1}`)) }},
		{"too large", discordsim.CloseDecodeError, func(c *wire) { c.send(1, strings.Repeat("x", 4096)) }},
		{"IDENTIFY without properties", discordsim.CloseDecodeError, func(c *wire) { c.send(2, obj{"token": "x", "intents": 1}) }},
		{"before IDENTIFY", discordsim.CloseNotAuthenticated, func(c *wire) { c.send(3, obj{}) }},
		{"token", discordsim.CloseAuthenticationFailed, func(c *wire) { c.send(2, identity(s, obj{"token": "wrong"})) }},
		{"token of RESUME", discordsim.CloseAuthenticationFailed, func(c *wire) { c.send(6, obj{"token": "wrong", "session_id": "x", "seq": 1}) }},
		{"twice", discordsim.CloseAlreadyAuthenticated, func(c *wire) { c.identify(s, nil); c.send(2, identity(s, nil)) }},
		{"shard", discordsim.CloseInvalidShard, func(c *wire) { c.send(2, identity(s, obj{"shard": []int{2, 2}})) }},
		{"half a shard", discordsim.CloseInvalidShard, func(c *wire) { c.send(2, identity(s, obj{"shard": []int{0}})) }},
		{"intents", discordsim.CloseInvalidIntents, func(c *wire) { c.send(2, identity(s, obj{"intents": 1 << 18})) }},
		{"no intents", discordsim.CloseInvalidIntents, func(c *wire) { c.send(2, identity(s, obj{"intents": nil})) }},
		{"privileged", discordsim.CloseDisallowedIntents, func(c *wire) { c.send(2, identity(s, obj{"intents": 1 << 15})) }},
		{"too often", discordsim.CloseRateLimited, func(c *wire) {
			c.identify(s, nil)
			for range 5 {
				c.send(3, obj{})
			}
		}},
		{"sequence", discordsim.CloseInvalidSeq, func(c *wire) {
			r := c.identify(s, nil)
			s.Gateway().Invalidate(r.SessionID, true)
			c.want(9)
			c.resume(s, r.SessionID, 99)
		}},
	} {
		c := hello(t, s)
		tt.send(c)
		before := s.Gateway().Stats().Closes[tt.code]
		c.closed(tt.code)
		if t.Failed() {
			t.Fatal(tt.name)
		}
		if before == 0 && s.Gateway().Stats().Closes[tt.code] == 0 {
			t.Errorf("%s: not counted", tt.name)
		}
	}
	_, _, body := call(t, s, "GET", "/gateway", nil, false)
	url, _ := body["url"].(string)
	dial(t, url+"?v=6&encoding=json").closed(discordsim.CloseInvalidVersion)
	if _, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url+"?v=10&encoding=etf", nil); err == nil {
		t.Error("etf was taken")
	} else if resp != nil {
		_ = resp.Body.Close()
	}
	// Faults reach the REST routes and the handshake, apart.
	refused := s.Fail(discordsim.Fault{PathPattern: "/gateway/**", Status: 503, Times: 2})
	for _, path := range []string{"/gateway", "/gateway/bot"} {
		if status, _, _ := call(t, s, "GET", path, nil, true); status != 503 {
			t.Errorf("%s: %d", path, status)
		}
	}
	handshake := s.Fail(discordsim.Fault{PathPattern: "/socket/**", Status: 502})
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url+socketQuery, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusBadGateway || handshake.Served() != 1 || refused.Served() != 2 {
		t.Errorf("handshake under fault: %v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
}

func TestSessionStarts(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{Gateway: discordsim.GatewayConfig{SessionStarts: 4, MaxConcurrency: 2}})
	limit := func() map[string]any {
		_, _, body := call(t, s, "GET", "/gateway/bot", nil, true)
		l, _ := body["session_start_limit"].(map[string]any)
		return l
	}
	if l := limit(); l["total"] != 4.0 || l["remaining"] != 4.0 || l["max_concurrency"] != 2.0 {
		t.Fatalf("limit = %v", l)
	}
	a, b, c := hello(t, s), hello(t, s), hello(t, s)
	a.identify(s, obj{"shard": []int{0, 3}})
	b.identify(s, obj{"shard": []int{1, 3}}) // Another bucket.
	c.send(2, identity(s, obj{"shard": []int{2, 3}}))
	if f := c.want(9); string(f.Data) != "false" {
		t.Fatalf("too soon: %s", f.Data)
	}
	s.Clock().Advance(5 * time.Second)
	c.identify(s, obj{"shard": []int{2, 3}})
	st := s.Gateway().Stats()
	if st.Identifies != 4 || st.Started != 3 || st.IdentifiesTooSoon != 1 || st.StartsLeft != 0 || st.Open != 3 {
		t.Fatalf("stats = %+v", st)
	}
	if l := limit(); l["remaining"] != 0.0 || l["reset_after"] != 86_395_000.0 {
		t.Fatalf("limit = %v", l)
	}
	// One too many ends everything and resets the token.
	d := hello(t, s)
	d.send(2, identity(s, obj{"shard": []int{0, 3}}))
	for _, conn := range []*wire{a, b, c, d} {
		conn.closed(discordsim.CloseAuthenticationFailed)
	}
	if status, _, _ := call(t, s, "GET", "/users/@me", nil, true); status != 401 {
		t.Fatalf("old token: %d", status)
	}
	s.SetTokenRevoked(false)
	if l := limit(); l["remaining"] != 4.0 {
		t.Fatalf("limit = %v", l)
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	s := gatewaySim(t, discordsim.Config{Clock: clock, Gateway: discordsim.GatewayConfig{ReplayLimit: 3, ResumeWithin: time.Minute}})
	g := s.Gateway()
	c := hello(t, s)
	r := c.identify(s, nil)
	seq := c.eventAfter(g, "A")
	if g.Drop(r.SessionID) != 1 {
		t.Fatal("nothing dropped")
	}
	c.closed(websocket.CloseAbnormalClosure)
	g.Dispatch("", "B", obj{})
	g.Dispatch("", "C", obj{})

	again := dial(t, r.ResumeURL+"/"+socketQuery)
	again.want(10)
	again.resume(s, r.SessionID, seq)
	for i, name := range []string{"B", "C", "RESUMED"} {
		if f := again.event(name); f.Seq != seq+int64(i)+1 {
			t.Errorf("%s: sequence %d after %d", name, f.Seq, seq)
		}
	}
	st := g.Stats()
	if st.Resumes != 1 || st.Resumed != 1 || st.Replayed != 2 || st.Dropped != 1 || st.Identifies != 1 || st.ResumedElsewhere != 0 {
		t.Fatalf("stats = %+v", st)
	}
	if list := g.Sessions(); len(list) != 1 || !list[0].Connected || list[0].AtResumeURL != 1 || list[0].Seq != seq+3 {
		t.Fatalf("sessions = %+v", list)
	}

	// A second connection takes the session over.
	third := hello(t, s)
	third.resume(s, r.SessionID, seq+3)
	third.event("RESUMED")
	again.closed(websocket.CloseAbnormalClosure)

	// Op 7, and a client that leaves with another code than 1000 and 1001.
	g.AskReconnect("")
	third.want(7)
	third.leave(4000)
	eventually(t, s, func() bool { l := g.Sessions(); return len(l) == 1 && !l[0].Connected })

	// More was missed than is kept: the session is over.
	for range 4 {
		g.Dispatch("", "D", obj{})
	}
	late := hello(t, s)
	late.resume(s, r.SessionID, seq+4)
	if f := late.want(9); string(f.Data) != "false" {
		t.Fatalf("resume from too far: %s", f.Data)
	}
	r = late.identify(s, nil)

	// A session is kept for a while only.
	g.Drop("")
	clock.Advance(time.Minute)
	late = hello(t, s)
	late.resume(s, r.SessionID, 1)
	late.want(9)
	r = late.identify(s, nil)

	// 1000 ends a session.
	late.leave(websocket.CloseNormalClosure)
	eventually(t, s, func() bool { return len(g.Sessions()) == 0 })
	if st := g.Stats(); st.ClientCloses[1000] != 1 || st.ClientCloses[4000] != 1 {
		t.Fatalf("stats = %+v", st)
	}
	late = hello(t, s)
	late.resume(s, r.SessionID, 1)
	late.want(9)
}

// eventAfter dispatches an event and returns its number.
func (w *wire) eventAfter(g discordsim.Gateway, name string) int64 {
	w.t.Helper()
	g.Dispatch("", name, obj{})
	return w.event(name).Seq
}

// leave closes the connection by a code.
func (w *wire) leave(code int) {
	w.t.Helper()
	if err := w.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second)); err != nil {
		w.t.Fatal(err)
	}
	w.closed(code)
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{Gateway: discordsim.GatewayConfig{Heartbeat: 100 * time.Millisecond, HeartbeatTimeout: 600 * time.Millisecond}})
	g := s.Gateway()
	c := hello(t, s)
	r := c.identify(s, nil)
	c.send(1, 1)
	c.want(11)
	if l := g.Sessions(); l[0].Acked != 1 {
		t.Errorf("acked = %d", l[0].Acked)
	}
	g.AskHeartbeat("")
	c.want(1)
	// Nothing more: the server closes, and the session can be resumed.
	c.closed(discordsim.CloseSessionTimedOut)
	c = hello(t, s)
	c.resume(s, r.SessionID, 1)
	c.event("RESUMED")

	// A frozen connection says and hears nothing until it thaws.
	if g.Freeze("") != 1 || g.Ready() {
		t.Fatal("not frozen")
	}
	c.send(1, 1)
	g.Dispatch("", "HELD", obj{})
	if l := g.Sessions(); !l[0].Frozen || !l[0].Connected {
		t.Errorf("sessions = %+v", l)
	}
	g.Thaw("")
	c.event("HELD") // The heartbeat went unheard: its answer would be first.
	c.send(1, 2)
	c.want(11)
	if g.Close("", discordsim.CloseUnknownError) != 1 {
		t.Fatal("not closed")
	}
	c.closed(discordsim.CloseUnknownError)
}

func TestGatewayCompression(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{})
	populate(t, s)
	_, _, body := call(t, s, "GET", "/gateway", nil, false)
	url, _ := body["url"].(string)
	c := dial(t, url+socketQuery+"&compress=zlib-stream")
	var packed bytes.Buffer
	next := func() frame {
		t.Helper()
		kind, data, err := c.ws.ReadMessage()
		if err != nil || kind != websocket.BinaryMessage || !bytes.HasSuffix(data, []byte{0, 0, 0xff, 0xff}) {
			t.Fatalf("kind %d, %v", kind, err)
		}
		packed.Write(data)
		return frame{}
	}
	next()
	z, err := zlib.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(z)
	decode := func() (f frame) {
		t.Helper()
		if err := dec.Decode(&f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := decode(); f.Op != 10 {
		t.Fatalf("op %d", f.Op)
	}
	c.send(2, identity(s, nil))
	next()
	if f := decode(); f.Type != "READY" {
		t.Fatalf("%s", f.Type)
	}

	// Payload compression is for large payloads only.
	c = hello(t, s)
	c.send(2, identity(s, obj{"compress": true}))
	c.event("READY")
	kind, data, err := c.ws.ReadMessage()
	if err != nil || kind != websocket.BinaryMessage {
		t.Fatalf("kind %d, %v", kind, err)
	}
	one, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(one)
	if err != nil || !bytes.Contains(plain, []byte("GUILD_CREATE")) {
		t.Fatalf("%s, %v", plain, err)
	}
}

func TestGatewayEventsFollowTheAPIDescription(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := gatewaySim(t, discordsim.Config{Schema: set})
	w := populate(t, s)
	check := func(name string, doc any) {
		t.Helper()
		if err := set.ValidateJSON(name, doc); err != nil {
			t.Errorf("%v", err)
		}
	}
	rec := &recorder{bodies: map[string][]byte{}}
	rec.get(t, s, "bot", "GET", "/gateway/bot", "")
	check("GatewayBotResponse", rec.bodies["bot"])
	c := hello(t, s)
	c.send(2, identity(s, nil))
	var ready struct{ User json.RawMessage }
	if err := json.Unmarshal(c.event("READY").Data, &ready); err != nil {
		t.Fatal(err)
	}
	check("UserResponse", []byte(ready.User))
	var created struct{ Channels []json.RawMessage }
	f := c.event("GUILD_CREATE")
	check("GuildResponse", []byte(f.Data))
	if err := json.Unmarshal(f.Data, &created); err != nil || len(created.Channels) != 1 {
		t.Fatalf("%d channels, %v", len(created.Channels), err)
	}
	check("GuildChannelResponse", []byte(created.Channels[0]))

	// What happens to guilds and channels is told to those that asked for it.
	id := s.AddGuild(discordsim.Guild{Name: "New"})
	check("GuildResponse", []byte(c.event("GUILD_CREATE").Data))
	ch, err := s.AddChannel(discordsim.Channel{GuildID: id, Name: "c"})
	if err != nil {
		t.Fatal(err)
	}
	check("GuildChannelResponse", []byte(c.event("CHANNEL_CREATE").Data))
	if _, err := s.AddChannel(discordsim.Channel{ID: ch, GuildID: id, Name: "d"}); err != nil {
		t.Fatal(err)
	}
	check("GuildChannelResponse", []byte(c.event("CHANNEL_UPDATE").Data))
	s.RemoveChannel(ch)
	c.event("CHANNEL_DELETE")
	s.SetGuildUnavailable(id, true)
	if f := c.event("GUILD_DELETE"); !bytes.Contains(f.Data, []byte(`"unavailable":true`)) {
		t.Errorf("outage: %s", f.Data)
	}
	s.SetGuildUnavailable(id, false)
	c.event("GUILD_CREATE")
	s.RemoveGuild(w.guild)
	if f := c.event("GUILD_DELETE"); bytes.Contains(f.Data, []byte("unavailable")) {
		t.Errorf("removal: %s", f.Data)
	}
	if _, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil); err == nil {
		t.Error("a command in a left guild")
	}
}
