package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

// nowhere is a network without anything in it.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

// Whatever is asked of the pages about sharing: no failure of ours, nothing
// repeated as markup, no way to anywhere but the outlets, nothing counted for a
// link that is not ours, and a signature that mail programs can show.
func FuzzSharePages(f *testing.F) {
	f.Add("/r/x."+testToken, false, "")
	f.Add(sharePath(core.OutletMastodon), true, "server=mastodon.example.org")
	f.Add(sharePath(core.OutletMastodon), true, "server=%22%3E%3Cscript%3E&server=a")
	f.Add(sharePath(core.OutletMail), false, "")
	f.Add(testSignPath, true, "name=%3Cb%3E&title=%22&size=large&badge=0&badge=3")
	f.Add(testSignPath, true, "badge=-1;size=\xff&name=%zz")
	f.Add(testPicturePath, false, "")
	f.Add("/b/../.png", false, "")
	f.Add("/s/.", false, "")
	f.Add(testCertPath, false, "")
	f.Add(testCertPath+"/certificates.zip", false, "")
	f.Add("/c/./certificates.ics", true, "")
	f.Fuzz(func(t *testing.T, path string, post bool, body string) {
		s, w := newSite(t, func(c *Config) { c.Transport = nowhere{} }), httptest.NewRecorder()
		fuzzing.Soon(t, func() {
			method := http.MethodGet
			if post {
				method = http.MethodPost
			}
			r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
			r.URL = &url.URL{Path: path}
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
			w = httptest.NewRecorder()
			s.mux.ServeHTTP(w, r)
		})
		if w.Code >= http.StatusInternalServerError && path != testPicturePath {
			t.Errorf("status %d", w.Code)
		}
		if len(s.shares.noted) > 0 && !strings.HasSuffix(path, "."+testToken) {
			t.Error("noted for a link that is not ours")
		}
		location := w.Header().Get("Location")
		if u, err := url.Parse(location); err != nil || w.Code == http.StatusSeeOther && (u.Scheme != "https" || u.Path != "/share" || u.User != nil || u.Port() != "") {
			t.Errorf("leads to %q", location)
		}
		page := w.Body.String()
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("page:\n%s", page)
		}
		if path == testSignPath && w.Code == http.StatusOK {
			if wrong := checkMail(s.source(t, page)); len(wrong) > 0 {
				t.Errorf("signature: %q", wrong)
			}
		}
	})
}
