package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// onePixel is a PNG.
func onePixel() []byte {
	data, _ := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
	return data
}

// gallery is where the provider has its pictures.
type gallery struct {
	*httptest.Server
	asked  atomic.Int32
	answer atomic.Value
}

func newGallery(t testing.TB) *gallery {
	t.Helper()
	g := &gallery{}
	g.set(shows("image/png", onePixel()))
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		if h, ok := g.answer.Load().(http.HandlerFunc); ok {
			h(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gallery) set(h http.HandlerFunc) { g.answer.Store(h) }

func shows(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	g, clock := newGallery(t), &hands{now: begin()}
	s := newSite(t, func(c *Config) { c.Clock = clock })
	s.shares.address = g.URL + "/a.png"
	w := s.get(t, testPicturePath, "")
	h := w.Header()
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), onePixel()) || h.Get("Content-Type") != "image/png" {
		t.Fatalf("%d, %s", w.Code, h)
	}
	if h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("Cache-Control") != "public, max-age=3600" ||
		!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", h)
	}
	again := s.do(t, http.MethodGet, testPicturePath, http.Header{"If-None-Match": {`"x", ` + h.Get("Etag")}}, "")
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 || g.asked.Load() != 1 || s.shares.looked != 1 {
		t.Errorf("again: %d, asked %d, looked %d", again.Code, g.asked.Load(), s.shares.looked)
	}
	// The provider's picture changes, and then it does not answer.
	changed := append(onePixel(), "changed"...)
	g.set(shows("image/png", changed))
	clock.pass(pictureFor)
	if w := s.get(t, testPicturePath, ""); !bytes.Equal(w.Body.Bytes(), changed) {
		t.Error("the picture does not follow the provider's")
	}
	g.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	clock.pass(pictureFor)
	for range 3 {
		if w := s.get(t, testPicturePath, ""); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), changed) {
			t.Errorf("provider away: %d", w.Code)
		}
	}
	if n := g.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	g.set(shows("image/png", onePixel()))
	clock.pass(pictureAgain)
	if w := s.get(t, testPicturePath, ""); !bytes.Equal(w.Body.Bytes(), onePixel()) {
		t.Error("not read again")
	}
}

func TestPictureRefuses(t *testing.T) {
	t.Parallel()
	elsewhere := newGallery(t)
	for name, h := range map[string]http.HandlerFunc{
		"a page":           shows("text/html", []byte("<!doctype html><script>alert(1)</script>")),
		"a page in secret": shows("image/png", []byte("<!doctype html><script>alert(1)</script>")),
		"SVG":              shows("image/svg+xml", []byte(testPicture)),
		"PNG as text":      shows("text/plain", onePixel()),
		"nothing":          shows("image/png", nil),
		"too large":        shows("image/png", append(onePixel(), make([]byte, maxPicture)...)),
		"not found":        http.NotFound,
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/inside.png", http.StatusFound)
		},
	} {
		g := newGallery(t)
		g.set(h)
		s := newSite(t, nil)
		s.shares.address = g.URL + "/a.png"
		for range 3 {
			if w := s.get(t, testPicturePath, ""); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "<") {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		if g.asked.Load() != 1 {
			t.Errorf("%s: asked %d times", name, g.asked.Load())
		}
		if log := s.log.String(); strings.Contains(log, g.URL) || strings.Contains(log, testToken) {
			t.Errorf("log: %s", log)
		}
	}
	if elsewhere.asked.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// Many who ask at once cause one request, and the memory stays bounded.
func TestPicturesAreBounded(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	clock := &hands{now: begin()}
	p := newPictures(clock, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := p.get(t.Context(), g.URL+"/same.png"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := g.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	big := make([]byte, maxPicture)
	copy(big, onePixel())
	for i := range 40 {
		clock.pass(time.Second)
		p.store(fmt.Sprint(i), &storedPicture{body: big, used: clock.Now(), until: clock.Now().Add(time.Hour)})
	}
	if p.size > maxPictures || p.known["39"] == nil || p.known["0"] != nil {
		t.Errorf("%d bytes in %d pictures", p.size, len(p.known))
	}
	for i := range 3 * maxAddresses {
		p.remember(fmt.Sprint(i), "x")
	}
	if len(p.addresses) > maxAddresses {
		t.Errorf("%d addresses", len(p.addresses))
	}
}
