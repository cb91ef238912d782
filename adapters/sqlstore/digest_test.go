package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// steady is a clock that a test sets.
type steady struct{ at atomic.Int64 }

func (c *steady) Now() time.Time   { return at(c.at.Load()) }
func (c *steady) set(t time.Time)  { c.at.Store(ms(t)) }
func steadyAt(t time.Time) *steady { c := &steady{}; c.set(t); return c }
func channelOf(id string) core.Account {
	return core.Account{Identity: core.ChannelIdentity("slack", "T1", id), Team: "slack:T1"}
}

func digestOf(channel string) core.Digest {
	return core.Digest{
		Team: "slack:T1", Account: channelOf(channel), ChannelName: "general", Audience: core.AudienceTeam,
		Every: core.EveryWeek, Zone: "Europe/Berlin", Locale: "de",
	}
}

func TestDigestsOfATeam(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock := steadyAt(start.Add(time.Hour)) // A Monday, after nine in Berlin.
		s := &core.Digests{Store: w.DB, Clock: clock}
		var ids []string
		for i := range core.MaxDigests {
			d, err := s.Add(t.Context(), "m1", digestOf(fmt.Sprintf("C%d", i)))
			w.must(err)
			ids = append(ids, d.ID)
		}
		if _, err := s.Add(t.Context(), "m1", digestOf("C9")); !errors.Is(err, core.ErrTooManyDigests) {
			t.Errorf("one too many: %v", err)
		}
		all, err := w.Digests(t.Context(), "slack:T1")
		w.must(err)
		first := digestOf("C0")
		first.ID, first.From, first.Next = ids[0], start.Add(-time.Hour), start.Add(167*time.Hour)
		first.Account = all[0].Account
		if len(all) != core.MaxDigests || !reflect.DeepEqual(all[0], first) || all[0].Account.Identity != channelOf("C0").Identity {
			t.Errorf("%d digests, the first %+v, want %+v", len(all), all[0], first)
		}
		if other, err := w.Digests(t.Context(), "slack:T2"); err != nil || len(other) != 0 {
			t.Errorf("of another team: %v, %v", other, err)
		}
		// Another team can neither remove one nor have it sent.
		if err := s.Remove(t.Context(), "m1", "slack:T2", ids[0]); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("removed by strangers: %v", err)
		}
		if _, err := s.SendNow(t.Context(), "m1", "slack:T2", ids[0]); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("sent by strangers: %v", err)
		}
		if _, err := s.SendNow(t.Context(), "m1", "slack:T1", ids[0]); err != nil {
			t.Error(err)
		}
		clock.set(clock.Now().Add(59 * time.Second))
		if _, err := s.SendNow(t.Context(), "m1", "slack:T1", ids[0]); !errors.Is(err, core.ErrTooMany) {
			t.Errorf("again within a minute: %v", err)
		}
		clock.set(clock.Now().Add(time.Second))
		if _, err := s.SendNow(t.Context(), "m1", "slack:T1", ids[0]); err != nil {
			t.Error(err)
		}
		w.must(s.Remove(t.Context(), "m1", "slack:T1", ids[0]))
		if n := w.count(`SELECT count(*) FROM digest_issues`); n != 0 {
			t.Errorf("%d issues of a digest that is gone", n)
		}
		// Nothing is left of the channels of a workspace that removed the bot.
		defer func() {
			w.tx(func(ctx context.Context, tx core.Tx) error {
				_, err := tx.EraseAccountsOf(ctx, "slack", "T1", 100, clock.Now())
				return err
			})
			for _, table := range []string{"digests", "digest_issues", "accounts", "members", "posts", "outbox"} {
				if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
					t.Errorf("%d rows in %s", n, table)
				}
			}
		}()
		if got := strings.Join(w.texts(`SELECT kind FROM audit WHERE actor = 'm1' ORDER BY id`), " "); got !=
			strings.Repeat("digest.added ", core.MaxDigests)+"digest.asked digest.asked digest.removed" {
			t.Errorf("audit: %s", got)
		}
	})
}

// errDied stands for the end of a process.
var errDied = errors.New("died")

// dying is a store whose transactions end at their n-th step: before it is
// done, or right after everything was stored.
type dying struct {
	core.Store
	steps int
	after bool
}

func (d *dying) InTx(ctx context.Context, f func(context.Context, core.Tx) error) error {
	err := d.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
		return f(ctx, &dyingTx{Tx: tx, steps: d.steps})
	})
	if err == nil && d.after {
		return errDied
	}
	return err
}

type dyingTx struct {
	core.Tx
	steps int
}

func (t *dyingTx) step() error {
	if t.steps--; t.steps == 0 {
		return errDied
	}
	return nil
}

func (t *dyingTx) MoveDigest(ctx context.Context, d core.Digest, from, next time.Time) error {
	return errors.Join(t.Tx.MoveDigest(ctx, d, from, next), t.step())
}

