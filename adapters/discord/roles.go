package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// roleScopes are what a person is asked to agree to
// (https://discord.com/developers/docs/topics/oauth2#shared-resources-oauth2-scopes).
const (
	scopeRoles = "role_connections.write"
	scopeWhose = "identify"
)

// Keys of what is told about a person, see [RoleKeys].
const (
	roleBadges    = "badges"
	roleLevel     = "level"
	roleUntil     = "valid_until"
	roleCertified = "certified"
)

// Types of metadata
// (https://discord.com/developers/docs/resources/application-role-connection-metadata#application-role-connection-metadata-object-application-role-connection-metadata-type).
const (
	integerAtLeast = 2
	dateAtLeast    = 6
	booleanIs      = 7
)

// RoleKeys are the records that servers build their requirements of, at most
// five; each has a text.
var RoleKeys = []string{roleCertified, roleBadges, roleLevel, roleUntil}

// Limits of records and of what is told, in characters
// (https://discord.com/developers/docs/resources/application-role-connection-metadata).
const (
	maxRecordName        = 100
	maxRecordDescription = 200
	maxRolePlatform      = 50
)

// roleRecord is a record of metadata on the wire.
type roleRecord struct {
	Type         int               `json:"type"`
	Key          string            `json:"key"`
	Name         string            `json:"name"`
	Names        map[string]string `json:"name_localizations,omitempty"`
	Description  string            `json:"description"`
	Descriptions map[string]string `json:"description_localizations,omitempty"`
}

// roleRecords makes the records of their texts.
func roleRecords(texts map[string]CommandText) ([]roleRecord, error) {
	types := map[string]int{roleCertified: booleanIs, roleBadges: integerAtLeast, roleLevel: integerAtLeast, roleUntil: dateAtLeast}
	records := make([]roleRecord, 0, len(RoleKeys))
	for _, key := range RoleKeys {
		t := texts[key]
		fits := func(s string, most int) bool { return s != "" && shorten(s, most) == s }
		good := fits(t.Name, maxRecordName) && fits(t.Description, maxRecordDescription)
		for locale, s := range t.Names {
			good = good && slices.Contains(locales, locale) && fits(s, maxRecordName)
		}
		for locale, s := range t.Descriptions {
			good = good && slices.Contains(locales, locale) && fits(s, maxRecordDescription)
		}
		if !good {
			return nil, fmt.Errorf("build role records: texts of %s", key)
		}
		records = append(records, roleRecord{
			Type: types[key], Key: key, Name: t.Name, Names: t.Names, Description: t.Description, Descriptions: t.Descriptions,
		})
	}
	return records, nil
}

// Roles speaks for people who agreed that Discord is told of their badges.
type Roles struct {
	a        *Adapter
	secret   core.Secret
	platform string
	records  []roleRecord
	// base is scheme and host of Discord's own pages.
	base string
}

var _ core.RoleLink = (*Roles)(nil)

// RolesConfig is what [Roles] need. All of it is required.
type RolesConfig struct {
	ClientSecret core.Secret
	// Platform is what people see as the source of what is told.
	Platform string
	// Texts are names and descriptions of each of [RoleKeys].
	Texts map[string]CommandText
}

// setRoles makes the roles of an adapter.
func (a *Adapter) setRoles(c RolesConfig, base *url.URL) error {
	records, err := roleRecords(c.Texts)
	if err != nil {
		return err
	}
	if a.publicURL == "" {
		return errors.New("make roles: no public URL")
	}
	a.roles = &Roles{
		a: a, secret: c.ClientSecret, platform: shorten(c.Platform, maxRolePlatform), records: records, base: base.Scheme + "://" + base.Host,
	}
	return nil
}

// Roles returns what gives roles, or nil without a client secret.
func (a *Adapter) Roles() *Roles { return a.roles }

// RoleLink speaks for people who agreed. Without a client secret nobody can
// agree, but what was agreed before still ends: that takes their tokens alone,
// as long as these last.
func (a *Adapter) RoleLink(platform string) core.RoleLink {
	if a.roles != nil {
		return a.roles
	}
	return &Roles{a: a, platform: shorten(platform, maxRolePlatform), base: a.base.Scheme + "://" + a.base.Host}
}

