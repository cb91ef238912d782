package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errNewer says that the person made another connection meanwhile: what the
// platform knows is that one's.
var errNewer = errors.New("another connection took its place")

// withdraw takes back what was told, and forgets the connection. After a day of
// failures it does that without taking anything back, and so it does where the
// operator mended nothing for [keepTokens].
func (r *Roles) withdraw(ctx, work context.Context, c RoleConnection, now time.Time) (did, error) {
	owner, err := r.takeBack(work, &c, now)
	what := didWithdraw
	switch {
	case err == nil:
	case errors.Is(err, errNewer):
		what = didReplace
	case errors.Is(err, ErrUnmet):
		what = didNothing
	case errors.Is(err, ErrGone) && c.Tokens.Refresh != "":
	case !errors.Is(err, ErrGone) && !hopeless(c, now):
		return r.fail(ctx, c, now, err)
	default:
		what = didGiveUp
		r.Log.ErrorContext(ctx, "give up taking roles back: what the platform was told, or its tokens, may stay there", "failures", c.Failures+1, "err", err)
	}
	return what, r.end(ctx, c, owner, now, what)
}

// hopeless reports whether a connection was ending for long enough when it
// failed once more.
func hopeless(c RoleConnection, now time.Time) bool {
	long := !now.Before(c.Since.Add(keepEnding)) && c.Failures+1 >= endingTries
	return long || !now.Before(c.Since.Add(keepTokens))
}

// takeBack makes the platform forget what it was told, and returns whose that
// was: the connections of a person are one to the platform, so that taking back
// an old one would take the new one as well. Of who is forgotten only the
// platform knows who it is.
func (r *Roles) takeBack(ctx context.Context, c *RoleConnection, now time.Time) (owner Identity, err error) {
	owner = c.Identity
	if owner.User == "" {
		err := r.with(ctx, c, now, func(t RoleTokens) (err error) {
			owner, err = r.Link.Owner(ctx, t)
			return err
		})
		if err != nil {
			return Identity{}, err
		}
	}
	for _, step := range []func() error{
		func() error {
			return r.with(ctx, c, now, func(t RoleTokens) error { return r.Link.Withdraw(ctx, t) })
		},
		func() error {
			return r.byClient(ctx, func() error { return r.Link.Revoke(ctx, c.Tokens) })
		},
	} {
		newer, err := r.Store.NewerRoles(ctx, *c, owner)
		if err != nil {
			return owner, err
		}
		if newer {
			return owner, errNewer
		}
		if err := step(); err != nil {
			return owner, err
		}
	}
	return owner, nil
}

// end deletes a connection whose work is done. One that its person made
// meanwhile is told anew: what became of the old one may have reached it.
func (r *Roles) end(ctx context.Context, c RoleConnection, owner Identity, now time.Time, what did) error {
	err := r.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.DropRoles(ctx, c); err != nil && !errors.Is(err, ErrUnmet) {
			return err
		}
		if what == didGiveUp {
			if err := tx.Audit(ctx, c.MemberID, "roles.given_up", "", now); err != nil {
				return err
			}
		}
		return tx.RetellRoles(ctx, owner, now)
	})
	if err != nil {
		return fmt.Errorf("end role connection: %w", err)
	}
	return nil
}
