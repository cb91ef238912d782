package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// credly trusts its own links.
type credly struct{ core.Provider }

func (credly) TrustedURL(link string) bool { return strings.HasPrefix(link, "https://www.credly.com/") }

type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

// celebrateIn has the team of these accounts celebrate in a channel.
func (w *world) celebrateIn(channel string, people ...core.Account) core.Account {
	w.t.Helper()
	account := w.account(core.ChannelIdentity("slack", "T1", channel))
	w.tx(func(ctx context.Context, tx core.Tx) error {
		if err := tx.SaveCustoms(ctx, "slack:T1", core.CustomsChange{CelebrateIn: &account.ID}, start); err != nil {
			return err
		}
		for _, p := range append([]core.Account{account}, people...) {
			if _, err := tx.EnsureAccount(ctx, core.Account{Identity: p.Identity, Team: "slack:T1"}, start); err != nil {
				return err
			}
		}
		return nil
	})
	return account
}

// apply has the provider say something of a badge, until that is stored.
func (w *world) apply(id, address string, stage core.Stage, at time.Time) error {
	o := pending(id, address)
	o.Stage, o.At, o.ReadAt, o.BadgeURL = stage, at, at, "https://www.credly.com/badges/"+id
	obs := &core.Observer{Store: w.DB, Clock: fixedClock(at), Provider: credly{}}
	return untilFree(func() error { return obs.Apply(w.t.Context(), o) })
}

// decide answers the first question of an account as a whole.
func (w *world) decide(a core.Account, choice core.Choice, at time.Time) error {
	d := core.Decision{Choice: choice}
	if err := w.run().get(w.t.Context(), &d.Question, `SELECT COALESCE(min(question), '') FROM celebrations WHERE person_id = ?`, a.ID); err != nil {
		return err
	}
	for n := range 20 {
		d.Numbers = append(d.Numbers, n)
	}
	s := &core.Celebrations{Store: w.DB, Clock: fixedClock(at), Provider: credly{}}
	return untilFree(func() error { return s.Decide(w.t.Context(), a.Identity, d, core.Place{}) })
}

// shared is a person whose public badge the team knows of.
func (w *world) shared(user, address string) core.Account {
	w.t.Helper()
	a := w.account(slackUser(user), address)
	w.celebrateIn("C1", a)
	w.must(w.apply("at-"+user, address, core.StagePending, start))
	w.must(w.apply("at-"+user, address, core.StagePublic, start.Add(time.Second)))
	w.must(w.decide(a, core.ChooseShare, start.Add(time.Minute)))
	return a
}

// Badges that are accepted at once make one question, and people who agree at
// once one celebration.
func TestCelebrationsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const people, badges = 6, 3
		var accounts []core.Account
		for i := range people {
			accounts = append(accounts, w.account(slackUser(fmt.Sprint("U", i)), fmt.Sprint("p", i, "@example.org")))
		}
		w.celebrateIn("C1", accounts...)
		at := func(i int) (string, string) {
			return fmt.Sprint("at-", i), fmt.Sprint("p", i%people, "@example.org")
		}
		for i := range people * badges {
			id, address := at(i)
			w.must(w.apply(id, address, core.StagePending, start))
		}
		w.must(errors.Join(race(people*badges, func(i int) error {
			id, address := at(i)
			return w.apply(id, address, core.StagePublic, start.Add(time.Second))
		})...))
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'consent'`); n != people {
			t.Errorf("%d questions to %d people", n, people)
		}
		if n := w.count(`SELECT count(DISTINCT question || '/' || n) FROM celebrations WHERE state = 'asked'`); n != people*badges {
			t.Errorf("%d badges were asked about, want %d", n, people*badges)
		}
		// Two press twice as well.
		w.must(errors.Join(race(people+2, func(i int) error {
			return w.decide(accounts[i%people], core.ChooseShare, start.Add(time.Minute))
		})...))
		// 18 badges, eight in a message.
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'celebration'`); n != 3 {
			t.Errorf("%d celebrations, want 3", n)
		}
		if n := w.count(`SELECT max(n) FROM (SELECT count(*) AS n FROM celebrations WHERE batch <> '' GROUP BY batch) b`); n != 8 {
			t.Errorf("%d badges in a message", n)
		}
		if n := w.count(`SELECT count(*) FROM celebrations WHERE state = 'agreed' AND batch <> ''`); n != people*badges {
			t.Errorf("%d badges are celebrated, want %d", n, people*badges)
		}
	})
}

// Whatever comes first, somebody agreeing or the address going: what is left is
// not shown.
func TestAddressGoesWhileSomebodyAgrees(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for i := range 6 {
			address := fmt.Sprint("p", i, "@example.org")
			a := w.account(slackUser(fmt.Sprint("U", i)), address)
			w.celebrateIn("C1", a)
			w.must(w.apply(address, address, core.StagePending, start))
			w.must(w.apply(address, address, core.StagePublic, start.Add(time.Second)))
			p, err := w.Person(t.Context(), a.Identity)
			w.must(err)
			errs := race(2, func(i int) error {
				if i == 0 {
					return w.decide(a, core.ChooseShare, start.Add(time.Minute))
				}
				links := &core.Links{Store: w.DB, Clock: fixedClock(start)}
				_, err := links.Unlink(t.Context(), a.Identity, p.Addresses[0].ID)
				return err
			})
			for _, err := range errs {
				if err != nil && !errors.Is(err, core.ErrNotFound) {
					t.Error(err)
				}
			}
		}
		if n := w.count(`SELECT count(*) FROM celebrations`); n != 0 {
			t.Errorf("%d decisions are left", n)
		}
	})
}

