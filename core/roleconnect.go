package core

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// roleStateTTL is how long a person may take to agree.
const roleStateTTL = 10 * time.Minute

// RoleStart is how a person is sent to the platform: the browser keeps Cookie
// until it comes back from URL.
type RoleStart struct {
	Cookie Secret
	URL    string
	// TTL is how long that may take.
	TTL time.Duration
}

// Begin sends somebody to the platform. Nothing is stored: what comes back is
// held against what the browser kept.
func (r *Roles) Begin() RoleStart {
	cookie := rand.Text()
	end := r.Clock.Now().Add(roleStateTTL).UTC().Format(stateTime)
	return RoleStart{Cookie: Secret(cookie), URL: r.Link.AuthorizeURL(end + r.Keys.HashCode(cookie, roleState+end)), TTL: roleStateTTL}
}

const (
	// stateTime is how the end of a state is written.
	stateTime = "20060102150405"
	// roleState keeps hashes of states apart from those of codes.
	roleState = "roles."
	// maxRoleCookie and maxRoleCode bound what is looked at.
	maxRoleCookie = 100
	maxRoleCode   = 500
)

// began reports whether this browser was sent to the platform lately, with
// this state.
func (r *Roles) began(cookie Secret, state string) bool {
	if len(cookie) > maxRoleCookie || len(state) <= len(stateTime) || strings.TrimSpace(cookie.Reveal()) == "" {
		return false
	}
	end, hash := state[:len(stateTime)], state[len(stateTime):]
	at, err := time.Parse(stateTime, end)
	return err == nil && r.Clock.Now().Before(at) && r.Keys.SameCode(cookie.Reveal(), roleState+end, hash)
}

// RoleResult is what a connection led to.
type RoleResult string

// Results.
const (
	// RolesTold: badges count, and the platform knows.
	RolesTold RoleResult = "told"
	// RolesEmpty: no badge counts yet.
	RolesEmpty RoleResult = "empty"
	// RolesUnlinked: the account has linked no address yet.
	RolesUnlinked RoleResult = "unlinked"
	// RolesLater: the platform could not be told yet.
	RolesLater RoleResult = "later"
)

// Began reports whether what a browser brings back belongs to where it was
// sent, see [Roles.Begin].
func (r *Roles) Began(cookie Secret, state string) bool { return r.began(cookie, state) }

// Finish connects the person who comes back from the platform with a code.
// [ErrNotFound] when this browser was not sent there, or too long ago;
// [ErrGone] when the platform does not take the code.
func (r *Roles) Finish(ctx context.Context, cookie Secret, state, code string) (RoleResult, error) {
	if !r.began(cookie, state) {
		return "", ErrNotFound
	}
	if code == "" || len(code) > maxRoleCode {
		return "", ErrGone
	}
	t, err := r.Link.Exchange(ctx, code)
	if err != nil {
		return "", fmt.Errorf("exchange code: %w", err)
	}
	owner, err := r.Link.Owner(ctx, t)
	if err != nil {
		return "", fmt.Errorf("ask whose roles: %w", err)
	}
	id, err := r.Store.ConnectRoles(ctx, owner, t, r.Clock.Now())
	if err != nil {
		return "", fmt.Errorf("connect roles: %w", err)
	}
	// The platform's own window waits for this: later is soon enough only where
	// it fails.
	var n RoleCounts
	if _, err := r.batch(ctx, id, &n); err != nil {
		return "", err
	}
	p, err := r.Store.Person(ctx, owner)
	if err != nil {
		return "", fmt.Errorf("find connected person: %w", err)
	}
	v, err := r.View(ctx, p, owner)
	switch {
	case err != nil:
		return "", err
	case len(p.Addresses) == 0:
		return RolesUnlinked, nil
	case n.Told == 0:
		return RolesLater, nil
	case !v.Facts.Certified():
		return RolesEmpty, nil
	}
	return RolesTold, nil
}
