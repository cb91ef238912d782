package discordsim

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Lives of what OAuth2 hands out. Discord says that an access token lives a
// week, and does not say how long a code does.
const (
	AccessLife = 7 * 24 * time.Hour
	CodeLife   = time.Minute
)

// Scopes that the application may ask people for
// (https://discord.com/developers/docs/topics/oauth2#shared-resources-oauth2-scopes).
const (
	scopeIdentify = "identify"
	scopeRoles    = "role_connections.write"
)

// oauth is what people agreed to. The server's lock guards it.
type oauth struct {
	// redirects and verification are fields of the developer portal.
	redirects    []string
	verification string
	// signedIn is who uses the browser.
	signedIn string
	codes    map[string]consent
	grants   []*grant
}

// consent is a code that was not exchanged yet.
type consent struct {
	user, redirect string
	scopes         []string
	ends           time.Time
}

// grant is an authorization with the tokens that work now.
type grant struct {
	user            string
	scopes          []string
	access, refresh string
	ends            time.Time
}

// ClientSecret is what the application proves itself by to the endpoint for
// tokens.
func (s *Server) ClientSecret() string { return s.cfg.ClientSecret }

// SetRedirects fills the field "Redirects" of the developer portal: consent
// leads back to these addresses only.
func (s *Server) SetRedirects(uris ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.redirects = slices.Clone(uris)
	s.touch()
}

// SetVerificationURL fills the field "Linked Roles Verification URL": where
// Discord sends people who want a linked role.
func (s *Server) SetVerificationURL(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.verification = address
	s.touch()
}

// SignIn says whose browser it is that opens the consent page.
func (s *Server) SignIn(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.signedIn = userID
}

// Deauthorize is what a person does under Authorized Apps: every token ends,
// and the role connection with them.
func (s *Server) Deauthorize(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.grants = slices.DeleteFunc(s.oauth.grants, func(g *grant) bool { return g.user == userID })
	delete(s.linked.connections, userID)
	s.evaluate()
	s.touch()
}

// Authorizations is how many authorizations there are whose tokens work, or can
// be refreshed.
func (s *Server) Authorizations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.oauth.grants)
}

// Authorize is a person at the consent page: address is where they were sent,
// and the answer where they go from there. The error is what the page would
// complain of.
func (s *Server) Authorize(userID, address string, agrees bool) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Path != "/oauth2/authorize" || !strings.HasPrefix(address, s.BaseURL()+"/") {
		return "", fmt.Errorf("open consent page: not at %q", address)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(userID, u.Query(), agrees)
}

// checkConsent finds what is wrong with a request for consent
// (https://discord.com/developers/docs/topics/oauth2#authorization-code-grant).
func (s *Server) checkConsent(q url.Values) error {
	switch {
	case q.Get("client_id") != s.cfg.ApplicationID:
		return errors.New("unknown application")
	case q.Get("response_type") != "code":
		return errors.New("invalid response_type")
	case !slices.Contains(s.oauth.redirects, q.Get("redirect_uri")):
		return errors.New("invalid OAuth2 redirect_uri")
	case q.Get("prompt") != "" && q.Get("prompt") != "consent" && q.Get("prompt") != "none":
		return errors.New("invalid prompt")
	}
	scopes := strings.Fields(q.Get("scope"))
	if len(scopes) == 0 {
		return errors.New("missing scope")
	}
	for _, scope := range scopes {
		if scope != scopeIdentify && scope != scopeRoles {
			return fmt.Errorf("invalid scope %q", scope)
		}
	}
	return nil
}

func (s *Server) decide(userID string, q url.Values, agrees bool) (string, error) {
	if err := s.checkConsent(q); err != nil {
		return "", err
	}
	if s.users[userID] == nil {
		return "", errors.New("unknown user")
	}
	back := url.Values{}
	if agrees {
		code := rand.Text()
		s.oauth.codes[code] = consent{
			user: userID, redirect: q.Get("redirect_uri"), scopes: strings.Fields(q.Get("scope")), ends: s.clock.Now().Add(CodeLife),
		}
		back.Set("code", code)
	} else {
		back.Set("error", "access_denied")
		back.Set("error_description", "The resource owner or authorization server denied the request")
	}
	if state := q.Get("state"); state != "" {
		back.Set("state", state)
	}
	return q.Get("redirect_uri") + "?" + back.Encode(), nil
}

