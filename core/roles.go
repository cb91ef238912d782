package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// RoleFacts are what a chat platform is told of a person, so that servers can
// give roles to the certified. Only public badges of verified addresses that
// are not over count: what somebody has not shown to the world does not show
// in a role either.
type RoleFacts struct {
	// Badges is how many count.
	Badges int
	// Level is the highest level of those, by the operator's list; 0 for none.
	Level int
	// ValidUntil is the earliest end among them; zero where none of them ends,
	// or none counts.
	ValidUntil time.Time
}

// Certified reports whether any badge counts.
func (f RoleFacts) Certified() bool { return f.Badges > 0 }

// String names the facts: equal facts have equal names. It holds no name of
// anybody.
func (f RoleFacts) String() string {
	end := "-"
	if !f.ValidUntil.IsZero() {
		end = f.ValidUntil.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%d %d %s", f.Badges, f.Level, end)
}

// RoleLevels are the levels of templates, by the provider's ids of these.
type RoleLevels map[string]int

// RoleFactsOf makes the facts of a person with these badges. At until they
// change by themselves; zero for never.
func RoleFactsOf(badges []BadgeView, levels RoleLevels, now time.Time) (f RoleFacts, until time.Time) {
	for _, v := range badges {
		b := v.Badge
		if b.Stage != StagePublic || !b.ExpiresAt.IsZero() && !now.Before(b.ExpiresAt) {
			continue
		}
		f.Badges++
		f.Level = max(f.Level, levels[b.Template.ID])
		if end := b.ExpiresAt; !end.IsZero() && (f.ValidUntil.IsZero() || end.Before(f.ValidUntil)) {
			f.ValidUntil = end
		}
	}
	return f, f.ValidUntil
}

// Times of connections.
const (
	// roleLease is how long a connection is kept for who took it, roleWork how
	// long that may take, and roleRefresh how much longer where tokens are
	// replaced at its end.
	roleLease   = time.Minute
	roleWork    = 40 * time.Second
	roleRefresh = 15 * time.Second
	// roleLook is how often facts are compared with what was told without
	// anything having changed, and roleRetell how often they are told again.
	roleLook   = 24 * time.Hour
	roleRetell = 7 * 24 * time.Hour
	// roleMargin is how long before their end tokens are replaced.
	roleMargin = time.Hour
	// keepUnlinked is how long a connection waits for its person to link an
	// address.
	keepUnlinked = 30 * 24 * time.Hour
	// keepEnding is how long it is tried to take back what was told, and
	// endingTries how often at least: time in which nobody tried does not count.
	keepEnding  = 24 * time.Hour
	endingTries = 20
	// keepTokens is how long tokens are kept at most that are good for nothing:
	// those of a connection that ends, and those of one that failed keepTries
	// times in a row.
	keepTokens = 30 * 24 * time.Hour
	keepTries  = 600
	// firstRolePause and longestRolePause are between failures.
	firstRolePause   = 30 * time.Second
	longestRolePause = time.Hour
	// refusedPause is how long nothing is asked by the application's own
	// credentials after these were refused: platforms count such calls.
	refusedPause = 15 * time.Minute
	// unreadablePause is how long tokens that cannot be opened are left alone:
	// another replica may know their key.
	unreadablePause = 10 * time.Minute
	// roleBatch and roleWorkers bound what is done at once.
	roleBatch   = 50
	roleWorkers = 8
)

// Roles keep what a platform knows of people, for its roles, in line with
// their badges.
type Roles struct {
	Store Store
	Clock Clock
	Keys  *Keys
	// Link speaks with the platform. Where the application's credentials are
	// not set up it says [ErrRoleClient] to what needs them: then connections
	// that are there end in time.
	Link   RoleLink
	Levels RoleLevels
	Log    *slog.Logger
	// refused is until when the application's credentials are not tried, in
	// milliseconds.
	refused atomic.Int64
}

// RoleCounts is what a look at several connections led to.
type RoleCounts struct {
	// Told and Withdrawn are those at the platform, Lost are connections that
	// the platform ended, Failed those that are tried again.
	Looked, Told, Withdrawn, Lost, Failed int
	// Replaced are connections that ended after their person had made another:
	// nothing was taken back.
	Replaced int
	// GivenUp are connections that were deleted though the platform was never
	// told so.
	GivenUp int
	// Refused are those that wait for the operator, because the platform does
	// not take the application's credentials; Unreadable those whose tokens no
	// key opens. Both are left as they are.
	Refused, Unreadable int
}

// Tick looks at every connection whose time has come.
func (r *Roles) Tick(ctx context.Context) (RoleCounts, error) {
	var total RoleCounts
	for {
		n, err := r.batch(ctx, "", &total)
		if err != nil || n < roleBatch || ctx.Err() != nil {
			return total, err
		}
	}
}

// batch takes and looks at some connections, several at once.
func (r *Roles) batch(ctx context.Context, only string, total *RoleCounts) (int, error) {
	now := r.Clock.Now()
	due, err := r.Store.TakeRoles(ctx, now, now.Add(roleLease), roleBatch, only)
	if err != nil {
		return 0, fmt.Errorf("take role connections: %w", err)
	}
	work, cancel := context.WithTimeout(ctx, roleWork)
	defer cancel()
	before := total.Unreadable
	var mu sync.Mutex
	var errs []error
	var group sync.WaitGroup
	turn := make(chan struct{}, roleWorkers)
	for _, c := range due {
		turn <- struct{}{}
		group.Go(func() {
			defer func() { <-turn }()
			did, err := r.look(ctx, work, c)
			mu.Lock()
			defer mu.Unlock()
			total.Looked++
			total.add(did)
			errs = append(errs, err)
		})
	}
	group.Wait()
	if unreadable := total.Unreadable - before; unreadable > 0 {
		r.Log.ErrorContext(ctx, "tokens of roles were sealed with a key that is not in SECRET_KEY, and are left alone", "connections", unreadable)
	}
	return len(due), errors.Join(errs...)
}

// did is what a look at one connection led to.
type did int

const (
	didNothing did = iota
	didTell
	didWithdraw
	didLose
	didFail
	didReplace
	didGiveUp
	didRefuse
	didNotRead
)

func (c *RoleCounts) add(d did) {
	switch d {
	case didTell:
		c.Told++
	case didWithdraw:
		c.Withdrawn++
	case didLose:
		c.Lost++
	case didFail:
		c.Failed++
	case didReplace:
		c.Replaced++
	case didGiveUp:
		c.GivenUp++
	case didRefuse:
		c.Refused++
	case didNotRead:
		c.Unreadable++
	case didNothing:
	}
}

// look does what one connection needs; the platform is called within work.
// What fails there is tried again later and is no error; errors are those of
// the store.
func (r *Roles) look(ctx, work context.Context, c RoleConnection) (did, error) {
	now := r.Clock.Now()
	if c.Unreadable {
		return didNotRead, r.finish(ctx, RoleOutcome{
			Connection: c, Told: c.Told, ToldAt: c.ToldAt, Failures: c.Failures, Next: now.Add(unreadablePause),
		})
	}
	if waited := c.Since.Add(keepUnlinked); !c.Ending && c.MemberID == "" && !now.Before(waited) {
		c.Ending, c.Since = true, waited
	}
	if c.Ending {
		return r.withdraw(ctx, work, c, now)
	}
	var facts RoleFacts
	next := now.Add(roleLook)
	if c.MemberID != "" {
		badges, err := r.Store.BadgesOf(ctx, c.MemberID)
		if err != nil {
			return didFail, fmt.Errorf("read badges for roles: %w", err)
		}
		var until time.Time
		if facts, until = RoleFactsOf(badges, r.Levels, now); !until.IsZero() && until.Before(next) {
			next = until
		}
	}
	if c.Told == facts.String() && now.Before(c.ToldAt.Add(roleRetell)) {
		return didNothing, r.finish(ctx, RoleOutcome{Connection: c, Told: c.Told, ToldAt: c.ToldAt, Next: next})
	}
	err := r.with(work, &c, now, func(t RoleTokens) error { return r.Link.Tell(work, t, facts) })
	switch {
	case errors.Is(err, ErrUnmet):
		return didNothing, nil
	case errors.Is(err, ErrGone):
		return didLose, r.lose(ctx, c, now)
	case err != nil && c.Failures+1 >= keepTries && !now.Before(later(c.Since, c.ToldAt).Add(keepTokens)):
		r.Log.ErrorContext(ctx, "give up telling roles", "failures", c.Failures+1, "err", err)
		return didGiveUp, r.drop(ctx, c, nil)
	case err != nil:
		return r.fail(ctx, c, now, err)
	}
	return didTell, r.finish(ctx, RoleOutcome{Connection: c, Told: facts.String(), ToldAt: now, Next: next})
}

// with calls f with tokens that are good for a while, and once more with new
// ones where the platform does not take them.
func (r *Roles) with(ctx context.Context, c *RoleConnection, now time.Time, f func(RoleTokens) error) error {
	fresh := false
	if !now.Before(c.Tokens.EndsAt.Add(-roleMargin)) {
		if err := r.refresh(ctx, c); err != nil {
			return err
		}
		fresh = true
	}
	err := f(c.Tokens)
	if fresh || !errors.Is(err, ErrGone) {
		return err
	}
	if err := r.refresh(ctx, c); err != nil {
		return err
	}
	return f(c.Tokens)
}

// refresh replaces the tokens and stores the new ones before they are used: the
// former ones are void from the moment the platform answers.
func (r *Roles) refresh(ctx context.Context, c *RoleConnection) error {
	if c.Tokens.Refresh == "" {
		return ErrGone
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// Whatever ends meanwhile: nobody else will ever hear these tokens.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), roleRefresh)
	defer cancel()
	var t RoleTokens
	err := r.byClient(ctx, func() (err error) {
		t, err = r.Link.Refresh(ctx, c.Tokens)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.Store.SaveRoleTokens(ctx, *c, t); err != nil {
		return err
	}
	c.Tokens = t
	return nil
}

// byClient calls f, which needs the application's own credentials, unless these
// were refused a moment ago.
func (r *Roles) byClient(ctx context.Context, f func() error) error {
	now := r.Clock.Now()
	if now.UnixMilli() < r.refused.Load() {
		return ErrRoleClient
	}
	err := f()
	if errors.Is(err, ErrRoleClient) {
		former := r.refused.Swap(now.Add(refusedPause).UnixMilli())
		if former <= now.UnixMilli() {
			r.Log.ErrorContext(ctx, "roles are neither kept current nor taken back until the application's client secret is mended", "err", err)
		}
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *Roles) finish(ctx context.Context, o RoleOutcome) error {
	if err := r.Store.FinishRoles(ctx, o); err != nil {
		return fmt.Errorf("finish role connection: %w", err)
	}
	return nil
}

// fail has the connection tried again later. Waiting for a limit is no failure,
// nor is it one of a connection that ends when the operator has to mend
// something.
func (r *Roles) fail(ctx context.Context, c RoleConnection, now time.Time, err error) (did, error) {
	wait := firstRolePause << min(c.Failures, 10)
	failures, what := c.Failures+1, didFail
	var d *DeliveryError
	switch {
	case errors.Is(err, ErrRoleClient):
		wait, what = longestRolePause, didRefuse
		if c.Ending {
			failures = c.Failures
		}
	case errors.As(err, &d) && d.Class == RetryLater:
		wait, failures = d.After, c.Failures
	default:
		r.Log.WarnContext(ctx, "tell roles later", "failures", failures, "err", err)
	}
	return what, r.finish(ctx, RoleOutcome{
		Connection: c, Told: c.Told, ToldAt: c.ToldAt, Failures: failures, Next: now.Add(min(wait, longestRolePause)),
	})
}

// lose notes that the platform ended the connection, and tells its person
// once.
func (r *Roles) lose(ctx context.Context, c RoleConnection, now time.Time) error {
	return r.drop(ctx, c, func(ctx context.Context, tx Tx) error {
		if c.MemberID == "" {
			return nil
		}
		accounts, err := tx.AccountsOf(ctx, c.MemberID)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if a.Identity != c.Identity {
				continue
			}
			post, err := tx.AddPost(ctx, Post{ID: NewID(), Account: a, Subject: Subject{Kind: SubjectRoles, ID: a.ID}}, now)
			if err != nil {
				return err
			}
			if err := tx.Tell(ctx, post, true, now); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, c.MemberID, "roles.lost", "", now)
	})
}

// drop deletes a connection, with what follows from that.
func (r *Roles) drop(ctx context.Context, c RoleConnection, then func(context.Context, Tx) error) error {
	err := r.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.DropRoles(ctx, c); err != nil || then == nil {
			return err
		}
		return then(ctx, tx)
	})
	if errors.Is(err, ErrUnmet) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("drop role connection: %w", err)
	}
	return nil
}

// RoleView is what a person is shown of their roles.
type RoleView struct {
	// Connected is nil without a connection.
	Connected *RoleStanding
	Facts     RoleFacts
	// Levels says that there are levels at all.
	Levels bool
}

// View says how it stands for the actor, who has a connection perhaps without
// being known otherwise.
func (r *Roles) View(ctx context.Context, p Person, actor Identity) (RoleView, error) {
	v := RoleView{Levels: len(r.Levels) > 0}
	if p.Account != nil {
		badges, err := r.Store.BadgesOf(ctx, p.MemberID())
		if err != nil {
			return v, fmt.Errorf("read badges for roles: %w", err)
		}
		v.Facts, _ = RoleFactsOf(badges, r.Levels, r.Clock.Now())
	}
	standing, err := r.Store.RoleStanding(ctx, actor)
	if errors.Is(err, ErrNotFound) {
		return v, nil
	}
	v.Connected = &standing
	return v, err
}

// Disconnect lets the actor's connection end. [ErrNotFound] without one.
func (r *Roles) Disconnect(ctx context.Context, p Person, actor Identity) error {
	err := r.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := r.Clock.Now()
		if err := tx.DisconnectRoles(ctx, actor, now); err != nil {
			return err
		}
		return tx.Audit(ctx, p.MemberID(), "roles.disconnected", "", now)
	})
	if err != nil {
		return fmt.Errorf("disconnect roles: %w", err)
	}
	return nil
}
