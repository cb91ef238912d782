package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Audience is whom a digest is for.
type Audience string

// Audiences.
const (
	// AudienceTeam: everybody in the channel.
	AudienceTeam Audience = "team"
	// AudienceManagers: those who run the programme.
	AudienceManagers Audience = "managers"
)

// Every is how often there is a digest.
type Every string

// Frequencies: each Monday, and each first of the month.
const (
	EveryWeek  Every = "week"
	EveryMonth Every = "month"
)

// digestClock is when a digest comes, by the clock on the wall of its zone.
const digestClock = 9 * time.Hour

// MaxDigests is how many digests a team has at most: as many as fit on one
// card.
const MaxDigests = 5

// digestApart is the least time between two digests that somebody asked for.
const digestApart = time.Minute

// ErrTooManyDigests says that a team has as many digests as it can have.
var ErrTooManyDigests = errors.New("too many digests")

// Next returns when the first digest after t comes.
func (e Every) Next(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	// Days that a zone left out are no worry: one more is looked at.
	for step := 0; ; step++ {
		if at := e.at(local, step, zone); at.After(t) {
			return at
		}
	}
}

// Last returns when the last digest until t, t included, came.
func (e Every) Last(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	for step := 0; ; step-- {
		if at := e.at(local, step, zone); !at.After(t) {
			return at
		}
	}
}

// at returns when the digest comes in the week or month that is so many steps
// after that of t.
func (e Every) at(t time.Time, step int, zone *time.Location) time.Time {
	if e == EveryMonth {
		return atWall(t.Year(), t.Month()+time.Month(step), 1, digestClock, zone)
	}
	sinceMonday := (int(t.Weekday()) + 6) % 7
	return atWall(t.Year(), t.Month(), t.Day()-sinceMonday+7*step, digestClock, zone)
}

// Digest is a regular message in a channel of how the badges do.
type Digest struct {
	ID string
	// Team is the team or server that it belongs to, see [Account.Team].
	Team string
	// Account is that of the channel.
	Account     Account
	ChannelName string
	Audience    Audience
	Every       Every
	// Zone is an IANA name; Locale the language, BCP 47.
	Zone, Locale string
	// From is the beginning of the period that ends at Next.
	From, Next time.Time
}

// Location returns the zone, UTC where it is not known any more.
func (d Digest) Location() *time.Location {
	if zone, err := time.LoadLocation(d.Zone); err == nil && d.Zone != "Local" {
		return zone
	}
	return time.UTC
}

// DigestIssue is one digest that is sent: that of the time from From until
// before To.
type DigestIssue struct {
	ID       string
	Digest   Digest
	From, To time.Time
}

// Overtaken reports whether the next period is over as well: after an outage
// the last one is told of, and not each of them.
func (i DigestIssue) Overtaken(now time.Time) bool {
	return !now.Before(i.Digest.Every.Next(i.To, i.Digest.Location()))
}

// DigestFacts are what a digest tells: numbers that name nobody.
type DigestFacts struct {
	// Claimed, Accepted and Public are the badges that came so far in the
	// period for the first time, whenever they were earned.
	Claimed, Accepted, Public int64
	// TimeToClaim is the median time from being earned to being claimed of
	// those claimed in the period; zero where there are none.
	TimeToClaim time.Duration
	// Cohort is how far the badges earned in the period have come by now, and
	// Templates the same by template, those most earned first.
	Cohort    Funnel
	Templates []TemplateFacts
	// Standing are the badges that wait, are accepted and are public now, All
	// how far all have come; both a few minutes old at most.
	Standing Standing
	All      Funnel
	// Unlinked are badges that wait to be claimed and were issued to an
	// address that nobody has linked.
	Unlinked int64
	// Waiting are messages for people who cannot be reached now, Dead those
	// that were given up.
	Waiting, Dead int64
}

// Funnel counts badges by how far they came: whoever is further counts in
// every step before, also where it was gone elsewhere. What was taken back
// does not count.
type Funnel struct {
	Granted, Claimed, HandedOff, Accepted, Public, Shared int64
}

// Standing counts badges by the stage that they are in.
type Standing struct{ Waiting, Accepted, Public int64 }

// TemplateFacts is how the badges of a template that were earned in a period
// do.
type TemplateFacts struct {
	Name   string
	Cohort Funnel
}

// DigestStore keeps digests.
type DigestStore interface {
	// Digests returns those of a team, oldest first.
	Digests(ctx context.Context, team string) ([]Digest, error)
	// DueDigests returns up to limit digests after the cursor whose time has
	// come, in the order of (next, id).
	DueDigests(ctx context.Context, now time.Time, after Cursor, limit int) ([]Digest, error)
	// DigestIssue returns one, or [ErrNotFound].
	DigestIssue(ctx context.Context, id string) (DigestIssue, error)
	// DigestFacts counts for the time from from until before to. Counting all
	// badges may take longer than ctx lasts: then it fails, and the next call
	// goes on where it stopped.
	DigestFacts(ctx context.Context, from, to time.Time) (DigestFacts, error)
}

