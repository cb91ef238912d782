package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestChosenParts(t *testing.T) {
	t.Parallel()
	all, err := options{}.chosen()
	if err != nil || len(all) != len(parts) {
		t.Errorf("got %d parts, %v", len(all), err)
	}
	some, err := options{only: "ingest,claim"}.chosen()
	if err != nil || len(some) != 2 || some[0].name != "ingest" || some[1].name != "claim" {
		t.Errorf("got %v, %v", some, err)
	}
	if _, err := (options{only: "claim,other"}).chosen(); err == nil {
		t.Error("an unknown part was accepted")
	}
	if beside, err := (options{beside: "bot"}).chosen(); err != nil || len(beside) != 1 {
		t.Errorf("got %v, %v", beside, err)
	}
}

func TestGoals(t *testing.T) {
	t.Parallel()
	var g goals
	g.atLeast("fast", 2, 1, "%.1f")
	g.atLeast("slow", 0.5, 1, "%.1f")
	g.atMost("small", 1, 1, "%.0f")
	g.told("known", "17")
	if n := g.missed(); n != 1 {
		t.Errorf("%d missed", n)
	}
	var out bytes.Buffer
	g.print(&out)
	for _, line := range []string{"fast   2.0     ≥ 1.0  yes", "slow   0.5     ≥ 1.0  no", "small  1       ≤ 1    yes", "known  17"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the table lacks %q:\n%s", line, out.String())
		}
	}
}

// The peer's packages are pinned, and the lock names no place to fetch them
// from.
func TestPeerIsPinned(t *testing.T) {
	t.Parallel()
	var manifest struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(peerPackage, &manifest); err != nil {
		t.Fatal(err)
	}
	for name, version := range manifest.Dependencies {
		if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(version) {
			t.Errorf("%s is pinned to %q", name, version)
		}
	}
	var lock struct {
		Packages map[string]struct {
			Resolved, Integrity string
		} `json:"packages"`
	}
	if err := json.Unmarshal(peerLock, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" || name != "" && p.Integrity == "" {
			t.Errorf("%s: resolved %q, integrity %q", name, p.Resolved, p.Integrity)
		}
	}
}

func TestUnsignedAndUnknownRequests(t *testing.T) {
	t.Parallel()
	public, private, err := newDiscordKey()
	if err != nil {
		t.Fatal(err)
	}
	o := order{badges: 1000, members: 50}
	now := time.Unix(1_700_000_000, 0)
	slack := newSlackPresses(o, "127.0.0.1:1", "secret", "http://127.0.0.1:2")
	if unknown := string(unknownPress(slack, now)); strings.Contains(unknown, "claim%3A") || !strings.Contains(unknown, "unknown") {
		t.Error("the unknown press is a claim")
	}
	discord := &discordPresses{o, "127.0.0.1:1", private}
	good := func(request []byte) bool {
		r := readRequest(t, request)
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Fatal(err)
		}
		var signature []byte
		for i := 0; i < len(r.Header.Get("X-Signature-Ed25519")); i += 2 {
			signature = append(signature, hexByte(r.Header.Get("X-Signature-Ed25519")[i:i+2]))
		}
		return ed25519.Verify(public, append([]byte(r.Header.Get("X-Signature-Timestamp")), body.Bytes()...), signature)
	}
	request := ping(discord, now)
	if !strings.Contains(string(request), `"type":1,"version"`) || len(request) < 1000 {
		t.Errorf("ping: %s", request)
	}
	if !good(request) || !good(discord.request(0, now)) {
		t.Error("a signature is wrong")
	}
	bad := spoiled(discord.request(0, now))
	if good(bad) || len(bad) != len(discord.request(0, now)) {
		t.Error("a spoiled signature is good")
	}
	if bytes.Equal(spoiled(slack.request(0, now)), slack.request(0, now)) {
		t.Error("a signature is not spoiled")
	}
}

func hexByte(digits string) byte {
	const all = "0123456789abcdef"
	return byte(strings.IndexByte(all, digits[0])<<4 | strings.IndexByte(all, digits[1]))
}

func TestWebhookRequest(t *testing.T) {
	t.Parallel()
	r := readRequest(t, webhooks{"127.0.0.1:1"}.request(17, time.Time{}))
	var event struct {
		ID           string `json:"id"`
		Organization string `json:"organization_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(event.ID, "17") || event.Organization != organization || r.URL.Path != "/webhooks/credly/"+webhookToken {
		t.Errorf("event %+v to %s", event, r.URL)
	}
}

// readRequest lets a server read a request.
func readRequest(t *testing.T, request []byte) *http.Request {
	t.Helper()
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		c := r.Clone(context.WithoutCancel(r.Context()))
		c.Body = http.NoBody
		if body.Len() > 0 {
			c = c.WithContext(c.Context())
			c.Body = httptest.NewRequestWithContext(c.Context(), http.MethodPost, "/", &body).Body
		}
		got <- c
	}))
	defer server.Close()
	c, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.exchange(request); err != nil {
		t.Fatal(err)
	}
	return <-got
}

func TestOpenLoopKeepsItsTimes(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1) == 3 {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	const n, rate = 20, 400
	l, err := openLoop(t.Context(), strings.TrimPrefix(server.URL, "http://"), fixed("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), 4, n, rate, &atomic.Int64{})
	if err != nil {
		t.Fatal(err)
	}
	if l.accepted != n-1 || l.refused != 1 || len(l.latencies) != n {
		t.Errorf("accepted %d, refused %d", l.accepted, l.refused)
	}
	if least := time.Duration(n-1) * time.Second / rate; l.took < least {
		t.Errorf("took %v, want at least %v", l.took, least)
	}
}

func TestSinkHoldsCards(t *testing.T) {
	t.Parallel()
	s, err := startSink(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	release := s.hold()
	answered := make(chan struct{})
	go func() {
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/actions/1", http.NoBody))
		close(answered)
	}()
	if s.await(t.Context(), 1, 20*time.Millisecond) {
		t.Error("a held card went through")
	}
	release()
	<-answered
	if !s.await(t.Context(), 1, time.Second) {
		t.Error("the card was lost")
	}
}

func TestInterleaved(t *testing.T) {
	t.Parallel()
	for round, want := range []string{"abc", "cba", "abc"} {
		var got strings.Builder
		var steps []func() error
		for _, name := range []string{"a", "b", "c"} {
			steps = append(steps, func() error { got.WriteString(name); return nil })
		}
		if err := interleaved(round, steps...); err != nil || got.String() != want {
			t.Errorf("round %d: %q, %v", round, got.String(), err)
		}
	}
}

func TestFreeAddressIsFree(t *testing.T) {
	t.Parallel()
	address, err := freeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if listens(t.Context(), address) {
		t.Error("somebody listens")
	}
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Skip("taken meanwhile")
	}
	defer func() { _ = l.Close() }()
	if !listens(t.Context(), address) {
		t.Error("nobody listens")
	}
}
