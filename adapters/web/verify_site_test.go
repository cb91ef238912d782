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

	"github.com/laurelbot/laurel/core"
)

// fakeVerifier has one verdict and one picture.
type fakeVerifier struct {
	mu      sync.Mutex
	verdict core.Verdict
	asked   []core.BadgeQuery
	png     []byte
	picture error
	// hold keeps every verification until it is closed.
	hold chan struct{}
}

func newFakeVerifier() *fakeVerifier {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return &fakeVerifier{png: b.Bytes()}
}

func (f *fakeVerifier) Verify(ctx context.Context, q core.BadgeQuery) core.Verdict {
	f.mu.Lock()
	f.asked = append(f.asked, q)
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
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

func (f *fakeVerifier) VerdictPicture(context.Context, string) ([]byte, error) {
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
	return []scene{
		{"verdict_picture_unknown", http.MethodGet, "/v/forged", 404, nil},
		{"verdict_picture_gone", http.MethodGet, v, 410, fails(core.ErrGone)},
		{"verdict_picture_unreachable", http.MethodGet, v, 503, fails(core.ErrUnreachable)},
		{"verdict_picture_broken", http.MethodGet, v, 500, fails(context.Canceled)},
		{"verdict_picture_posted", http.MethodPost, v, 405, nil},
	}
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
