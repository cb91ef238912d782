package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	testPicturePath = "/b/" + testToken + ".png"
	testSignPath    = "/s/" + testToken + ".20790"
	testBadgeURL    = "https://www.credly.com/badges/made-up"
)

// fakeShares takes links of every outlet whose token is the test's.
type fakeShares struct {
	mu        sync.Mutex
	badge     core.Badge
	signature core.SignatureView
	address   string
	look      error
	note      error
	noted     []core.Outlet
	looked    int
}

func newFakeShares() *fakeShares {
	f := &fakeShares{address: "https://images.credly.com/made-up.png"}
	f.badge = core.Badge{
		ID: "b1", Stage: core.StagePublic, BadgeURL: testBadgeURL, ProviderID: "p1", IssuedAt: begin(),
		Template: core.Template{Name: "Führung & Größe"},
	}
	for _, name := range []string{"Certified Example Professional, Foundation Level", "Führung & Größe", `Evil "><script>alert(1)</script>`, "資格"} {
		b := f.badge
		b.Template.Name = name
		f.signature.Badges = append(f.signature.Badges, core.SignedBadge{Badge: b, Picture: testToken})
	}
	f.signature.Badges[3].Picture = ""
	f.signature.Name = "Ada Example"
	return f
}

func (f *fakeShares) Look(_ context.Context, token string) (core.Sharing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked++
	if f.look != nil {
		return core.Sharing{}, f.look
	}
	for _, o := range core.AllOutlets() {
		if token == string(o)+"."+testToken {
			return core.Sharing{Outlet: o, Badge: f.badge, Showing: core.Showing{
				Name: f.badge.Template.Name, URL: f.badge.BadgeURL, IssuedAt: f.badge.IssuedAt, CredentialID: "p1",
				Issuer: core.Issuer{Name: "Example Body", LinkedInID: "7"},
			}}, nil
		}
	}
	return core.Sharing{}, core.ErrNotFound
}

func (f *fakeShares) Note(_ context.Context, s core.Sharing) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noted = append(f.noted, s.Outlet)
	return f.note
}

func (f *fakeShares) Picture(_ context.Context, token string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked++
	if token != testToken {
		return "", core.ErrNotFound
	}
	return f.address, f.look
}

func (f *fakeShares) Signature(_ context.Context, token string) (core.SignatureView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if "/s/"+token != testSignPath {
		return core.SignatureView{}, core.ErrNotFound
	}
	return f.signature, f.look
}

func sharePath(o core.Outlet) string { return "/r/" + string(o) + "." + testToken }

func shareScenes() []scene {
	fails := func(err error) func(*site) { return func(x *site) { x.shares.look = err } }
	mastodon := sharePath(core.OutletMastodon)
	return []scene{
		{"share", http.MethodGet, sharePath(core.OutletProfile), 302, nil},
		{"share_mastodon", http.MethodGet, mastodon, 200, nil},
		{"share_mastodon_wrong", http.MethodPost, mastodon, 422, nil},
		{"share_mail", http.MethodGet, sharePath(core.OutletMail), 200, nil},
		{"share_posted", http.MethodPost, sharePath(core.OutletX), 405, nil},
		{"share_unknown", http.MethodGet, "/r/x.forged", 404, nil},
		{"share_private", http.MethodGet, sharePath(core.OutletX), 410, fails(core.ErrGone)},
		{"share_store_down", http.MethodGet, sharePath(core.OutletX), 503, fails(core.ErrUnavailable)},
		{"sign", http.MethodGet, testSignPath, 200, nil},
		{"sign_posted", http.MethodPost, testSignPath, 200, nil},
		{"sign_empty", http.MethodGet, testSignPath, 200, func(x *site) { x.shares.signature.Badges = nil }},
		{"sign_unknown", http.MethodGet, "/s/forged", 404, nil},
		{"sign_gone", http.MethodGet, testSignPath, 410, fails(core.ErrGone)},
		{"sign_store_down", http.MethodGet, testSignPath, 503, fails(core.ErrUnavailable)},
		{"picture_unknown", http.MethodGet, "/b/forged.png", 404, nil},
		{"picture_gone", http.MethodGet, testPicturePath, 410, fails(core.ErrGone)},
		{"picture_posted", http.MethodPost, testPicturePath, 405, nil},
	}
}

// hands is a clock that tests move.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}
