package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/text/language"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Passages lets people through handoff links; [core.Passages] does.
type Passages interface {
	Look(ctx context.Context, token string) (core.Passage, error)
	Follow(ctx context.Context, token string) (link string, err error)
}

// Links confirms addresses by mailed links; [core.Links] does.
type Links interface {
	Look(ctx context.Context, token string) (core.EmailRequest, error)
	Confirm(ctx context.Context, token string) error
}

var (
	_ Passages = (*core.Passages)(nil)
	_ Links    = (*core.Links)(nil)
)

// FooterLink is a link of the operator's at the end of every page, such as
// an imprint.
type FooterLink struct{ Label, URL string }

// Config is what the pages need. Passages, Links, Shares, Verifier,
// VerdictPictures, Gallery, Certificates, Catalog, Clock and PublicURL are
// required.
type Config struct {
	Passages Passages
	Links    Links
	Shares   Shares
	// Verifier answers whether a badge is genuine, VerdictPictures gets the
	// picture of one, Gallery that behind a link.
	Verifier        core.Verifier
	VerdictPictures core.VerdictPictures
	Gallery         Gallery
	// Roles is nil where nobody can connect roles; RolesAt is scheme and host of
	// the platform's page on which people agree to it.
	Roles   Roles
	RolesAt string
	Catalog *chat.Catalog
	Clock   core.Clock
	// PublicURL is where people reach the pages, without a slash at the end.
	PublicURL string
	// FormTargets are origins, e.g. "http://127.0.0.1:8090", that accept links
	// may lead to beside those of Credly. Pictures may come from them as well.
	FormTargets []string
	FooterLinks []FooterLink
	// TrustedProxies are the networks whose X-Forwarded-For is believed; nil
	// means [PrivateNetworks], an empty list nobody.
	TrustedProxies []netip.Prefix
	// Log may be nil.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Transport reads the provider's pictures; nil is the usual one.
	Transport http.RoundTripper
	// Certificates shows people what they earned.
	Certificates Certificates
}

// Pages answers requests for pages. It is safe for concurrent use.
type Pages struct {
	passages Passages
	links    Links
	shares   Shares
	gallery  Gallery
	verify   verifying
	roles    Roles
	rolesAt  string
	turns    *turns
	pictures *pictures
	catalog  *chat.Catalog
	clock    core.Clock
	public   *url.URL
	targets  []string
	footer   []FooterLink
	spoken   language.Matcher
	renderer *renderer
	log      *slog.Logger
	requests *prometheus.CounterVec
	// nonce is the same every time in tests.
	nonce func() string

	certificates Certificates
	// archives are the turns for making archives.
	archives chan struct{}
}

// New checks the settings and returns the pages.
func New(c Config) (*Pages, error) {
	if c.Passages == nil || c.Links == nil || c.Shares == nil || c.Catalog == nil || c.Clock == nil ||
		c.Verifier == nil || c.VerdictPictures == nil || c.Gallery == nil || c.Certificates == nil {
		return nil, errors.New("make pages: passages, links, shares, verifier, pictures, gallery, certificates, catalogue and clock are needed")
	}
	public, err := url.Parse(c.PublicURL)
	if err != nil || originOf(public) == "" {
		return nil, errors.New("read public URL: want scheme and host")
	}
	for _, target := range c.FormTargets {
		u, err := url.Parse(target)
		if err != nil || originOf(u) != target {
			return nil, errors.New("read form targets: want scheme and host of each, and nothing after them")
		}
	}
	if u, err := url.Parse(c.RolesAt); c.Roles != nil && (err != nil || c.RolesAt == "" || originOf(u) != c.RolesAt) {
		return nil, errors.New("read where roles are: want scheme and host")
	}
	for _, l := range c.FooterLinks {
		if u, err := url.Parse(l.URL); err != nil || originOf(u) == "" || l.Label == "" {
			return nil, errors.New("read footer links: want a label and a complete address of each")
		}
	}
	r, err := newRenderer()
	if err != nil {
		return nil, err
	}
	requests, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Pages{
		passages: c.Passages, links: c.Links, shares: c.Shares, gallery: c.Gallery, verify: newVerifying(c), roles: c.Roles, rolesAt: c.RolesAt,
		certificates: c.Certificates, archives: make(chan struct{}, maxArchives), catalog: c.Catalog, clock: c.Clock,
		public: public, targets: c.FormTargets, footer: c.FooterLinks,
		spoken: language.NewMatcher(chat.Languages()), renderer: r, log: c.Log, requests: requests,
		nonce: rand.Text, turns: newTurns(c.Clock, turnEvery, turnBurst), pictures: newPictures(c.Clock, c.Transport),
	}, nil
}

