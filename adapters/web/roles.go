package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Roles connect people's badges with the roles of a chat platform;
// [core.Roles] does.
type Roles interface {
	Begin() core.RoleStart
	Began(cookie core.Secret, state string) bool
	Finish(ctx context.Context, cookie core.Secret, state, code string) (core.RoleResult, error)
}

var _ Roles = (*core.Roles)(nil)

// rolesCookie holds what the browser keeps on the way to the platform and
// back.
const rolesCookie = "laurel-roles"

// rolesDone is where people end, with how it stands.
const rolesDone = chat.PathRoles + "/done/"

// roleRoutes registers /roles and what lies below it.
func (p *Pages) roleRoutes(mux *http.ServeMux) {
	if p.roles == nil {
		return
	}
	mux.Handle(chat.PathRoles, p.route("roles", p.offerRoles, p.beginRoles))
	mux.Handle(chat.PathRolesCallback, p.route("roles-callback", p.finishRoles, nil))
	mux.Handle(rolesDone+"{how}", p.route("roles-done", p.rolesDone, nil))
}

// offerRoles says what the platform would know.
func (p *Pages) offerRoles(_ context.Context, r *http.Request) answer {
	return answer{status: http.StatusOK, view: &view{
		page: "roles", words: p.words(r, ""), towards: p.rolesAt,
		TitleID: "web.roles.title", TextID: "web.roles.lead", ButtonID: "web.roles.button",
	}}
}

// beginRoles sends a person to the platform, and lets the browser remember it.
func (p *Pages) beginRoles(context.Context, *http.Request) answer {
	start := p.roles.Begin()
	return answer{
		status: http.StatusSeeOther, location: start.URL,
		header: http.Header{"Set-Cookie": {p.rolesCookie(start.Cookie.Reveal(), int(start.TTL/time.Second))}},
	}
}

// rolesCookie comes back from the platform's page, which is another site, only
// by a link that a person follows: that is what Lax allows
// (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#samesitesamesite-value).
func (p *Pages) rolesCookie(value string, maxAge int) string {
	c := http.Cookie{ //nolint:gosec // Without encryption, on one's own machine, browsers refuse a secure one.
		Name: rolesCookie, Value: value, Path: p.base() + chat.PathRoles, MaxAge: maxAge, HttpOnly: true,
		Secure: p.public.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
	return c.String()
}

// finishRoles takes in who comes back from the platform. Only the browser that
// was sent there can use what it brings, and only once: what it kept is taken
// away.
func (p *Pages) finishRoles(ctx context.Context, r *http.Request) answer {
	a := p.finishedRoles(ctx, r)
	a.header = http.Header{"Set-Cookie": {p.rolesCookie("", -1)}}
	return a
}

func (p *Pages) finishedRoles(ctx context.Context, r *http.Request) answer {
	q := r.URL.Query()
	var cookie core.Secret
	if c, err := r.Cookie(rolesCookie); err == nil {
		cookie = core.Secret(c.Value)
	}
	switch {
	case !comes(r) || !p.roles.Began(cookie, q.Get("state")):
		return p.rolesAgain(r, "web.roles.over", http.StatusBadRequest, "state")
	case !p.turns.take("roles " + q.Get("state")):
		return p.busy(r)
	case q.Get("error") == "access_denied":
		return p.rolesAgain(r, "web.roles.denied", http.StatusOK, "")
	case q.Get("error") != "":
		// Discord says what is wrong with the request that we made.
		return p.rolesAgain(r, "web.roles.unreachable", http.StatusBadGateway, "error")
	}
	how, err := p.roles.Finish(ctx, cookie, q.Get("state"), q.Get("code"))
	var failed *core.DeliveryError
	switch {
	case errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrGone):
		return p.rolesAgain(r, "web.roles.over", http.StatusGone, "code")
	case errors.As(err, &failed):
		a := p.rolesAgain(r, "web.roles.unreachable", http.StatusServiceUnavailable, "")
		a.err, a.retry = err, retryAfter
		return a
	case err != nil:
		return p.failed(r, err)
	}
	return answer{status: http.StatusSeeOther, location: p.base() + rolesDone + string(how)}
}

// rolesAgain is a page from which everything can be begun once more.
func (p *Pages) rolesAgain(r *http.Request, prefix string, status int, refused string) answer {
	v := notice(p.words(r, ""), prefix, nil)
	v.page, v.ButtonID, v.Target, v.Icon = "again", "web.roles.again", p.base()+chat.PathRoles, "clock"
	if prefix == "web.roles.denied" {
		v.Icon = "info"
	}
	if prefix == "web.roles.unreachable" {
		v.NextID = ""
	}
	return answer{status: status, view: v, refused: refused}
}

// rolesDone says how it stands. It knows nothing of anybody: the address of the
// page says it all.
func (p *Pages) rolesDone(_ context.Context, r *http.Request) answer {
	how := core.RoleResult(r.PathValue("how"))
	icon, known := map[core.RoleResult]string{
		core.RolesTold: "good", core.RolesEmpty: "good", core.RolesUnlinked: "info", core.RolesLater: "clock",
	}[how]
	if !known {
		v := notice(p.words(r, ""), "web.unknown", nil)
		v.NextID = "web.share.unknown.next"
		return answer{status: http.StatusNotFound, view: v, refused: "unknown"}
	}
	v := notice(p.words(r, ""), "web.roles."+string(how), nil)
	v.Icon = icon
	return answer{status: http.StatusOK, view: v}
}
