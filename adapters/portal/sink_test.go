package portal

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func testEvent(t testing.TB) core.Event {
	t.Helper()
	return core.Event{
		ID: "evt-1", Type: core.EventAccepted, At: testTime.Add(-time.Minute),
		Badge: core.Badge{
			ID: "b1", AwardID: "A-1", ProviderID: "p1", Template: core.Template{ID: "t1"}, Stage: core.StagePublic,
			Recipient: mustEmail(t, "Ada@Example.org"), BadgeURL: "https://www.credly.com/badges/p1",
			AcceptURL: "https://www.credly.com/go/secret", IssuedAt: testTime.AddDate(0, 0, -1),
		},
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		if err := mustKeys(t, testSecret).Verify(r.Header, body, testTime); err != nil {
			t.Error(err)
		}
		if r.Header.Get("Webhook-Id") != "evt-1" {
			t.Errorf("webhook-id %q", r.Header.Get("Webhook-Id"))
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(srv.Close)
	s, err := NewSink(SinkConfig{URL: srv.URL, Secret: testSecret, Clock: fixedClock{testTime}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), testEvent(t)); err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"type": "badge.accepted", "timestamp": "2026-11-22T11:59:00Z",
		"data": {
			"award_id": "A-1", "badge_id": "p1", "badge_template_id": "t1", "stage": "public",
			"badge_url": "https://www.credly.com/badges/p1", "issued_at": "2026-11-21T12:00:00Z",
			"accepted_at": "2026-11-22T11:59:00Z", "recipient": {"email": "Ada@Example.org"}
		}}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sent %s", body)
	}
}

func TestPublishFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		after  time.Duration
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 0},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("redirect was followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, 0},
		{"seconds", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		}, 7 * time.Second},
		{"date", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", testTime.Add(time.Hour).Format(http.TimeFormat))
			w.Header().Set("Retry-After", testTime.Add(time.Hour+time.Minute).Format(http.TimeFormat))
			w.WriteHeader(503)
		}, time.Minute},
		{"cut", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, 0},
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tc.answer)
			t.Cleanup(srv.Close)
			timeout := publishTimeout
			if tc.name == "slow" {
				timeout = 300 * time.Millisecond
			}
			s, err := NewSink(SinkConfig{URL: srv.URL + "/in?key=hidden", Secret: testSecret, Clock: fixedClock{testTime}, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Publish(t.Context(), testEvent(t))
			if err == nil {
				t.Fatal("no error")
			}
			var retry *core.RetryAfterError
			if errors.As(err, &retry) != (tc.after > 0) || retry != nil && retry.After != tc.after {
				t.Errorf("error %v, want wait %v", err, tc.after)
			}
			for _, secret := range []string{"hidden", "MfKQ9r8G", "xample.org", "go/secret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error holds %q: %v", secret, err)
				}
			}
		})
	}
}

func TestNewSinkRefuses(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "portal", "ftp://portal.example.org", "http://portal.example.org/in", "https://", "://hidden"} {
		if _, err := NewSink(SinkConfig{URL: u, Secret: testSecret, Clock: fixedClock{}}); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %v", u, err)
		}
	}
}
