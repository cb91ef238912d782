package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/bench/seed"
)

func TestOrderTakesEveryBadgeOnce(t *testing.T) {
	t.Parallel()
	o := order{badges: 1000, members: 50}
	seen := map[int]bool{}
	for n := range o.badges {
		badge := o.badge(n)
		if badge < 1 || badge > o.badges || seen[badge] {
			t.Fatalf("press %d: badge %d is out of range or comes again", n, badge)
		}
		seen[badge] = true
		if owner := o.owner(badge); owner < 1 || owner > o.members {
			t.Fatalf("badge %d: owner %d is out of range", badge, owner)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := options{badges: 1000, members: 50, rounds: 1, slice: time.Second, connections: 1}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*options){
		"badges share a divisor": func(o *options) { o.badges = 1002 },
		"too few badges":         func(o *options) { o.badges = 10 },
		"more people":            func(o *options) { o.members = 1001 },
		"no rounds":              func(o *options) { o.rounds = 0 },
		"no connections":         func(o *options) { o.connections = 0 },
		"part of a second":       func(o *options) { o.slice = 1500 * time.Millisecond },
	} {
		o := good
		spoil(&o)
		if o.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestScriptIsTheStatement(t *testing.T) {
	t.Parallel()
	script, err := claimScript(sqlstore.ClaimStatement(), order{badges: 1000, members: 50})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(script, "$") {
		t.Error("an argument is left")
	}
	for _, part := range []string{`\set badge (:n * 420489) % 1000 + 1`, ":now::bigint", "lpad(:badge::text, 12, '0')", "'badge.claim'"} {
		if !strings.Contains(script, part) {
			t.Errorf("the script lacks %q", part)
		}
	}
	known := []string{"badge", "base", "client_id", "i", "n", "now", "owner", "place", "platform", "tenant", "until", "yes"}
	for _, variable := range regexp.MustCompile(`(?:^|[^:]):([a-z]\w*)`).FindAllStringSubmatch(script, -1) {
		if !slices.Contains(known, variable[1]) {
			t.Errorf("pgbench would see a variable %q", variable[1])
		}
	}
	if _, err := claimScript("SELECT $14", order{badges: 1000, members: 50}); err == nil {
		t.Error("an unknown argument was accepted")
	}
}

func TestParsePgbench(t *testing.T) {
	t.Parallel()
	n, perSecond, err := parsePgbench("scaling factor: 1\nnumber of transactions actually processed: 8763\n" +
		"latency average = 6.1 ms\ntps = 2190.512345 (without initial connection time)\n")
	if err != nil || n != 8763 || perSecond != 2190.512345 {
		t.Errorf("got %d, %v, %v", n, perSecond, err)
	}
	if _, _, err := parsePgbench("pgbench: nothing"); err == nil {
		t.Error("no figures were accepted")
	}
}

func TestPressOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct {
		press       int
		discord, ok bool
	}{
		"/actions/17": {17, false, true},
		"/api/v9/webhooks/910000000000000001/bench.42/messages/@original": {42, true, true},
		"/api/users.info": {},
		"/actions/-1":     {},
		"/actions/none":   {},
	} {
		press, discord, ok := pressOf(path)
		if ok != want.ok || ok && (press != want.press || discord != want.discord) {
			t.Errorf("%s: got %d, %v, %v", path, press, discord, ok)
		}
	}
}

func TestSinkCountsCardsOnce(t *testing.T) {
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
	for _, path := range []string{"/actions/1", "/actions/2", "/actions/2", "/api/users.info"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{}")))
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if cards, twice := s.cards.Load(), s.twice.Load(); cards != 2 || twice != 1 {
		t.Errorf("%d cards, %d twice; want 2 and 1", cards, twice)
	}
	if !s.await(t.Context(), 2, time.Second) || s.await(t.Context(), 3, 10*time.Millisecond) {
		t.Error("waiting for cards is wrong")
	}
}

func TestSlackRequest(t *testing.T) {
	t.Parallel()
	o := order{badges: 1000, members: 50}
	from := newSlackPresses(o, "127.0.0.1:1", "secret", "http://127.0.0.1:2")
	head, body, ok := strings.Cut(string(from.request(7, time.Unix(1_700_000_000, 0))), "\r\n\r\n")
	if !ok || !strings.Contains(head, "X-Slack-Request-Timestamp: 1700000000\r\n") {
		t.Fatalf("head:\n%s", head)
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	text := form.Get("payload")
	if len(text) < 1800 || len(text) > 2100 || strings.ContainsAny(text, "\n") || strings.Contains(text, "{press}") {
		t.Errorf("payload of %d bytes:\n%s", len(text), text)
	}
	var payload struct {
		ResponseURL string `json:"response_url"`
		User        struct {
			ID string `json:"id"`
		} `json:"user"`
		Actions []struct {
			Value string `json:"value"`
		} `json:"actions"`
	}
	if err := json.Unmarshal([]byte(text), &payload); err != nil {
		t.Fatal(err)
	}
	badge := o.badge(7)
	if payload.ResponseURL != "http://127.0.0.1:2/actions/7" || payload.User.ID != seed.SlackUser(o.owner(badge)) ||
		len(payload.Actions) != 1 || payload.Actions[0].Value != "claim:"+seed.BadgeID(badge) {
		t.Errorf("payload: %+v", payload)
	}
}

func TestFiguresOfProcesses(t *testing.T) {
	t.Parallel()
	got, err := parseTimes("42 (a) b) S 7 42 42 0 -1 0 0 0 0 0 250 50 10 20 20 0 5 0 0 0 0\n")
	if want := (times{parent: 7, own: 3 * time.Second, ended: 300 * time.Millisecond}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseTimes("42 (a) S 7"); err == nil {
		t.Error("a short line was accepted")
	}
	memory, err := parseMemory("Name:\tbot\nVmHWM:\t   50000 kB\nVmRSS:\t   40000 kB\n")
	if want := (resident{now: 40.96, most: 51.2}); err != nil || memory != want {
		t.Errorf("got %+v, %v; want %+v", memory, err, want)
	}
	if _, err := parseMemory("Name:\tbot\n"); err == nil {
		t.Error("no figures were accepted")
	}
}

func TestMedianAndQuantile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
	var values []time.Duration
	for i := range 100 {
		values = append(values, time.Duration(100-i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("quantile of nothing is %v", got)
	}
}

func TestRunRefusesWrongFlags(t *testing.T) {
	t.Parallel()
	if err := run(context.Background(), options{}, &bytes.Buffer{}); err == nil {
		t.Error("accepted")
	}
}
