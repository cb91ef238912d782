package portalsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

// vectorSecret is the published test value of the specification's libraries.
const vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func TestSignPublishedVector(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{vectorSecret, strings.TrimPrefix(vectorSecret, "whsec_")} {
		s, err := portalsim.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
		if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
			t.Errorf("signature %s", got)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", "whsec_!!", "whsec_" + strings.Repeat("AAAA", 22)} {
		if _, err := portalsim.NewSigner(bad); err == nil {
			t.Errorf("secret of %d characters was taken", len(bad))
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s, err := portalsim.NewSigner(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"x"}`)
	tests := []struct {
		name   string
		change func(http.Header)
		want   error
	}{
		{"good", func(http.Header) {}, nil},
		{"no id", func(h http.Header) { h.Del(portalsim.HeaderID) }, portalsim.ErrHeaders},
		{"no timestamp", func(h http.Header) { h.Del(portalsim.HeaderTimestamp) }, portalsim.ErrHeaders},
		{"no signature", func(h http.Header) { h.Del(portalsim.HeaderSignature) }, portalsim.ErrHeaders},
		{"word as timestamp", func(h http.Header) { h.Set(portalsim.HeaderTimestamp, "now") }, portalsim.ErrHeaders},
		{"empty signature", func(h http.Header) { h.Set(portalsim.HeaderSignature, "v1,") }, portalsim.ErrSignature},
		{"other id", func(h http.Header) { h.Set(portalsim.HeaderID, "msg_other") }, portalsim.ErrSignature},
		{"several", func(h http.Header) {
			h.Set(portalsim.HeaderSignature, "v1a,xxx v1,Zm9v "+h.Get(portalsim.HeaderSignature))
		}, nil},
		{"5 min old", at(s, body, -5*time.Minute), nil},
		{"5 min 1 s old", at(s, body, -5*time.Minute-time.Second), portalsim.ErrTimestamp},
		{"5 min 1 s ahead", at(s, body, 5*time.Minute+time.Second), portalsim.ErrTimestamp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set(portalsim.HeaderID, "msg_1")
			at(s, body, 0)(h)
			tt.change(h)
			if err := s.Verify(h, body, start); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func at(s *portalsim.Signer, body []byte, offset time.Duration) func(http.Header) {
	return func(h http.Header) {
		when := start.Add(offset)
		h.Set(portalsim.HeaderTimestamp, strconv.FormatInt(when.Unix(), 10))
		h.Set(portalsim.HeaderSignature, s.Sign("msg_1", when, body))
	}
}

// receiver is the other side: it checks with the specification's own library.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  []string
	ids     []string
	results []error
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	check, err := standardwebhooks.NewWebhook(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		// The library knows only real time, so it checks the rest.
		err = check.VerifyIgnoringTimestamp(body, req.Header)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies, r.results = append(r.bodies, string(body)), append(r.results, err)
		r.ids = append(r.ids, req.Header.Get(portalsim.HeaderID))
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func newPortal(t *testing.T, target string) (*portalsim.Server, *simclock.Clock) {
	t.Helper()
	clock := simclock.NewFrozen(start)
	s, err := portalsim.Start(portalsim.Config{Clock: clock, Secret: vectorSecret, TargetURL: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, clock
}

func TestAwards(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	s, clock := newPortal(t, r.URL)
	ctx := t.Context()
	award := portalsim.Award{
		ID: "award-1", Email: "ada@example.org", FirstName: "Ada", LastName: "Example", Locale: "de", TemplateID: "tpl-1",
		ExpiresAt: start.AddDate(5, 0, 0), CertificateNumber: "C-1", CertificateURL: "https://example.org/c/1",
	}
	m, err := s.Grant(ctx, award)
	if err != nil || m.Status() != http.StatusOK {
		t.Fatalf("grant: %+v %v", m, err)
	}
	want := `{"type":"award.granted","timestamp":"2026-11-02T09:00:00Z","data":{"award_id":"award-1","recipient":{"email":"ada@example.org","first_name":"Ada","last_name":"Example","locale":"de"},"badge_template_id":"tpl-1","issued_at":"2026-11-02T09:00:00Z","expires_at":"2031-11-02T09:00:00Z","certificate":{"number":"C-1","url":"https://example.org/c/1"}}}`
	if r.bodies[0] != want {
		t.Errorf("body %s", r.bodies[0])
	}
	clock.Advance(time.Hour)
	award.LastName = "Sample"
	if _, err := s.Change(ctx, award); err != nil {
		t.Fatal(err)
	}
	if got := s.Awards(); len(got) != 1 || got[0].LastName != "Sample" || !got[0].IssuedAt.Equal(start) {
		t.Errorf("awards %+v", got)
	}
	if _, err := s.Withdraw(ctx, "award-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Withdraw(ctx, "award-1"); !errors.Is(err, portalsim.ErrUnknown) {
		t.Errorf("withdrawn twice: %v", err)
	}
	if _, err := s.Grant(ctx, portalsim.Award{Email: "Ada@example.org", TemplateID: "tpl-2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ErasePerson(ctx, "ada@example.org"); err != nil {
		t.Fatal(err)
	}
	if len(s.Awards()) != 0 || !strings.HasSuffix(r.bodies[4], `"data":{"email":"ada@example.org"}}`) {
		t.Errorf("erased: %v %s", s.Awards(), r.bodies[4])
	}
	// Again: the same message, signed at its own time.
	if _, err := s.Redeliver(ctx, m.ID); err != nil {
		t.Fatal(err)
	}
	if r.bodies[5] != want || r.ids[5] != m.ID {
		t.Errorf("redelivered %s %s", r.ids[5], r.bodies[5])
	}
	for i, err := range r.results {
		if err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

func TestUnusualMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opt  portalsim.Option
		want int
	}{
		{"wrong signature", portalsim.WithWrongSignature(), http.StatusUnauthorized},
		{"old", portalsim.WithAge(6 * time.Minute), http.StatusUnauthorized},
		{"from tomorrow", portalsim.WithTimestamp(start.AddDate(0, 0, 1)), http.StatusUnauthorized},
		{"without id", portalsim.WithoutHeader(portalsim.HeaderID), http.StatusUnauthorized},
		{"no event", portalsim.WithBody([]byte(`[]`)), http.StatusBadRequest},
		{"several signatures", portalsim.WithExtraSignatures("v1,Zm9v"), http.StatusNoContent},
		{"own id", portalsim.WithID("msg_own"), http.StatusNoContent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// The portal receives what a portal sends: both sides at once.
			s, _ := newPortal(t, "")
			s.SetTargetURL(s.EventsURL())
			m, err := s.Grant(t.Context(), portalsim.Award{Email: "ada@example.org"}, tt.opt)
			if err != nil || m.Status() != tt.want {
				t.Errorf("status %d, want %d: %v", m.Status(), tt.want, err)
			}
			if taken := len(s.Received()) == 1; taken != (tt.want == http.StatusNoContent) || taken == (len(s.Refused()) == 1) {
				t.Errorf("received %v, refused %v", s.Received(), s.Refused())
			}
		})
	}
}

func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	s, _ := newPortal(t, r.URL)
	ctx := t.Context()
	s.Hold()
	var ids []string
	for _, email := range []string{"a@example.org", "b@example.org", "c@example.org"} {
		m, err := s.Grant(ctx, portalsim.Award{Email: email})
		if err != nil || !m.Held {
			t.Fatalf("held: %+v %v", m, err)
		}
		ids = append(ids, m.ID)
	}
	if err := s.Release(ctx, 2, 0, 2); err != nil {
		t.Fatal(err)
	}
	if want := []string{ids[2], ids[0], ids[2], ids[1]}; !slices.Equal(r.ids, want) {
		t.Errorf("order %v, want %v", r.ids, want)
	}
}

func TestReceives(t *testing.T) {
	t.Parallel()
	s, clock := newPortal(t, "")
	library, err := standardwebhooks.NewWebhook(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"badge.accepted","timestamp":"2026-11-02T09:00:00Z","data":{"award_id":"award-1"}}`)
	post := func(id string) (int, error) {
		now := clock.Now()
		signature, err := library.Sign(id, now, body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.EventsURL(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(portalsim.HeaderID, id)
		req.Header.Set(portalsim.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		req.Header.Set(portalsim.HeaderSignature, signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	s.Fail(portalsim.Fault{Status: http.StatusServiceUnavailable, RetryAfter: time.Second})
	if status, err := post("msg_1"); err != nil || status != http.StatusServiceUnavailable || len(s.Received()) != 0 {
		t.Errorf("fault: %d %v", status, err)
	}
	s.Fail(portalsim.Fault{DropAnswer: true, Delay: time.Millisecond})
	if _, err := post("msg_1"); err == nil {
		t.Error("an answer came")
	}
	s.Fail(portalsim.Fault{DropBefore: true})
	if _, err := post("msg_2"); err == nil {
		t.Error("an answer came")
	}
	clock.Advance(time.Hour)
	for _, id := range []string{"msg_1", "msg_2"} {
		if status, err := post(id); err != nil || status != http.StatusNoContent {
			t.Errorf("%s: %d %v", id, status, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Eventually(ctx, func() bool { return len(s.Received()) == 2 }); err != nil {
		t.Fatal(err)
	}
	got := s.Received()[0]
	if got.ID != "msg_1" || got.Times != 2 || got.Type != "badge.accepted" || string(got.Data) != `{"award_id":"award-1"}` || got.LastAt.Sub(got.FirstAt) != time.Hour {
		t.Errorf("event %+v", got)
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	s, _ := newPortal(t, r.URL)
	console := httptest.NewServer(s.ConsoleHandler())
	t.Cleanup(console.Close)
	call := func(method, path, body string) (int, map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), method, console.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var got map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, got
	}
	if status, got := call(http.MethodPost, "/actions/grant", `{"award":{"award_id":"award-1","email":"ada@example.org"}}`); status != http.StatusOK {
		t.Errorf("grant: %d %v", status, got)
	}
	if status, _ := call(http.MethodPost, "/actions/withdraw", `{"id":"none"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("withdraw nothing: %d", status)
	}
	status, got := call(http.MethodGet, "/state", "")
	if status != http.StatusOK || len(got["awards"].([]any)) != 1 || len(got["sent"].([]any)) != 1 {
		t.Errorf("state: %d %v", status, got)
	}
}
