package fetch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestOnlyNamedOriginsBeside reaches one server on this machine by its origin,
// and neither its neighbour nor itself by another name or scheme.
func TestOnlyNamedOriginsBeside(t *testing.T) {
	t.Parallel()
	start := func(h http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s
	}
	other := start(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "private") })
	own := start(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "own")
	})
	c := New(Options{Also: []string{own.URL, "http://localhost:1", "nonsense", "ftp://127.0.0.1:21", "http://127.0.0.1:%zz"}})
	got, err := c.Get(t.Context(), own.URL+"/a?b#c", 10)
	if err != nil || string(got.Body) != "own" {
		t.Errorf("own origin: %q, %v", got.Body, err)
	}
	if !c.AllowsHTTP(own.URL+"/a") || c.AllowsHTTP("http://example.org/") {
		t.Error("http is allowed elsewhere than at the origin, or not there")
	}
	u, err := url.Parse(own.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"another port": other.URL, "a redirect to another port": own.URL + "/away", "another scheme": "https://" + u.Host,
		"another name": "http://localhost:" + u.Port(), "another spelling": "http://127.1:" + u.Port(),
		"a user name": "http://user@" + u.Host, "no port": "http://127.0.0.1/", "what was no address": "http://localhost:1/",
		"mapped": strings.Replace(own.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
	} {
		if got, err := c.Get(t.Context(), address, 10); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %q, %v, want ErrForbidden", name, got.Body, err)
		}
	}
}