// AuthorizeURL implements [core.RoleLink]
// (https://discord.com/developers/docs/topics/oauth2#authorization-code-grant).
func (r *Roles) AuthorizeURL(state string) string {
	return r.base + "/oauth2/authorize?" + url.Values{
		"client_id": {r.a.application}, "response_type": {"code"}, "redirect_uri": {r.callback()},
		"scope": {scopeRoles + " " + scopeWhose}, "state": {state}, "prompt": {"consent"},
	}.Encode()
}

func (r *Roles) callback() string {
	return strings.TrimSuffix(r.a.publicURL, "/") + chat.PathRolesCallback
}

// Origin is where people are asked to agree.
func (r *Roles) Origin() string { return r.base }

// Paths of the endpoints for tokens, which have no version
// (https://discord.com/developers/docs/topics/oauth2#shared-resources-oauth2-urls).
const (
	pathToken  = "/api/oauth2/token" //nolint:gosec // An address, no credential.
	pathRevoke = "/api/oauth2/token/revoke"
)

// tokenAnswer is https://discord.com/developers/docs/topics/oauth2#authorization-code-grant-access-token-response.
type tokenAnswer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Seconds int64  `json:"expires_in"`
	Scope   string `json:"scope"`
}

// Exchange implements [core.RoleLink].
func (r *Roles) Exchange(ctx context.Context, code string) (core.RoleTokens, error) {
	return r.tokens(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.callback()}})
}

// Refresh implements [core.RoleLink].
func (r *Roles) Refresh(ctx context.Context, t core.RoleTokens) (core.RoleTokens, error) {
	return r.tokens(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh.Reveal()}})
}

// Longest life of a token that is believed: Discord's is a week.
const maxTokenLife = 30 * 24 * time.Hour

func (r *Roles) tokens(ctx context.Context, form url.Values) (core.RoleTokens, error) {
	asked := r.a.clock.Now()
	n, err := r.post(ctx, pathToken, form)
	if err != nil {
		return core.RoleTokens{}, err
	}
	var got tokenAnswer
	if err := json.Unmarshal(n.body, &got); err != nil {
		return core.RoleTokens{}, badAnswer()
	}
	life := time.Duration(got.Seconds) * time.Second
	if got.Access == "" || got.Refresh == "" || !strings.EqualFold(got.Type, "Bearer") || life <= 0 || life > maxTokenLife {
		return core.RoleTokens{}, badAnswer()
	}
	scopes := strings.Fields(got.Scope)
	if !slices.Contains(scopes, scopeRoles) || !slices.Contains(scopes, scopeWhose) {
		return core.RoleTokens{}, fmt.Errorf("read scopes: %w", core.ErrGone)
	}
	return core.RoleTokens{Access: core.Secret(got.Access), Refresh: core.Secret(got.Refresh), EndsAt: asked.Add(life)}, nil
}

// Owner implements [core.RoleLink].
func (r *Roles) Owner(ctx context.Context, t core.RoleTokens) (core.Identity, error) {
	var me struct {
		ID string `json:"id"`
	}
	n, err := r.as(ctx, http.MethodGet, discordgo.EndpointUser("@me"), t, nil)
	if err != nil {
		return core.Identity{}, err
	}
	if json.Unmarshal(n.body, &me) != nil || !isSnowflake(me.ID) {
		return core.Identity{}, badAnswer()
	}
	return core.Identity{Platform: Platform, User: me.ID}, nil
}

// roleConnection is
// https://discord.com/developers/docs/resources/user#application-role-connection-object.
type roleConnection struct {
	Platform string            `json:"platform_name"`
	Metadata map[string]string `json:"metadata"`
}

func (r *Roles) endpoint() string {
	return discordgo.EndpointUsers + "@me/applications/" + r.a.application + "/role-connection"
}

// Tell implements [core.RoleLink]. Every record is told each time, and none of
// them empty: Discord passes over metadata without content, so that a role
// would stay (https://discord.com/developers/docs/resources/user#update-current-user-application-role-connection).
func (r *Roles) Tell(ctx context.Context, t core.RoleTokens, f core.RoleFacts) error {
	_, err := r.as(ctx, http.MethodPut, r.endpoint(), t, roleConnection{Platform: r.platform, Metadata: roleMetadata(f)})
	return err
}

