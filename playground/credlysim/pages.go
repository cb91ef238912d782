package credlysim

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed pages.html
var pagesHTML string

// pageSet draws the pages that people see.
type pageSet struct{ all *htmltemplate.Template }

func newPageSet() (*pageSet, error) {
	all, err := htmltemplate.New("pages").Parse(pagesHTML)
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	return &pageSet{all: all}, nil
}

func (p *pageSet) show(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	if err := p.all.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, "draw page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Who does not read the page has hung up.
	_, _ = w.Write(out.Bytes())
}

type messagePage struct{ Title, Text string }

func (p *pageSet) message(w http.ResponseWriter, status int, title, text string) {
	p.show(w, status, "message", messagePage{title, text})
}

// badgeCard is a badge as pages show it.
type badgeCard struct {
	ID, TemplateID, Name, Description, Issuer, Person, First, Last, Email string
	State, Issued, Expires, AcceptPath                                    string
	Public                                                                bool
	Skills                                                                []string
}

func (s *Server) card(b *badge) badgeCard {
	c := badgeCard{
		ID: b.ID, TemplateID: b.TemplateID, Issuer: s.cfg.OrganizationName, Person: b.FirstName + " " + b.LastName,
		First: b.FirstName, Last: b.LastName, Email: b.RecipientEmail, State: b.State, Issued: day(b.IssuedAt), Public: b.Public,
	}
	if t := s.templateBy[b.TemplateID]; t != nil {
		c.Name, c.Description, c.Skills = t.Name, t.Description, t.Skills
	}
	if !b.ExpiresAt.IsZero() {
		c.Expires = day(b.ExpiresAt)
	}
	if b.claimable() {
		c.AcceptPath = "/go/" + b.acceptToken
	}
	return c
}

type acceptPage struct {
	Title, Path, As, Error string
	Badge                  badgeCard
	// Foreign tells that the account does not hold the badge's address.
	Foreign bool
	// OfferAuto tells that this is the account's first decision here.
	OfferAuto bool
}

type dashboardPage struct {
	Title, As, Name           string
	Addresses                 []Address
	Badges                    []badgeCard
	AutoAccept, PublicProfile bool
}

func (s *Server) pageRoutes(mux *http.ServeMux) {
	page := func(pattern string, work http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			work(w, r)
		})
	}
	onBadge := func(pattern string, work func(http.ResponseWriter, *http.Request, *badge)) {
		page(pattern, func(w http.ResponseWriter, r *http.Request) {
			if b := s.openBadge(w, r); b != nil {
				work(w, r, b)
			}
		})
	}
	onBadge("GET /go/{token}", func(w http.ResponseWriter, r *http.Request, b *badge) {
		s.showAccept(w, r, b, http.StatusOK, r.URL.Query().Get("as"), "")
	})
	onBadge("POST /go/{token}/register", s.postRegister)
	onBadge("POST /go/{token}/login", s.postLogin)
	onBadge("POST /go/{token}/add-address", s.postAddForeign)
	onBadge("POST /go/{token}/accept", s.postAccept)
	onBadge("POST /go/{token}/reject", s.postReject)
	page("GET /badges/{id}", s.showBadge)
	page("GET /badges/{id}/public_url", s.showBadge)
	page("GET /users/{slug}", s.showProfile)
	page("GET /users/{slug}/edit", s.editProfile)
	page("GET /users/{slug}/badges.json", s.getProfile)
	page("GET /dashboard", s.showDashboard)
	page("GET /earner/dashboard", s.earnerPage)
	page("GET /earner/earned/badge/{id}", s.earnerPage)
	page("POST /dashboard/{what}", s.postDashboard)
	page("GET /images/{file}", s.showImage)
	page("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.pages.show(w, http.StatusOK, "enter", messagePage{Title: "Log in"})
	})
	page("/", func(w http.ResponseWriter, _ *http.Request) {
		s.pages.message(w, http.StatusNotFound, "Page not found", "There is nothing here.")
	})
}

// openBadge finds the badge of an accept link, or answers itself and returns
// nil when there is nothing left to decide.
func (s *Server) openBadge(w http.ResponseWriter, r *http.Request) *badge {
	b := s.byAccept[r.PathValue("token")]
	switch {
	case b == nil:
		s.pages.message(w, http.StatusNotFound, "Badge not found", "This link leads to no badge.")
	case b.ReplacedBy != "":
		s.pages.message(w, http.StatusGone, "Badge replaced", "This badge was replaced by a newer one.")
	case b.State == StateAccepted && r.Method == http.MethodGet:
		http.Redirect(w, r, "/dashboard?email="+url.QueryEscape(b.RecipientEmail), http.StatusSeeOther)
	case b.State != StatePending:
		s.pages.message(w, http.StatusGone, "Nothing to decide", "This badge is "+b.State+".")
	default:
		return b
	}
	return nil
}

