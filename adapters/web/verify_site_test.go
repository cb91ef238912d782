package web

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// fakeVerifier has one verdict and one picture.
type fakeVerifier struct {
	mu      sync.Mutex
	verdict core.Verdict
	asked   []core.BadgeQuery
	png     []byte
	picture error
	// left is how long the last verification may take, with its picture.
	left time.Duration
	// hold keeps every verification until it is closed; began tells of each
	// that is kept.
	hold, began chan struct{}
}

func newFakeVerifier() *fakeVerifier {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return &fakeVerifier{png: b.Bytes(), verdict: someVerdict()}
}

func (f *fakeVerifier) Verify(ctx context.Context, q core.BadgeQuery) core.Verdict {
	f.mu.Lock()
	f.asked = append(f.asked, q)
	if end, ok := ctx.Deadline(); ok {
		f.left = time.Until(end)
	}
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		f.began <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.verdict
	v.CheckedAt = begin()
	return v
}

func (f *fakeVerifier) become(v core.Verdict) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.verdict = v
}

func (f *fakeVerifier) last() core.BadgeQuery {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[len(f.asked)-1]
}

func (f *fakeVerifier) VerdictPicture(ctx context.Context, _ string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if end, ok := ctx.Deadline(); !ok || time.Until(end) > f.left {
		f.left = 0
	}
	return f.png, f.picture
}

// Picture is that of the gallery.
func (f *fakeVerifier) Picture(_ context.Context, token string) ([]byte, error) {
	if token != testToken {
		return nil, core.ErrNotFound
	}
	return f.png, f.picture
}

func verifyScenes() []scene {
	const v = "/v/" + testToken
	fails := func(err error) func(*site) { return func(x *site) { x.verifier.picture = err } }
	list := []scene{
		{"verify_form", http.MethodGet, "/verify", 200, nil},
		{"verify_filled", http.MethodGet, "/verify?badge=+https://example.org/a%22b+", 200, nil},
		{"verify_not_filled", http.MethodGet, "/verify?badge=javascript:alert(1)", 200, nil},
		{"verify_put", http.MethodPut, "/verify", 405, nil},
		{"verify_nothing", http.MethodPost, "/verify", 415, nil},
		{"verdict_picture_unknown", http.MethodGet, "/v/forged", 404, nil},
		{"verdict_picture_gone", http.MethodGet, v, 410, fails(core.ErrGone)},
		{"verdict_picture_unreachable", http.MethodGet, v, 503, fails(core.ErrUnreachable)},
		{"verdict_picture_broken", http.MethodGet, v, 500, fails(context.Canceled)},
		{"verdict_picture_posted", http.MethodPost, v, 405, nil},
	}
	return list
}

func TestVerdictPictureHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	h := s.get(t, "/v/"+testToken, "").Header()
	if h.Get("Cache-Control") != "public, max-age=3600" || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" ||
		h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers: %v", h)
	}
	for range turnBurst {
		s.get(t, "/v/"+testToken, "")
	}
	if w := s.get(t, "/v/"+testToken, ""); w.Code != http.StatusTooManyRequests {
		t.Errorf("used too often: %d", w.Code)
	}
}

// someVerdict is a genuine badge with everything that a verdict can hold.
func someVerdict() core.Verdict {
	return core.Verdict{
		Status: core.VerdictGenuine, Version: "2.0", ID: "https://api.example.org/badges/1",
		Issuer:    core.VerifiedIssuer{ID: "https://api.example.org/issuers/1", Name: "Example Body", URL: "https://www.example.org/", Confirmed: true},
		Recipient: core.VerifiedRecipient{Kind: "email", Hash: "sha256$b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe210"},
		Achievement: core.VerifiedAchievement{
			Name: "Certified Example Professional", Description: "Leads projects.\n\nIn every weather.", Criteria: "https://www.example.org/certification",
			Narrative: "Pass the assessment.", Image: "https://images.example.org/1.png",
		},
		IssuedAt: begin().AddDate(-1, 0, 0), ExpiresAt: begin().AddDate(4, 0, 0),
		Checks: []core.Check{
			{Name: core.CheckInput, Result: core.CheckPassed, Detail: "read at the badge's own address"},
			{Name: core.CheckFormat, Result: core.CheckPassed, Detail: "the rules are kept"},
			{Name: core.CheckFormat, Result: core.CheckWarned, Detail: "the class stands elsewhere"},
			{Name: core.CheckSignature, Result: core.CheckPassed},
			{Name: core.CheckIssuer, Result: core.CheckPassed},
			{Name: core.CheckRevocation, Result: core.CheckNotDone, Detail: "a state for another purpose"},
			{Name: core.CheckRevocation, Result: core.CheckPassed, Detail: "not listed"},
			{Name: core.CheckValidity, Result: core.CheckPassed},
			{Name: core.CheckEndorsement, Result: core.CheckPassed},
		},
		Endorsements: []core.Endorsement{
			{Issuer: "Another Body", Comment: "Good people.", Status: core.VerdictGenuine}, {Status: core.VerdictAltered},
		},
	}
}

// hostile is a badge whose texts want to be the page.
func hostile() core.Verdict {
	const evil = `"><script>alert(1)</script>` + "\u202egnp\x00<img src=x onerror=alert(1)>"
	v := someVerdict()
	v.Status, v.Reason, v.RevocationReason, v.Version, v.ID = core.VerdictRevoked, evil, evil, evil, "javascript:alert(1)"
	v.Issuer = core.VerifiedIssuer{ID: evil, Name: evil, URL: "javascript:alert(1)"}
	v.Recipient.Hash = evil
	v.Achievement = core.VerifiedAchievement{
		Name: evil + strings.Repeat("x", 5000), Description: evil, Narrative: evil, Criteria: "data:text/html,<script>alert(1)</script>",
		Image: evil,
	}
	v.Checks = []core.Check{{Name: "invented", Result: "invented", Detail: evil}, {Name: core.CheckInput, Result: core.CheckFailed, Detail: evil}}
	v.Endorsements = []core.Endorsement{{Issuer: evil, Comment: evil, Status: "invented"}}
	return v
}
