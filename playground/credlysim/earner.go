package credlysim

import (
	"net/http"
	"net/url"
)

// sessionCookie remembers who is signed in, with the address as it was typed:
// there are no passwords here.
const sessionCookie = "credlysim_session"

// signIn remembers who is signed in.
func signIn(w http.ResponseWriter, email string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // It is served on this machine without TLS, and guards nothing.
		Name: sessionCookie, Value: url.QueryEscape(email), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// signedIn returns the account that is signed in, or nil; mu is held.
func (s *Server) signedIn(r *http.Request) *account {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	email, err := url.QueryUnescape(c.Value)
	if err != nil {
		return nil
	}
	return s.accountBy[normal(email)]
}

// earnerPage leads to the dashboard of who is signed in: there the settings
// are, and the switches of each badge.
func (s *Server) earnerPage(w http.ResponseWriter, r *http.Request) {
	a := s.signedIn(r)
	if a == nil {
		s.pages.show(w, http.StatusOK, "enter", messagePage{Title: "Log in"})
		return
	}
	to := "/dashboard?email=" + url.QueryEscape(a.primary().Email)
	if id := r.PathValue("id"); s.badgeBy[id] != nil {
		to += "#badge-" + url.PathEscape(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