// within is how long a page may take: reading the provider again takes a few
// seconds at worst.
const within = 15 * time.Second

// maxBody is the most that a pressed button may send, in bytes. Nothing of it
// is read: the token in the path says everything.
const maxBody = 4 << 10

// handler makes the answer to a request whose method is right.
type handler func(ctx context.Context, r *http.Request) answer

// Routes registers /h/…, /e/…, /r/…, /s/…, /b/…, /v/…, /c/…, /verify, /, /robots.txt and /favicon.svg.
func (p *Pages) Routes(mux *http.ServeMux) {
	mux.Handle("/{$}", p.route("home", p.home, nil))
	mux.Handle("/h/{token...}", p.route("handoff", p.lookAtHandoff, p.followHandoff))
	mux.Handle("/e/{token...}", p.route("email", p.lookAtEmail, p.confirmEmail))
	p.shareRoutes(mux)
	p.verifyRoutes(mux)
	p.roleRoutes(mux)
	p.certificateRoutes(mux)
	mux.Handle("/robots.txt", p.route("robots", robots, nil))
	mux.Handle("/favicon.svg", p.route("favicon", favicon, nil))
	mux.Handle("/favicon.ico", p.route("favicon", favicon, nil))
}

// base is what stands before every path of ours, as browsers see it.
func (p *Pages) base() string { return strings.TrimSuffix(p.public.EscapedPath(), "/") }

// route answers one page's requests; post is nil where nothing is pressed.
func (p *Pages) route(name string, get, post handler) http.Handler {
	return p.serve(name, func(ctx context.Context, w http.ResponseWriter, r *http.Request) answer {
		return p.answer(ctx, w, r, get, post)
	})
}

// serve answers one page's requests by what work makes of them.
func (p *Pages) serve(name string, work func(context.Context, http.ResponseWriter, *http.Request) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		a := work(ctx, w, r)
		p.tell(ctx, name, a)
		p.requests.WithLabelValues(name, fmt.Sprint(a.status)).Inc()
		p.write(ctx, w, a)
	})
}

func (p *Pages) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, get, post handler) answer {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return get(ctx, r)
	case r.Method != http.MethodPost || post == nil:
		return p.notAllowed(r, post != nil)
	case !p.fromHere(r):
		return p.fromElsewhere(r)
	}
	if status := readBody(w, r); status != 0 {
		return p.unreadable(r, status)
	}
	return post(ctx, r)
}

// tell logs what an operator may want to know. No token, address or name is
// in it.
func (p *Pages) tell(ctx context.Context, page string, a answer) {
	switch {
	case a.err != nil:
		p.log.ErrorContext(ctx, "page failed", "page", page, "status", a.status, "error", a.err)
	case a.refused != "":
		p.log.InfoContext(ctx, "page refused", "page", page, "status", a.status, "reason", a.refused)
	}
}

// words returns the first language that is spoken here: the person's own,
// or one that the browser asks for.
func (p *Pages) words(r *http.Request, locale string) chat.Words {
	var wanted []language.Tag
	if tag, err := language.Parse(strings.ReplaceAll(locale, "_", "-")); err == nil && locale != "" {
		wanted = append(wanted, tag)
	}
	if accepted := r.Header.Get("Accept-Language"); len(accepted) <= 1000 {
		// What cannot be read asks for nothing.
		tags, _, _ := language.ParseAcceptLanguage(accepted)
		wanted = append(wanted, tags...)
	}
	tag, _, _ := p.spoken.Match(wanted...)
	return p.catalog.For(tag.String())
}