// A team that celebrates in another channel, or nowhere for a while, sees there
// what waited for one; what stands in the former channel stays, and what is old
// by then is let go of.
func TestCelebrationsFollowTheirTeam(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		day := func(n int) time.Time { return start.AddDate(0, 0, n) }
		accept := func(user string, stage core.Stage, at time.Time) core.Account {
			address := user + "@example.org"
			a := w.account(slackUser(user), address)
			w.celebrateIn("C1", a)
			w.must(w.apply("at-"+user, address, core.StagePending, at))
			w.must(w.apply("at-"+user, address, stage, at.Add(time.Second)))
			return a
		}
		share := func(a core.Account, at time.Time) { w.must(w.decide(a, core.ChooseShare, at)) }
		move := func(at time.Time) {
			s := &core.Celebrations{Store: w.DB, Clock: fixedClock(at), Provider: credly{}}
			w.must(s.Moved(t.Context(), "slack:T1"))
		}
		// stands is the channel that shows the badge of somebody, or none.
		stands := func(user string) string {
			var channel string
			w.must(w.run().get(t.Context(), &channel, `SELECT COALESCE(min(a.user_id), '') FROM celebrations c JOIN accounts a ON a.id = c.account_id
				JOIN accounts p ON p.id = c.person_id JOIN posts m ON m.subject_id = c.batch AND m.account_id = a.id WHERE p.user_id = ?`, user))
			return channel
		}
		want := func(when string, in map[string]string) {
			t.Helper()
			for user, channel := range in {
				if got := stands(user); got != channel {
					t.Errorf("%s: %s stands in %q, want %q", when, user, got, channel)
				}
			}
		}
		share(accept("shown", core.StagePublic, start), start.Add(time.Minute))
		private := accept("private", core.StageAccepted, start)
		share(private, start.Add(time.Minute))
		old, fresh := accept("old", core.StageAccepted, start), accept("fresh", core.StageAccepted, start)
		unanswered := accept("unanswered", core.StagePublic, day(7))
		nowhere := ""
		w.save("slack:T1", core.CustomsChange{CelebrateIn: &nowhere}, day(7))
		share(old, start.Add(time.Minute))
		w.must(w.apply("at-old", "old@example.org", core.StagePublic, start.Add(time.Hour)))
		share(fresh, start.Add(time.Minute))
		w.must(w.apply("at-fresh", "fresh@example.org", core.StagePublic, day(7)))
		move(day(8))
		want("nowhere", map[string]string{"shown": "#C1", "private": "", "old": "", "fresh": "", "unanswered": ""})

		w.celebrateIn("C2")
		w.must(errors.Join(race(3, func(int) error {
			s := &core.Celebrations{Store: w.DB, Clock: fixedClock(day(8)), Provider: credly{}}
			return untilFree(func() error { return s.Moved(t.Context(), "slack:T1") })
		})...))
		move(day(8))
		want("elsewhere", map[string]string{"shown": "#C1", "private": "", "old": "", "fresh": "#C2", "unanswered": ""})
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'celebration'`); n != 2 {
			t.Errorf("%d celebrations, want one in each channel", n)
		}

		// What is decided and made public later goes to the new one as well.
		share(unanswered, day(9))
		w.must(w.apply("at-private", "private@example.org", core.StagePublic, day(9)))
		want("later", map[string]string{"shown": "#C1", "private": "#C2", "old": "", "unanswered": "#C2"})
		w.must(w.decide(private, core.ChooseBack, day(9)))
		w.celebrateIn("C1")
		move(day(9))
		want("in the end", map[string]string{"private": "", "unanswered": "#C2", "fresh": "#C2", "shown": "#C1"})
	})
}

// Whoever goes, and however: the channel is told, and nothing is left.
func TestEraseCelebrations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.shared("U1", "bob@example.org")
		for i, erase := range []func(ctx context.Context, t *tx, a core.Account, address string) error{
			func(ctx context.Context, t *tx, a core.Account, _ string) error {
				return t.EraseMember(ctx, a.Identity, start)
			},
			func(ctx context.Context, t *tx, _ core.Account, address string) error {
				return t.EraseAddress(ctx, address, start)
			},
			func(ctx context.Context, t *tx, a core.Account, _ string) error {
				return t.eraseAccounts(ctx, `a.id IN $texts`, texts{a.ID}, start)
			},
		} {
			address := fmt.Sprint("ada", i, "@example.org")
			a := w.shared(fmt.Sprint("UA", i), address)
			post := w.texts(`SELECT id FROM posts WHERE subject_kind = 'celebration'`)
			w.send(start.Add(2 * time.Minute))
			w.must(w.inTx(t.Context(), func(ctx context.Context, t *tx) error { return erase(ctx, t, a, address) }))
			if left := w.count(`SELECT count(*) FROM celebrations`); left != 1 || len(post) != 1 {
				t.Errorf("%d: %d of the two are left, in %d messages", i, left, len(post))
			}
			if told := w.send(start.Add(3 * time.Minute)); len(told) != 1 || told[0] != post[0] {
				t.Errorf("%d: told %v, want the channel at %v", i, told, post)
			}
			if dump := w.dump(); strings.Contains(dump, a.ID) {
				t.Errorf("%d: %s is still stored", i, a.ID)
			}
		}
	})
}

// What is shown with consent can be taken back after years.
func TestTidyKeepsCelebrations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.shared("U1", "ada@example.org")
		w.send(start.Add(2 * time.Minute))
		later := start.AddDate(2, 0, 0)
		w.must(w.Tidy(t.Context(), later))
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'celebration'`); n != 1 {
			t.Fatalf("%d celebrations are left", n)
		}
		// The next look passes it by.
		if n := w.count(`SELECT count(*) FROM posts WHERE created_at < ?`, ms(later.Add(-keepPosts))); n != 0 {
			t.Errorf("%d posts are looked at each time", n)
		}
		w.must(w.decide(a, core.ChooseBack, later))
		if told := w.send(later); len(told) != 1 {
			t.Errorf("told %v", told)
		}
		w.must(w.Tidy(t.Context(), later.Add(keepAgain+time.Second)))
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'celebration'`); n != 0 {
			t.Errorf("%d celebrations are left of nothing", n)
		}
	})
}

// Who becomes one person does not want to be asked if one of them did not, and
// no button of before decides about anything new.
func TestJoinedWhoDoesNotWantToBeAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.shared("U1", "ada@example.org"), w.shared("U2", "else@example.org")
		w.must(w.decide(b, core.ChooseNever, start))
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.JoinMembers(ctx, b.MemberID, a.MemberID, start) })
		wishes, err := w.WishesOf(t.Context(), a.Identity)
		w.must(err)
		if !wishes.NeverAsk {
			t.Error("may be asked")
		}
		if n := w.count(`SELECT asked FROM members WHERE id = ?`, a.MemberID); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
		if n := w.count(`SELECT count(*) FROM celebrations WHERE state = 'agreed' AND batch <> ''`); n != 2 {
			t.Errorf("%d are celebrated", n)
		}
		w.must(w.apply("new", "ada@example.org", core.StagePending, start))
		w.must(w.apply("new", "ada@example.org", core.StageAccepted, start.Add(time.Second)))
		if n := w.count(`SELECT count(*) FROM celebrations WHERE state = 'asked'`); n != 0 {
			t.Error("asked in spite of all")
		}
		s := &core.Celebrations{Store: w.DB, Clock: fixedClock(start), Provider: credly{}}
		w.must(s.Allow(t.Context(), b.Identity))
		if wishes, err = w.WishesOf(t.Context(), a.Identity); err != nil || wishes.NeverAsk {
			t.Errorf("may not be asked: %v", err)
		}
	})
}

// Nobody else can answer, and nobody is asked where nothing is celebrated.
func TestConsentIsOnesOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.shared("U1", "ada@example.org")
		question := w.texts(`SELECT question FROM celebrations`)[0]
		s := &core.Celebrations{Store: w.DB, Clock: fixedClock(start), Provider: credly{}}
		d := core.Decision{Choice: core.ChooseBack, Question: question}
		other := w.account(slackUser("U9"), "nobody@example.org")
		for _, who := range []core.Identity{other.Identity, slackUser("U404")} {
			if err := s.Decide(t.Context(), who, d, core.Place{}); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%v decided: %v", who, err)
			}
		}
		if err := s.Allow(t.Context(), slackUser("U404")); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("allowed: %v", err)
		}
		d.Question = core.NewID()
		if err := s.Decide(t.Context(), a.Identity, d, core.Place{}); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("decided about nothing: %v", err)
		}
		// The other one was never met in the team.
		w.must(w.apply("x", "nobody@example.org", core.StagePending, start))
		w.must(w.apply("x", "nobody@example.org", core.StagePublic, start.Add(time.Second)))
		if n := w.count(`SELECT count(*) FROM celebrations`); n != 1 {
			t.Errorf("%d questions", n)
		}
	})
}

// A badge that was accepted automatically is asked about, one that was there
// before the person is not.
func TestAskedAboutWhatIsNew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.celebrateIn("C1", w.account(slackUser("U1"), "ada@example.org"))
		w.must(w.apply("before", "ada@example.org", core.StageAccepted, start.Add(-time.Hour)))
		w.must(w.apply("after", "ada@example.org", core.StageAccepted, start.Add(time.Hour)))
		got := w.texts(`SELECT b.provider_id FROM celebrations c JOIN badges b ON b.id = c.badge_id`)
		if len(got) != 1 || got[0] != "after" {
			t.Errorf("asked about %v", got)
		}
	})
}