// Dates that stand for no end at all, and for nothing that could end: a date
// has to be told, because requirements compare it.
var (
	neverEnds = time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
	longOver  = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
)

func roleMetadata(f core.RoleFacts) map[string]string {
	until, certified := f.ValidUntil, "0"
	if f.Certified() {
		certified = "1"
	}
	switch {
	case !f.Certified():
		until = longOver
	case until.IsZero() || until.After(neverEnds):
		until = neverEnds
	}
	return map[string]string{
		roleBadges: strconv.Itoa(f.Badges), roleLevel: strconv.Itoa(f.Level), roleCertified: certified,
		roleUntil: until.UTC().Format(time.RFC3339),
	}
}

// Withdraw implements [core.RoleLink]. The values come first: where the
// connection itself cannot be deleted, no requirement is met any more.
func (r *Roles) Withdraw(ctx context.Context, t core.RoleTokens) error {
	if err := r.Tell(ctx, t, core.RoleFacts{}); err != nil {
		return err
	}
	_, err := r.as(ctx, http.MethodDelete, r.endpoint(), t, nil)
	var d *core.DeliveryError
	if errors.As(err, &d) && (d.Class == core.PlaceGone || d.Class == core.Invalid) {
		return nil
	}
	return err
}

// Revoke implements [core.RoleLink]. Discord revokes all tokens of the same
// consent together.
func (r *Roles) Revoke(ctx context.Context, t core.RoleTokens) error {
	_, err := r.post(ctx, pathRevoke, url.Values{"token": {t.Access.Reveal()}, "token_type_hint": {"access_token"}})
	return err
}

// checkSecret tries the client secret.
func (r *Roles) checkSecret(ctx context.Context) error {
	_, err := r.post(ctx, pathToken, url.Values{"grant_type": {"client_credentials"}, "scope": {scopeWhose}})
	return err
}

