package portal

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core/inbox"
)

func TestReceiver(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	box := &fakeInbox{}
	reg := prometheus.NewRegistry()
	h, err := NewReceiver(ReceiverConfig{
		Secret: testSecret, Inbox: box, Clock: fixedClock{testTime}, Metrics: reg,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Routes(mux)
	post := func(id, body string, sign bool) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/portal", strings.NewReader(body))
		if sign {
			mustKeys(t, testSecret).Sign(r.Header, id, testTime, []byte(body))
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	for _, tc := range []struct {
		name, id, body string
		unsigned       bool
		status         int
		want           string
	}{
		{name: "stored", id: "m1", body: grantedBody, status: 200},
		{name: "repeated", id: "m1", body: grantedBody, status: 200},
		{name: "unknown type", id: "m2", body: `{"type":"x.y","timestamp":"2026-11-22","data":{}}`, status: 200},
		{name: "unsigned", id: "m3", body: grantedBody, unsigned: true, status: 401, want: "signature"},
		{name: "malformed", id: "m4", body: strings.Replace(grantedBody, "Ada.Example@Example.org", "Ada.Example", 1), status: 400, want: "data.recipient.email is not an e-mail address"},
		{name: "future", id: "m5", body: strings.Replace(grantedBody, "2026-11-22T11", "2026-11-23T11", 1), status: 400, want: "future"},
		{name: "too large", id: "m6", body: strings.Repeat(" ", maxBody) + grantedBody, status: 413, want: "larger"},
		{name: "long id", id: strings.Repeat("m", 201), body: grantedBody, status: 400, want: "webhook-id"},
	} {
		w := post(tc.id, tc.body, !tc.unsigned)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("%s: %d %s, want %d %s", tc.name, w.Code, w.Body, tc.status, tc.want)
		}
	}
	want := inbox.Message{Source: "portal", Key: "m1", Kind: inbox.KindPortalEvent, Payload: grantedBody}
	if len(box.all) != 1 || box.all[0] != want {
		t.Errorf("stored %+v", box.all)
	}
	box.fail = true
	if w := post("m7", grantedBody, true); w.Code != http.StatusServiceUnavailable {
		t.Errorf("store gone: %d", w.Code)
	}
	if strings.Contains(log.String(), "Ada") || strings.Contains(log.String(), "xample.org") {
		t.Errorf("log holds personal data: %s", log.String())
	}
	for _, result := range []string{"stored", "repeated", "unknown_type", "bad_signature", "not_stored"} {
		if n := counted(t, reg, result); n != 1 {
			t.Errorf("counter %s = %v", result, n)
		}
	}
	if _, err := NewReceiver(ReceiverConfig{Secret: testSecret, Inbox: box, Clock: fixedClock{testTime}, Metrics: reg}); err != nil {
		t.Errorf("second receiver: %v", err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/webhooks/portal", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestReceiverStaleSignature(t *testing.T) {
	t.Parallel()
	h, err := NewReceiver(ReceiverConfig{Secret: testSecret, Inbox: &fakeInbox{}, Clock: fixedClock{testTime}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/portal", strings.NewReader(grantedBody))
	mustKeys(t, testSecret).Sign(r.Header, "m1", testTime.Add(-6*time.Minute), []byte(grantedBody))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}

// counted returns the counter of one result.
func counted(t *testing.T, reg *prometheus.Registry, result string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == result {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}