// DigestTx changes digests within a transaction.
type DigestTx interface {
	// AddDigest stores one, or returns [ErrTooManyDigests] when its team has
	// limit already.
	AddDigest(ctx context.Context, d Digest, limit int, now time.Time) error
	// RemoveDigest deletes one of the team with what was made of it, or
	// returns [ErrNotFound].
	RemoveDigest(ctx context.Context, id, team string) error
	// LockDigest returns one of the team and lets nobody else change it, or
	// issue of it, until the transaction ends. [ErrNotFound] for an unknown
	// one.
	LockDigest(ctx context.Context, id, team string) (Digest, error)
	// MoveDigest gives a digest its next period. [ErrUnmet] when d.Next is not
	// what is stored: another replica was faster.
	MoveDigest(ctx context.Context, d Digest, from, next time.Time) error
	// AddDigestIssue stores one and reports whether it did: not where the
	// digest has one of the same end already, nor, unless since is zero, one
	// that ends after since.
	AddDigestIssue(ctx context.Context, i DigestIssue, since time.Time) (bool, error)
}

// digestBatch is how many digests are read at once.
const digestBatch = 100

// Digests sends digests when their time comes, and when somebody asks.
type Digests struct {
	Store Store
	Clock Clock
}

// Issue sends all that are due and returns how many. One that fails does not
// keep the others from being sent.
func (s *Digests) Issue(ctx context.Context) (int, error) {
	var n int
	var errs []error
	var after Cursor
	for {
		due, err := s.Store.DueDigests(ctx, s.Clock.Now(), after, digestBatch)
		if err != nil {
			return n, errors.Join(append(errs, fmt.Errorf("read due digests: %w", err))...)
		}
		for _, d := range due {
			switch issued, err := s.issue(ctx, d); {
			case err != nil:
				errs = append(errs, fmt.Errorf("issue digest %s: %w", d.ID, err))
			case issued:
				n++
			}
			after = Cursor{At: d.Next, ID: d.ID}
		}
		if len(due) < digestBatch || ctx.Err() != nil {
			return n, errors.Join(errs...)
		}
	}
}

// issue sends a digest of the last whole period. That its next time moves and
// that the message is queued happens together or not at all, and of several
// replicas one moves it.
func (s *Digests) issue(ctx context.Context, d Digest) (issued bool, err error) {
	now, zone := s.Clock.Now(), d.Location()
	to := d.Every.Last(now, zone)
	i := DigestIssue{ID: NewID(), Digest: d, From: d.Every.Last(to.Add(-time.Nanosecond), zone), To: to}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		issued = false
		if err := tx.MoveDigest(ctx, d, to, d.Every.Next(now, zone)); err != nil {
			return err
		}
		// Somebody may have asked for the same one at this very time.
		fresh, err := tx.AddDigestIssue(ctx, i, time.Time{})
		if err != nil || !fresh {
			return err
		}
		issued = true
		return errors.Join(
			tx.Audit(ctx, "", "digest.issued", i.ID, now),
			sendDigest(ctx, tx, i, now),
		)
	})
	if errors.Is(err, ErrUnmet) {
		return false, nil
	}
	return issued, err
}

// sendDigest queues the message of an issue.
func sendDigest(ctx context.Context, tx Tx, i DigestIssue, now time.Time) error {
	post, err := tx.AddPost(ctx, Post{
		ID: NewID(), Account: i.Digest.Account, Subject: Subject{Kind: SubjectDigest, ID: i.ID},
	}, now)
	if err != nil {
		return err
	}
	return tx.Tell(ctx, post, true, now)
}

// Add makes a new digest, of which the first comes when the present period
// ends. The account is that of the channel and is made where it is missing.
// [ErrTooManyDigests] when the team has enough.
func (s *Digests) Add(ctx context.Context, actor string, d Digest) (Digest, error) {
	now := s.Clock.Now()
	d.ID = NewID()
	d.From, d.Next = d.Every.Last(now, d.Location()), d.Every.Next(now, d.Location())
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		account, err := tx.EnsureAccount(ctx, d.Account, now)
		if err != nil {
			return err
		}
		d.Account = account
		if err := tx.AddDigest(ctx, d, MaxDigests, now); err != nil {
			return err
		}
		return tx.Audit(ctx, actor, "digest.added", d.ID, now)
	})
	return d, err
}

// Remove ends a digest of a team. [ErrNotFound] for one that is not the
// team's.
func (s *Digests) Remove(ctx context.Context, actor, team, id string) error {
	now := s.Clock.Now()
	return s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.RemoveDigest(ctx, id, team); err != nil {
			return err
		}
		return tx.Audit(ctx, actor, "digest.removed", id, now)
	})
}

// SendNow sends a digest of the present period until now, so that people see
// what it looks like. [ErrTooMany] when there was one within a minute,
// [ErrNotFound] for one that is not the team's.
func (s *Digests) SendNow(ctx context.Context, actor, team, id string) (Digest, error) {
	now := s.Clock.Now()
	var d Digest
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		if d, err = tx.LockDigest(ctx, id, team); err != nil {
			return err
		}
		i := DigestIssue{ID: NewID(), Digest: d, From: d.Every.Last(now.Add(-time.Nanosecond), d.Location()), To: now}
		fresh, err := tx.AddDigestIssue(ctx, i, now.Add(-digestApart))
		if err != nil {
			return err
		}
		if !fresh {
			return ErrTooMany
		}
		if err := tx.Audit(ctx, actor, "digest.asked", i.ID, now); err != nil {
			return err
		}
		return sendDigest(ctx, tx, i, now)
	})
	return d, err
}