// post calls an endpoint for tokens.
func (r *Roles) post(ctx context.Context, path string, form url.Values) (*note, error) {
	if r.secret == "" {
		return nil, badClient("missing")
	}
	req, err := http.NewRequest(http.MethodPost, r.base+path, strings.NewReader(form.Encode())) //nolint:noctx // It gets its context when it is sent.
	if err != nil {
		return nil, callError(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(r.a.application, r.secret.Reveal())
	n, err := r.send(ctx, req, route{template: "POST " + path, exact: "POST " + path, hook: true})
	if err != nil {
		return nil, err
	}
	if n.status >= 200 && n.status <= 299 {
		return n, nil
	}
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(n.body, &said) // What cannot be read is no known error.
	switch {
	case said.Error == "invalid_grant", n.status == http.StatusBadRequest && said.Error == "invalid_request":
		// Discord says the second of refresh tokens that were used before.
		return nil, fmt.Errorf("%s: %w", said.Error, core.ErrGone)
	case said.Error == "invalid_client", n.status == http.StatusUnauthorized:
		return nil, badClient("invalid_client")
	}
	return nil, answerError(n, false)
}

// badClient says that the client secret is not the application's
// (https://datatracker.ietf.org/doc/html/rfc6749#section-5.2).
func badClient(code string) error {
	return &core.DeliveryError{Class: core.InstallationDead, Code: code, Err: core.ErrRoleClient}
}

// as calls with a person's token. Everybody's calls count apart.
func (r *Roles) as(ctx context.Context, method, endpoint string, t core.RoleTokens, in any) (*note, error) {
	body := ""
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode role connection: %w", err)
		}
		body = string(data)
	}
	req, err := http.NewRequest(method, endpoint, strings.NewReader(body)) //nolint:noctx // It gets its context when it is sent.
	if err != nil {
		return nil, callError(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+t.Access.Reveal())
	sum := sha256.Sum256([]byte(t.Access.Reveal()))
	whose := base64.RawURLEncoding.EncodeToString(sum[:12])
	n, err := r.send(ctx, req, route{template: method + " " + endpoint, major: whose, exact: method + " " + endpoint + " " + whose, hook: true})
	switch {
	case err != nil:
		return nil, err
	case n.status == http.StatusUnauthorized:
		return nil, core.ErrGone
	case n.status < 200 || n.status > 299:
		e := answerError(n, false)
		if e.Code == codeMissingScope || e.Code == codeBadToken {
			return nil, core.ErrGone
		}
		return nil, e
	}
	return n, nil
}

// Codes of tokens that do not allow a call
// (https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes).
const (
	codeBadToken     = "50025"
	codeMissingScope = "50026"
)

func (r *Roles) send(ctx context.Context, req *http.Request, where route) (*note, error) {
	if err := r.a.limits.admit(ctx, &where); err != nil {
		return nil, err
	}
	ctx, n := withNote(ctx)
	resp, err := r.a.hooks.client.Do(req.WithContext(ctx))
	if err != nil {
		return nil, callError(err)
	}
	// The transport has read and closed the real body.
	if err := resp.Body.Close(); err != nil {
		return nil, callError(err)
	}
	r.a.limits.done(ctx, where, n)
	return n, nil
}

// recordsEndpoint is where an application's records are.
func (r *Roles) recordsEndpoint() string {
	return discordgo.EndpointApplication(r.a.application) + "/role-connections/metadata"
}

// registered reports whether Discord's records are what they should be.
func (r *Roles) registered(ctx context.Context) (bool, error) {
	var there []roleRecord
	if err := r.a.look(ctx, r.recordsEndpoint(), &there); err != nil {
		return false, err
	}
	return slices.EqualFunc(there, r.records, func(a, b roleRecord) bool {
		return a.Type == b.Type && a.Key == b.Key && a.Name == b.Name && a.Description == b.Description &&
			sameTexts(a.Names, b.Names) && sameTexts(a.Descriptions, b.Descriptions)
	}), nil
}

func sameTexts(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// Register tells Discord the records, when they differ. It reports whether it
// changed them.
func (r *Roles) Register(ctx context.Context) (changed bool, err error) {
	same, err := r.registered(ctx)
	if err != nil {
		return false, fmt.Errorf("read role records: %w", err)
	}
	if same {
		return false, nil
	}
	if err := r.a.bot.do(ctx, http.MethodPut, r.recordsEndpoint(), r.records, nil); err != nil {
		return false, fmt.Errorf("overwrite role records: %w", err)
	}
	return true, nil
}

// findings compare what Discord knows with what roles need.
func (r *Roles) findings(ctx context.Context, verification string, redirects []string) []Finding {
	secret := Finding{OK: true, Name: "Discord client secret", Detail: "works"}
	if err := r.checkSecret(ctx); err != nil {
		secret.OK, secret.Detail, secret.Mend = false, err.Error(), "check that Discord can be reached and try again"
		if errors.Is(err, core.ErrRoleClient) {
			secret.Mend = "set DISCORD_CLIENT_SECRET to the one under OAuth2 in the developer portal"
		}
	}
	page := strings.TrimSuffix(r.a.publicURL, "/") + chat.PathRoles
	link := Finding{OK: verification == page, Name: "Discord linked roles", Detail: verification}
	if !link.OK {
		link.Mend = "set the Linked Roles Verification URL under General Information in the developer portal to " + page
		if verification == "" {
			link.Detail = "have no verification URL"
		}
	}
	back := Finding{OK: slices.Contains(redirects, r.callback()), Name: "Discord redirect", Detail: "leads back to the pages"}
	if !back.OK {
		back.Detail, back.Mend = "is missing", "add the redirect "+r.callback()+" under OAuth2 in the developer portal"
	}
	records := Finding{Name: "Discord role records", Detail: "are registered"}
	switch same, err := r.registered(ctx); {
	case err != nil:
		records.Detail, records.Mend = err.Error(), "check that Discord can be reached and try again"
	case !same:
		records.Detail, records.Mend = "are missing or outdated", "start the bot: it registers them"
	default:
		records.OK = true
	}
	return []Finding{secret, link, back, records}
}
