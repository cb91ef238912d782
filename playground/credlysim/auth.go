package credlysim

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// AuthToken is an authorization token of the organization, see
// https://www.credly.com/docs/authorization_tokens.
type AuthToken struct {
	ID          string
	Token       string
	Description string
	Read        bool
	Write       bool
	Delete      bool
	ExpiresAt   time.Time

	created time.Time
}

// bearer is an OAuth access token that was given out.
type bearer struct {
	scopes    []string
	expiresAt time.Time
}

// scopes are those that an application can ask for.
var scopes = []string{
	"authorization_tokens", "badge_templates", "events", "invitations", "issued_badges", "memberships",
	"recommendations", "workforce",
}

// permission is what an authorization token must allow.
type permission int

const (
	read permission = iota
	write
	remove
)

// AddToken makes a further authorization token known.
func (s *Server) AddToken(t AuthToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addToken(t)
}

func (s *Server) addToken(t AuthToken) {
	if t.ID == "" {
		t.ID = uuid.NewString()
	}
	if t.Description == "" {
		t.Description = "Token for integrations"
	}
	t.created = s.now()
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = t.created.Add(tokenLifetime)
	}
	s.tokens = append(s.tokens, &t)
	s.touch()
}

// SetTokenExpiry says when an authorization token dies.
func (s *Server) SetTokenExpiry(token string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if t.Token == token {
			t.ExpiresAt = at
			return nil
		}
	}
	return fmt.Errorf("set token expiry: %w", ErrUnknown)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// authorize finds out who calls and what the caller may do: the token, or nil
// for an access token, and the status that refuses, or 0. An empty scope is
// open to every access token. mu is held.
func (s *Server) authorize(r *http.Request, need permission, scope string) (*AuthToken, int) {
	now := s.clock.Now()
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		b, known := s.bearers[given]
		switch {
		case !known || !b.expiresAt.After(now):
			return nil, http.StatusUnauthorized
		case scope != "" && !slices.Contains(b.scopes, scope):
			return nil, http.StatusForbidden
		}
		return nil, 0
	}
	// Only the documented form counts: the token as user name, no password.
	name, password, ok := r.BasicAuth()
	if !ok || name == "" || password != "" {
		return nil, http.StatusUnauthorized
	}
	for _, t := range s.tokens {
		if !equal(t.Token, name) {
			continue
		}
		if !t.ExpiresAt.After(now) {
			return nil, http.StatusUnauthorized
		}
		if (need == read && !t.Read) || (need == write && !t.Write) || (need == remove && !t.Delete) {
			return nil, http.StatusForbidden
		}
		return t, 0
	}
	return nil, http.StatusUnauthorized
}

// oauthToken gives out an access token, see https://www.credly.com/docs/oauth.
func (s *Server) oauthToken(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, object{"error": "invalid_request"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := strings.Fields(form.Get("scope"))
	switch {
	case form.Get("grant_type") != "client_credentials":
		writeJSON(w, http.StatusBadRequest, object{"error": "unsupported_grant_type"})
	case s.cfg.ClientID == "" || !equal(form.Get("client_id"), s.cfg.ClientID) || !equal(form.Get("client_secret"), s.cfg.ClientSecret):
		writeJSON(w, http.StatusUnauthorized, object{"error": "invalid_client"})
	case len(asked) == 0 || slices.ContainsFunc(asked, func(v string) bool { return !slices.Contains(scopes, v) }):
		writeJSON(w, http.StatusBadRequest, object{"error": "invalid_scope"})
	default:
		token := rand.Text()
		s.bearers[token] = bearer{scopes: asked, expiresAt: s.clock.Now().Add(bearerLifetime)}
		writeJSON(w, http.StatusOK, object{
			"access_token": token, "token_type": "Bearer", "expires_in": int(bearerLifetime.Seconds()),
			"scope": strings.Join(asked, " "), "created_at": s.clock.Now().Unix(),
		})
	}
}

// readForm reads the parameters of a token request from its body only.
func readForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, fmt.Errorf("parse form: %w", err)
	}
	return r.PostForm, nil
}

// listTokens shows the tokens in clear, as Credly does. A token that may only
// read sees only tokens that may only read.
func (s *Server) listTokens(c *call) {
	var all []any
	for _, t := range s.tokens {
		if c.token != nil && !c.token.Write && !c.token.Delete && (t.Write || t.Delete) {
			continue
		}
		all = append(all, object{
			"id": t.ID, "token": t.Token, "owner_id": s.cfg.OrganizationID, "description": t.Description,
			"write_enabled": t.Write, "read_enabled": t.Read, "delete_enabled": t.Delete,
			"created_at": stamp(t.created), "expires_at": stamp(t.ExpiresAt),
			"owner": object{"type": "Organization", "id": s.cfg.OrganizationID, "name": s.cfg.OrganizationName, "url": s.organizationURL()},
		})
	}
	c.list(all)
}

// rotateToken replaces the token of the call, which dies at once.
func (s *Server) rotateToken(c *call) {
	if c.token == nil {
		c.fail(http.StatusForbidden)
		return
	}
	made := *c.token
	made.ID, made.Token, made.ExpiresAt = "", rand.Text(), time.Time{}
	s.tokens = slices.DeleteFunc(s.tokens, func(t *AuthToken) bool { return t == c.token })
	s.addToken(made)
	c.answer(http.StatusOK, object{"token": made.Token})
}

// listApplications shows the OAuth application; its secret is never shown.
func (s *Server) listApplications(c *call) {
	var all []any
	if s.cfg.ClientID != "" {
		all = append(all, object{
			"id": 1, "name": "Integration", "description": "Used by the organization's integrations.",
			"created_at": stamp(s.created), "updated_at": stamp(s.created), "uid": s.cfg.ClientID,
			"created_by_id": s.cfg.OrganizationID, "created_by_type": "User", "created_by_name": "Example Operator",
			"creator_available": true, "secret": nil,
		})
	}
	c.list(all)
}