// tokenEndpoint reports whether a request goes to an endpoint for tokens, with or
// without a version, and to which.
func tokenEndpoint(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", false
	}
	for _, version := range []string{"v9/", "v10/"} {
		rest = strings.TrimPrefix(rest, version)
	}
	return rest, rest == "oauth2/token" || rest == "oauth2/token/revoke"
}

// serveTokens answers the endpoints for tokens. They take forms only
// (https://discord.com/developers/docs/topics/oauth2#shared-resources-oauth2-urls).
func (s *Server) serveTokens(path string, r *http.Request, raw []byte, out *reply) {
	refuse := func(status int, code, description string) {
		body := object{"error": code}
		if description != "" {
			body["error_description"] = description
		}
		out.json(status, body)
	}
	if r.Method != http.MethodPost {
		out.fail(errMethod())
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form, parseErr := url.ParseQuery(string(raw))
	if err != nil || kind != "application/x-www-form-urlencoded" || parseErr != nil {
		refuse(http.StatusBadRequest, "invalid_request", "The body is not a form.")
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if id != s.cfg.ApplicationID || subtle.ConstantTimeCompare([]byte(secret), []byte(s.cfg.ClientSecret)) != 1 {
		refuse(http.StatusUnauthorized, "invalid_client", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	if path == "oauth2/token/revoke" {
		// All tokens of the same authorization go together.
		token := form.Get("token")
		s.oauth.grants = slices.DeleteFunc(s.oauth.grants, func(g *grant) bool {
			return token != "" && (g.access == token || g.refresh == token)
		})
		out.json(http.StatusOK, object{})
		return
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		c, known := s.oauth.codes[form.Get("code")]
		delete(s.oauth.codes, form.Get("code"))
		if !known || !s.clock.Now().Before(c.ends) {
			refuse(http.StatusBadRequest, "invalid_grant", `Invalid "code" in request.`)
			return
		}
		if form.Get("redirect_uri") != c.redirect {
			refuse(http.StatusBadRequest, "invalid_grant", `Invalid "redirect_uri" in request.`)
			return
		}
		g := &grant{user: c.user, scopes: c.scopes}
		s.oauth.grants = append(s.oauth.grants, g)
		s.issue(g, out)
	case "refresh_token":
		for _, g := range s.oauth.grants {
			if token := form.Get("refresh_token"); token != "" && g.refresh == token {
				s.issue(g, out)
				return
			}
		}
		refuse(http.StatusBadRequest, "invalid_grant", "")
	case "client_credentials":
		out.json(http.StatusOK, object{
			"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(AccessLife.Seconds()), "scope": form.Get("scope"),
		})
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

// issue makes new tokens; the former ones end.
func (s *Server) issue(g *grant, out *reply) {
	g.access, g.refresh, g.ends = rand.Text(), rand.Text(), s.clock.Now().Add(AccessLife)
	out.json(http.StatusOK, object{
		"token_type": "Bearer", "access_token": g.access, "expires_in": int(AccessLife.Seconds()), "refresh_token": g.refresh,
		"scope": strings.Join(g.scopes, " "),
	})
}

// bearer returns the token of a request in somebody's name.
func bearer(r *http.Request) (string, bool) {
	return strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// grantOf finds whose token it is.
func (s *Server) grantOf(token, scope string) (*grant, *apiError) {
	for _, g := range s.oauth.grants {
		if g.access != token || !s.clock.Now().Before(g.ends) {
			continue
		}
		if !slices.Contains(g.scopes, scope) {
			return nil, errMissingScope()
		}
		return g, nil
	}
	return nil, errUnauthorized()
}

func errMissingScope() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50026, message: "Missing required OAuth2 scope"}
}
