package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// begin is when the tests take place.
func begin() time.Time { return time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC) }

type fixedClock struct{}

func (fixedClock) Now() time.Time { return begin() }

type fakePassages struct {
	mu       sync.Mutex
	passage  core.Passage
	link     string
	look     error
	follow   error
	followed int
}

func (f *fakePassages) Look(_ context.Context, token string) (core.Passage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token != testToken {
		return core.Passage{}, core.ErrNotFound
	}
	return f.passage, f.look
}

func (f *fakePassages) Follow(_ context.Context, token string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token != testToken {
		return "", core.ErrNotFound
	}
	if f.follow != nil {
		return "", f.follow
	}
	f.followed++
	f.passage.State = core.HandoffFollowed
	return f.link, nil
}

type fakeLinks struct {
	request   core.EmailRequest
	look      error
	confirm   error
	confirmed int
}

func (f *fakeLinks) Look(_ context.Context, token string) (core.EmailRequest, error) {
	if token != testToken {
		return core.EmailRequest{}, core.ErrNotFound
	}
	return f.request, f.look
}

func (f *fakeLinks) Confirm(_ context.Context, token string) error {
	if token != testToken {
		return core.ErrNotFound
	}
	if f.confirm != nil {
		return f.confirm
	}
	f.confirmed++
	f.request.Verification.State, f.request.Dead = core.VerificationUsed, true
	return nil
}

// site is the pages with what stands behind them.
type site struct {
	passages *fakePassages
	links    *fakeLinks
	shares   *fakeShares
	verifier *fakeVerifier
	certs    *fakeCertificates
	roles    *fakeRoles
	mux      *http.ServeMux
	log      *bytes.Buffer
	registry *prometheus.Registry
}

func testEmail() core.Email { return core.Email{Shown: testAddress, Normal: testAddress} }

// readCatalog reads the texts once for all sites: they never change.
var readCatalog = sync.OnceValues(chat.NewCatalog)

func newSite(t testing.TB, change func(*Config)) *site {
	t.Helper()
	catalog, err := readCatalog()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		passages: &fakePassages{link: acceptLink, passage: core.Passage{
			State: core.HandoffOpen, ExpiresAt: begin().Add(87 * time.Second), Provider: "Credly",
			Badge: core.Badge{
				Stage: core.StagePending, Recipient: testEmail(),
				Template: core.Template{Name: "Certified Example Professional, Foundation Level", ImageURL: "https://images.example.com/picture.png"},
			},
		}},
		links: &fakeLinks{request: core.EmailRequest{Verification: core.Verification{
			Email: testEmail(), State: core.VerificationOpen,
			Account: core.Account{DisplayName: "Ada Example", Identity: core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}},
		}}},
		shares: newFakeShares(), verifier: newFakeVerifier(), certs: newFakeCertificates(), roles: &fakeRoles{result: core.RolesTold},
		mux: http.NewServeMux(), log: &bytes.Buffer{}, registry: prometheus.NewRegistry(),
	}
	c := Config{
		Passages: s.passages, Links: s.links, Shares: s.shares, Verifier: s.verifier, VerdictPictures: s.verifier, Gallery: s.verifier, Certificates: s.certs, Roles: s.roles, RolesAt: rolesOrigin,
		Catalog: catalog, Clock: fixedClock{}, PublicURL: testPublic,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Metrics: s.registry,
	}
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.nonce = func() string { return "TESTNONCE" }
	p.Routes(s.mux)
	return s
}

func (s *site) do(t testing.TB, method, path string, header http.Header, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

func (s *site) get(t testing.TB, path, language string) *httptest.ResponseRecorder {
	t.Helper()
	return s.do(t, http.MethodGet, path, http.Header{"Accept-Language": {language}}, "")
}
