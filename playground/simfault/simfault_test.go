package simfault_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	var orders simfault.Orders[string]
	take := func(prefix string) string {
		fault, ok := orders.Take(func(f string) bool { return strings.HasPrefix(f, prefix) })
		if !ok {
			return "none"
		}
		return fault
	}
	once, twice, always := orders.Add("a once", 0), orders.Add("a twice", 2), orders.Add("b always", -1)
	for i, want := range []string{"a once", "a twice", "a twice", "none"} {
		if got := take("a"); got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
	for range 3 {
		if got := take("b"); got != "b always" {
			t.Errorf("%q", got)
		}
	}
	always.Cancel()
	if got := take(""); got != "none" {
		t.Errorf("after it was cancelled: %q", got)
	}
	if once.Served() != 1 || twice.Served() != 2 || always.Served() != 3 {
		t.Errorf("served %d, %d, %d", once.Served(), twice.Served(), always.Served())
	}
	orders.Add("c", -1)
	orders.Clear()
	if got := take(""); got != "none" {
		t.Errorf("after all were cleared: %q", got)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if !simfault.Pause(ended, 0) || simfault.Pause(ended, time.Hour) || !simfault.Pause(t.Context(), time.Nanosecond) {
		t.Error("a pause lasts as long as asked, or as its context")
	}
}

func TestHangUp(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { simfault.HangUp(w) }))
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %s", resp.Status)
	}
}
