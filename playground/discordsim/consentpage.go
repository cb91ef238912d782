package discordsim

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

//go:embed consent.html
var consentFiles embed.FS

// consentPage is read once.
var consentPage = sync.OnceValues(func() (*template.Template, error) { return template.ParseFS(consentFiles, "consent.html") })

// maxConsent is the most that the form of the page sends, in bytes.
const maxConsent = 16 << 10

// consentView is what the page shows.
type consentView struct {
	// Wrong says what is wrong with the request; then nothing else is shown.
	Wrong  string
	App    string
	Back   string
	Roles  bool
	People []consentPerson
	// Query is carried along.
	Query string
}

type consentPerson struct {
	ID, Name string
	Chosen   bool
}

// serveConsent is the page on which a person agrees, at /oauth2/authorize. The
// simulated browser may be anybody's: the page asks whose.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	switch r.Method {
	case http.MethodGet:
		s.showConsent(w, r.URL.Query())
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxConsent)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "read form", http.StatusBadRequest)
			return
		}
		q, err := url.ParseQuery(r.PostForm.Get("query"))
		if err != nil {
			q = url.Values{}
		}
		s.mu.Lock()
		to, err := s.decide(r.PostForm.Get("user"), q, r.PostForm.Get("decision") == "authorize")
		s.mu.Unlock()
		if err != nil {
			s.showConsent(w, q)
			return
		}
		http.Redirect(w, r, to, http.StatusFound) //nolint:gosec // Only to addresses that the application registered.
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *Server) showConsent(w http.ResponseWriter, q url.Values) {
	s.mu.Lock()
	v := consentView{App: s.cfg.AppName, Query: q.Encode(), Roles: strings.Contains(q.Get("scope"), scopeRoles)}
	status := http.StatusOK
	if err := s.checkConsent(q); err != nil {
		v.Wrong, status = err.Error(), http.StatusBadRequest
	}
	if u, err := url.Parse(q.Get("redirect_uri")); err == nil {
		v.Back = u.Scheme + "://" + u.Host
	}
	for _, id := range sortedKeys(s.users) {
		u := s.users[id]
		name := u.GlobalName
		if name == "" {
			name = u.Name
		}
		v.People = append(v.People, consentPerson{ID: id, Name: name, Chosen: id == s.oauth.signedIn})
	}
	s.mu.Unlock()
	var out bytes.Buffer
	page, err := consentPage()
	if err == nil {
		err = page.Execute(&out, v)
	}
	if err != nil {
		http.Error(w, "draw page", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	// The browser may be gone; there is nobody to tell.
	_, _ = w.Write(out.Bytes())
}