func (t *dyingTx) AddDigestIssue(ctx context.Context, i core.DigestIssue, since time.Time) (bool, error) {
	fresh, err := t.Tx.AddDigestIssue(ctx, i, since)
	return fresh, errors.Join(err, t.step())
}

func (t *dyingTx) AddPost(ctx context.Context, p core.Post, now time.Time) (string, error) {
	id, err := t.Tx.AddPost(ctx, p, now)
	return id, errors.Join(err, t.step())
}

func (t *dyingTx) Tell(ctx context.Context, id string, fallback bool, now time.Time) error {
	return errors.Join(t.Tx.Tell(ctx, id, fallback, now), t.step())
}

// Wherever a replica dies, the digest of a period is queued once, and one that
// nobody sent for weeks is sent for the last of them.
func TestDigestIsIssuedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock := steadyAt(start)
		good := &core.Digests{Store: w.DB, Clock: clock}
		d, err := good.Add(t.Context(), "", digestOf("C1"))
		w.must(err)
		issues := 0
		for week, die := range []*dying{
			{Store: w.DB},
			{Store: w.DB, steps: 1},
			{Store: w.DB, steps: 2},
			{Store: w.DB, steps: 3},
			{Store: w.DB, steps: 4},
			{Store: w.DB, after: true},
		} {
			clock.set(d.Next.Add(time.Duration(week) * 7 * 24 * time.Hour).Add(-time.Millisecond))
			if n, err := good.Issue(t.Context()); n != 0 || err != nil {
				t.Errorf("week %d, too early: %d, %v", week, n, err)
			}
			clock.set(clock.Now().Add(time.Millisecond))
			if _, err := (&core.Digests{Store: die, Clock: clock}).Issue(t.Context()); (err != nil) != (die.steps > 0 || die.after) {
				t.Errorf("week %d: %v", week, err)
			}
			for range 2 {
				_, err := good.Issue(t.Context())
				w.must(err)
			}
			issues++
			if n := w.count(`SELECT count(*) FROM outbox o JOIN posts p ON p.id = o.ref JOIN digest_issues i ON i.id = p.subject_id
				WHERE p.subject_kind = 'digest'`); n != issues {
				t.Fatalf("week %d: %d messages, want %d", week, n, issues)
			}
		}
		// Ten weeks later.
		clock.set(clock.Now().Add(10*7*24*time.Hour + time.Hour))
		n, err := good.Issue(t.Context())
		if n != 1 || err != nil {
			t.Errorf("after ten weeks: %d, %v", n, err)
		}
		id := w.texts(`SELECT id FROM digest_issues ORDER BY to_at DESC LIMIT 1`)[0]
		i, err := w.DigestIssue(t.Context(), id)
		w.must(err)
		if i.To.Sub(i.From) != 7*24*time.Hour || clock.Now().Sub(i.To) != time.Hour || i.Digest.ID != d.ID || i.Digest.Locale != "de" {
			t.Errorf("the last whole week: %+v", i)
		}
		if _, err := w.DigestIssue(t.Context(), "none"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
	})
}

// Eight replicas at once: every digest is sent once.
func TestDigestsOfManyReplicas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock := steadyAt(start)
		s := &core.Digests{Store: w.DB, Clock: clock}
		const teams = 20
		for i := range teams {
			d := digestOf(fmt.Sprintf("C%d", i))
			d.Team = fmt.Sprintf("slack:T%d", i)
			_, err := s.Add(t.Context(), "", d)
			w.must(err)
		}
		clock.set(start.Add(7 * 24 * time.Hour))
		var sent atomic.Int64
		for _, err := range race(8, func(int) error {
			n, err := s.Issue(t.Context())
			sent.Add(int64(n))
			return err
		}) {
			w.must(err)
		}
		if n := w.count(`SELECT count(*) FROM outbox`); n != teams || sent.Load() != teams {
			t.Errorf("%d messages, %d said to be sent, for %d digests", n, sent.Load(), teams)
		}
	})
}

