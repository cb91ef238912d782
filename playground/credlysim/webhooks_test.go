package credlysim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/credlysim"
)

// listener is a webhook endpoint that answers as told.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies [][]byte
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{status: http.StatusOK}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.bodies = append(l.bodies, body)
		w.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *listener) types(t *testing.T) []string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, b := range l.bodies {
		var got struct {
			Type string `json:"event_type"`
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Type)
	}
	l.bodies = nil
	return all
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	l := newListener(t)
	w.SetWebhookURL(l.URL)
	ctx := t.Context()

	id := w.issue("ada@example.org", "")
	w.Tick(ctx)
	var delivered, sample map[string]any
	if err := json.Unmarshal(l.bodies[0], &delivered); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(refdata.Read(t, "credly", "docs-examples", "webhook_delivery.json"), &sample); err != nil {
		t.Fatal(err)
	}
	for k := range sample {
		if delivered[k] == nil {
			t.Errorf("webhook lacks %s", k)
		}
	}
	if len(delivered) != len(sample) {
		t.Errorf("webhook has more than documented: %v", delivered)
	}
	if status, got := w.call(http.MethodGet, "/events/"+delivered["id"].(string), nil); status != http.StatusOK || got["data"].(map[string]any)["badge"] == nil {
		t.Errorf("event: %d %v", status, got)
	}
	l.types(t)

	// 204 is a failure, and the pauses grow.
	l.answer(http.StatusNoContent)
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		advance time.Duration
		want    int
	}{{0, 1}, {59 * time.Second, 0}, {time.Second, 1}, {4 * time.Minute, 0}, {time.Minute, 1}} {
		w.clock.Advance(step.advance)
		if got := w.Tick(ctx); got != step.want {
			t.Errorf("after %s: %d sent, want %d", step.advance, got, step.want)
		}
	}
	l.answer(http.StatusOK)
	w.clock.Advance(time.Hour)
	w.Tick(ctx)
	if log := w.Deliveries(); len(log) != 2 || log[1].Stage != credlysim.DeliveryDelivered || len(log[1].Attempts) != 4 {
		t.Errorf("log: %+v", log)
	}
	l.types(t)

	w.HoldWebhooks()
	for _, public := range []bool{true, false} {
		if err := w.SetPublic(id, public); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Revoke(id, ""); err != nil {
		t.Fatal(err)
	}
	if n := w.Tick(ctx); n != 0 {
		t.Errorf("%d sent while held", n)
	}
	n, err := w.ReleaseWebhooks(ctx, credlysim.Release{Order: []int{1, 2}, Reversed: true, Doubled: true})
	if err != nil || n != 6 {
		t.Errorf("released %d: %v", n, err)
	}
	want := []string{
		"badge.privacy.changed", "badge.privacy.changed", "badge.state.changed", "badge.state.changed",
		"badge.privacy.changed", "badge.privacy.changed",
	}
	if got := l.types(t); !slices.Equal(got, want) {
		t.Errorf("order %v", got)
	}

	w.DropWebhooks(true)
	w.issue("lost@example.org", "")
	w.DropWebhooks(false)
	w.clock.Advance(time.Hour)
	if n := w.Tick(ctx); n != 0 {
		t.Errorf("%d sent of what was dropped", n)
	}

	l.answer(http.StatusInternalServerError)
	w.issue("never@example.org", "")
	for range 40 {
		w.Tick(ctx)
		w.clock.Advance(24 * time.Hour)
	}
	log := w.Deliveries()
	if last := log[len(log)-1]; last.Stage != credlysim.DeliveryGivenUp {
		t.Errorf("after 40 days: %s", last.Stage)
	}
}

func TestWebhooksInBackground(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	w := newWorld(t, func(c *credlysim.Config) { c.ManualWebhooks = false; c.WebhookURL = l.URL })
	l.answer(http.StatusServiceUnavailable)
	w.issue("ada@example.org", "")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	last := func() credlysim.Delivery { log := w.Deliveries(); return log[len(log)-1] }
	if err := w.Eventually(ctx, func() bool { return len(last().Attempts) == 1 }); err != nil {
		t.Fatal(err)
	}
	l.answer(http.StatusOK)
	w.clock.Advance(time.Hour)
	if err := w.Eventually(ctx, func() bool { return last().Stage == credlysim.DeliveryDelivered }); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.Fail(credlysim.Fault{Method: http.MethodPost, Path: "/badges", Times: 2, Status: http.StatusTooManyRequests, Body: `{}`, RetryAfter: 3 * time.Second})
	for range 2 {
		if status, _ := w.call(http.MethodPost, "/badges", award(w.tpl.ID, "a@example.org", "")); status != http.StatusTooManyRequests {
			t.Errorf("status %d", status)
		}
	}
	w.issue("a@example.org", "")

	w.Fail(credlysim.Fault{Method: http.MethodPost, DropAnswer: true})
	body, err := json.Marshal(award(w.tpl.ID, "b@example.org", ""))
	if err != nil {
		t.Fatal(err)
	}
	post := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.APIURL()+"/organizations/"+orgID+"/badges", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth(token, "")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	if err := post(); err == nil {
		t.Error("an answer came though it was to be lost")
	}
	if n := len(w.BadgesFor("b@example.org")); n != 1 {
		t.Errorf("%d badges after a lost answer", n)
	}
	w.Fail(credlysim.Fault{Method: http.MethodPost, DropBefore: true})
	if err := post(); err == nil {
		t.Error("an answer came though the connection was to be cut")
	}
	if n := w.ServedBy()["POST /v1/organizations/{id}/badges"]; n != 5 {
		t.Errorf("served %d", n)
	}
	if w.Served() != 5 || len(w.Wire()) != 5 {
		t.Errorf("served %d, logged %d", w.Served(), len(w.Wire()))
	}
}