func (s *Server) showAccept(w http.ResponseWriter, r *http.Request, b *badge, status int, as, problem string) {
	p := acceptPage{Title: "Accept your badge", Path: "/go/" + r.PathValue("token"), Badge: s.card(b), Error: problem}
	if a := s.accountBy[normal(as)]; a != nil {
		p.As = as
		p.Foreign = !a.holds(b.RecipientEmail)
		p.OfferAuto = !a.AutoAccept
	}
	s.pages.show(w, status, "accept", p)
}

// backAs leads back to the accept page as the person who is now signed in.
func backAs(w http.ResponseWriter, r *http.Request, email string) {
	http.Redirect(w, r, "/go/"+r.PathValue("token")+"?as="+url.QueryEscape(email), http.StatusSeeOther)
}

func (s *Server) postRegister(w http.ResponseWriter, r *http.Request, b *badge) {
	email := strings.TrimSpace(r.PostFormValue("email"))
	_, err := s.register(email, Registration{FirstName: r.PostFormValue("first_name"), LastName: r.PostFormValue("last_name")})
	switch {
	case errors.Is(err, ErrTaken):
		s.showAccept(w, r, b, http.StatusConflict, "", "There is an account with this address. Log in instead.")
	case err != nil:
		s.showAccept(w, r, b, http.StatusUnprocessableEntity, "", "This is not an e-mail address.")
	default:
		backAs(w, r, email)
	}
}

func (s *Server) postLogin(w http.ResponseWriter, r *http.Request, b *badge) {
	email := strings.TrimSpace(r.PostFormValue("email"))
	if s.accountBy[normal(email)] == nil {
		s.showAccept(w, r, b, http.StatusUnprocessableEntity, "", "There is no account with this address.")
		return
	}
	backAs(w, r, email)
}

// postAddForeign adds the badge's address to the account that is signed in,
// as if the mail that confirms it had been answered.
func (s *Server) postAddForeign(w http.ResponseWriter, r *http.Request, b *badge) {
	as := r.PostFormValue("as")
	a, taken := s.accountBy[normal(as)], s.accountBy[normal(b.RecipientEmail)]
	switch {
	case a == nil:
		s.showAccept(w, r, b, http.StatusForbidden, "", "Please log in.")
	case taken != nil && taken != a:
		s.showAccept(w, r, b, http.StatusConflict, as, "That address belongs to another account. Merge the accounts first.")
	default:
		if taken == nil {
			a.Addresses = append(a.Addresses, Address{Email: b.RecipientEmail})
			s.accountBy[normal(b.RecipientEmail)] = a
		}
		for i := range a.Addresses {
			if sameEmail(a.Addresses[i].Email, b.RecipientEmail) {
				a.Addresses[i].Confirmed = true
			}
		}
		s.touch()
		backAs(w, r, as)
	}
}

// mayDecide tells whether the person signed in may decide on the badge, and
// answers itself when not.
func (s *Server) mayDecide(w http.ResponseWriter, r *http.Request, b *badge) *account {
	as := r.PostFormValue("as")
	a := s.accountBy[normal(as)]
	switch {
	case a == nil:
		s.showAccept(w, r, b, http.StatusForbidden, "", "Please log in.")
	case !a.primary().Confirmed:
		s.showAccept(w, r, b, http.StatusForbidden, as, "Please confirm your address first.")
	case !a.holds(b.RecipientEmail):
		s.showAccept(w, r, b, http.StatusForbidden, as, "")
	default:
		return a
	}
	return nil
}

func (s *Server) postAccept(w http.ResponseWriter, r *http.Request, b *badge) {
	a := s.mayDecide(w, r, b)
	if a == nil {
		return
	}
	if r.PostFormValue("auto_accept") == "on" {
		a.AutoAccept = true
	}
	s.accept(b)
	http.Redirect(w, r, "/dashboard?email="+url.QueryEscape(r.PostFormValue("as")), http.StatusSeeOther)
}

func (s *Server) postReject(w http.ResponseWriter, r *http.Request, b *badge) {
	if s.mayDecide(w, r, b) == nil {
		return
	}
	s.setState(b, StateRejected)
	s.pages.message(w, http.StatusOK, "Badge rejected", "If this was a mistake, ask the issuer to issue it again.")
}