// What a digest tells is what happened in its time, and how all stands.
func TestDigestFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		from, to := start, start.Add(7*24*time.Hour)
		badge := func(id, address, template string, issued time.Time, stages ...core.Stage) string {
			t.Helper()
			var badgeID string
			o := pending(id, address)
			o.Template, o.IssuedAt, o.At = core.Template{ID: template, Name: "Template " + template}, issued, issued
			for i, stage := range stages {
				o.Stage, o.ReadAt = stage, issued.Add(time.Duration(i)*24*time.Hour)
				o.At = o.ReadAt
				w.tx(func(ctx context.Context, tx core.Tx) error {
					c, err := tx.SaveObservation(ctx, o, o.At, core.PollPlan{})
					badgeID = c.After.ID
					return err
				})
			}
			return badgeID
		}
		follow := func(badgeID string, at time.Time) {
			t.Helper()
			h := w.claimed(claimOf(ada, badgeID, at))
			w.must(w.FollowHandoff(t.Context(), h.ID, at, at))
		}
		// Earned in the week: one waits, of ada; one waits, of nobody known; one
		// was taken back; one became public within the week.
		waits := badge("p1", "ada@example.org", "a", from, core.StagePending)
		badge("p2", "nobody@example.org", "b", from.Add(time.Hour), core.StagePending)
		badge("p3", "ada@example.org", "c", from.Add(time.Hour), core.StagePending, core.StageRevoked)
		badge("p4", "ada@example.org", "a", from.Add(time.Hour), core.StagePending, core.StageAccepted, core.StagePublic)
		follow(waits, from.Add(2*time.Hour))
		follow(waits, from.Add(30*time.Hour))
		// Earned before: one was accepted in the week, and is private again
		// after it was public; one was accepted before, and made public in the
		// week; one was followed before, and again in the week.
		badge("p5", "ada@example.org", "d", from.Add(-12*time.Hour), core.StagePending, core.StagePublic, core.StageAccepted)
		badge("p6", "ada@example.org", "d", from.Add(-36*time.Hour), core.StagePending, core.StageAccepted, core.StagePublic)
		before := badge("p7", "ada@example.org", "d", from.Add(-90*time.Hour), core.StagePending)
		follow(before, from.Add(-time.Hour))
		follow(before, from.Add(5*time.Hour))
		late := badge("p8", "ada@example.org", "d", from.Add(-90*time.Hour), core.StagePending)
		follow(late, from.Add(10*time.Hour))
		// And after the week.
		badge("p9", "ada@example.org", "a", to, core.StagePending)
		w.must(w.MarkShared(t.Context(), ada, badge("p6", "ada@example.org", "d", from.Add(-36*time.Hour), core.StagePublic), from))

		got, err := w.DigestFacts(t.Context(), from, to)
		w.must(err)
		want := core.DigestFacts{
			Claimed: 2, Accepted: 2, Public: 3, TimeToClaim: 2 * time.Hour,
			Cohort: core.Funnel{Granted: 3, Claimed: 2, HandedOff: 2, Accepted: 1, Public: 1},
			Templates: []core.TemplateFacts{
				{Name: "Template a", Cohort: core.Funnel{Granted: 2, Claimed: 2, HandedOff: 2, Accepted: 1, Public: 1}},
				{Name: "Template b", Cohort: core.Funnel{Granted: 1}},
			},
			Standing: core.Standing{Waiting: 5, Accepted: 1, Public: 2},
			All:      core.Funnel{Granted: 8, Claimed: 6, HandedOff: 6, Accepted: 3, Public: 3, Shared: 1},
			Unlinked: 1,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		empty, err := w.DigestFacts(t.Context(), from.Add(-10000*time.Hour), from.Add(-9000*time.Hour))
		w.must(err)
		if len(empty.Templates) != 0 || empty.Cohort != (core.Funnel{}) || empty.Claimed+empty.Accepted+empty.Public != 0 {
			t.Errorf("long ago: %+v", empty)
		}
	})
}

// Of two managers who add the last digest that there is room for, one does.
// SQLite lets them do so one after the other anyway.
func TestDigestsAreCountedOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	s := &core.Digests{Store: w.DB, Clock: steadyAt(start)}
	for i := range core.MaxDigests - 1 {
		_, err := s.Add(t.Context(), "m1", digestOf(fmt.Sprintf("C%d", i)))
		w.must(err)
	}
	second := make(chan error, 1)
	w.tx(func(ctx context.Context, tx core.Tx) error {
		d := digestOf("C8")
		account, err := tx.EnsureAccount(ctx, d.Account, start)
		if err != nil {
			return err
		}
		d.ID, d.Account = core.NewID(), account
		if err := tx.AddDigest(ctx, d, core.MaxDigests, start); err != nil {
			return err
		}
		go func() {
			second <- untilFree(func() error {
				_, err := s.Add(context.WithoutCancel(t.Context()), "m2", digestOf("C9"))
				return err
			})
		}()
		for w.count(lockWaits) == 0 && len(second) == 0 {
		}
		return nil
	})
	if err := <-second; !errors.Is(err, core.ErrTooManyDigests) {
		t.Errorf("one too many: %v", err)
	}
}

// While somebody counts all badges the others do not wait for long.
func TestDigestWaitsBriefly(t *testing.T) {
	t.Parallel()
	d := openStore(t, sqliteURL(t))
	w := &world{DB: d, t: t}
	w.must(d.Migrate(t.Context()))
	d.survey.patience = time.Millisecond
	d.survey.turn <- struct{}{}
	if _, err := d.DigestFacts(t.Context(), start, start.Add(time.Hour)); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("while somebody counts: %v", err)
	}
	<-d.survey.turn
	if _, err := d.DigestFacts(t.Context(), start, start.Add(time.Hour)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