func (s *Server) showBadge(w http.ResponseWriter, r *http.Request) {
	b := s.badgeBy[r.PathValue("id")]
	if f := s.foreignBadge(r.PathValue("id")); f != nil {
		s.pages.show(w, http.StatusOK, "badge", struct {
			Title string
			Badge badgeCard
		}{f.Name, foreignCard(f)})
		return
	}
	if b == nil || !s.visible(b) {
		s.pages.message(w, http.StatusNotFound, "Badge not found", "This badge does not exist or is private.")
		return
	}
	c := s.card(b)
	s.pages.show(w, http.StatusOK, "badge", struct {
		Title string
		Badge badgeCard
	}{c.Name, c})
}

func (s *Server) accountBySlug(slug string) *account {
	for _, a := range s.accounts {
		if a.Slug == slug {
			return a
		}
	}
	return nil
}

func (s *Server) showProfile(w http.ResponseWriter, r *http.Request) {
	a := s.accountBySlug(r.PathValue("slug"))
	if a == nil || !a.PublicProfile {
		s.pages.message(w, http.StatusNotFound, "Profile not found", "This profile does not exist or is private.")
		return
	}
	var cards []badgeCard
	for _, b := range s.badgesOf(a) {
		if s.visible(b) {
			cards = append(cards, s.card(b))
		}
	}
	for _, f := range s.foreigns {
		if f.owner == a && !f.Hidden {
			cards = append(cards, foreignCard(f))
		}
	}
	name := a.FirstName + " " + a.LastName
	s.pages.show(w, http.StatusOK, "profile", struct {
		Title, Name string
		Badges      []badgeCard
	}{name, name, cards})
}

func (s *Server) editProfile(w http.ResponseWriter, r *http.Request) {
	a := s.accountBySlug(r.PathValue("slug"))
	if a == nil {
		s.pages.message(w, http.StatusNotFound, "Profile not found", "This profile does not exist.")
		return
	}
	http.Redirect(w, r, "/dashboard?email="+url.QueryEscape(a.primary().Email), http.StatusSeeOther)
}

func (s *Server) showDashboard(w http.ResponseWriter, r *http.Request) {
	email := strings.TrimSpace(r.URL.Query().Get("email"))
	a := s.accountBy[normal(email)]
	if a == nil {
		text := ""
		if email != "" {
			text = "There is no account with this address."
		}
		s.pages.show(w, http.StatusNotFound, "enter", messagePage{Title: "Log in", Text: text})
		return
	}
	signIn(w, email)
	p := dashboardPage{
		Title: "Dashboard", As: email, Name: a.FirstName + " " + a.LastName, Addresses: a.Addresses,
		AutoAccept: a.AutoAccept, PublicProfile: a.PublicProfile,
	}
	for _, b := range s.badgesOf(a) {
		if b.ReplacedBy == "" {
			p.Badges = append(p.Badges, s.card(b))
		}
	}
	s.pages.show(w, http.StatusOK, "dashboard", p)
}

func (s *Server) postDashboard(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	a := s.accountBy[normal(email)]
	if a == nil {
		s.pages.message(w, http.StatusForbidden, "Please log in", "There is no account with this address.")
		return
	}
	switch r.PathValue("what") {
	case "visibility":
		b := s.badgeBy[r.PostFormValue("badge")]
		if b == nil || !a.holds(b.RecipientEmail) || b.State != StateAccepted {
			s.pages.message(w, http.StatusForbidden, "Not possible", "Only an accepted badge of your own can be shown or hidden.")
			return
		}
		if public := r.PostFormValue("public") == "true"; public != b.Public {
			b.Public, b.UpdatedAt = public, s.after(b.UpdatedAt)
			s.emit("badge.privacy.changed", b.ID, "")
		}
	case "auto-accept":
		a.AutoAccept = r.PostFormValue("on") == "true" && len(s.badgesOf(a)) > 0
	case "profile":
		a.PublicProfile = r.PostFormValue("public") == "true"
	case "add-address":
		further := strings.TrimSpace(r.PostFormValue("further"))
		if !validEmail(further) || s.accountBy[normal(further)] != nil {
			s.pages.message(w, http.StatusConflict, "Address not added", "This is no address, or it belongs to an account.")
			return
		}
		a.Addresses = append(a.Addresses, Address{Email: further, Confirmed: true})
		s.accountBy[normal(further)] = a
	default:
		s.pages.message(w, http.StatusNotFound, "Page not found", "There is nothing here.")
		return
	}
	s.touch()
	http.Redirect(w, r, "/dashboard?email="+url.QueryEscape(email), http.StatusSeeOther)
}
