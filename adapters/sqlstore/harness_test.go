package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// start is the beginning of every test, with whole milliseconds.
var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func testKeys(tb testing.TB) *core.Keys {
	tb.Helper()
	keys, err := core.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func openStore(tb testing.TB, url string) *DB {
	tb.Helper()
	d, err := Open(tb.Context(), Config{URL: url, Keys: testKeys(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return d
}

func sqliteURL(tb testing.TB) string {
	tb.Helper()
	return sqlitePrefix + filepath.Join(tb.TempDir(), "laurel.db")
}

// world is a migrated store with short ways to fill it.
type world struct {
	*DB
	t testing.TB
}

func newWorld(tb testing.TB, url string) *world {
	tb.Helper()
	d := openStore(tb, url)
	if err := d.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return &world{DB: d, t: tb}
}

// each runs a test on both dialects.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, newWorld(t, testpg.New(t)))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, newWorld(t, sqliteURL(t)))
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tx(f func(ctx context.Context, tx core.Tx) error) {
	w.t.Helper()
	w.must(w.InTx(w.t.Context(), f))
}

func slackUser(user string) core.Identity {
	return core.Identity{Platform: "slack", Tenant: "T1", User: user}
}

func email(normal string) core.Email { return core.Email{Shown: normal, Normal: normal} }

// account makes an account with addresses.
func (w *world) account(id core.Identity, addresses ...string) core.Account {
	w.t.Helper()
	var a core.Account
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		if a, err = tx.EnsureAccount(ctx, core.Account{Identity: id, Locale: "de", DisplayName: "Ada " + id.User}, start); err != nil {
			return err
		}
		for _, address := range addresses {
			err := tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: email(address), VerifiedAt: start})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return a
}

func award(id, address string) core.Award {
	return core.Award{
		AwardID: id, Recipient: email(address), FirstName: "Ada", LastName: "Example", Locale: "de", TemplateID: "template-1",
		IssuedAt: start.Add(-time.Hour), DecidedAt: start, Certificate: core.Certificate{Number: "N-" + id},
	}
}

func pending(providerID, address string) core.Observation {
	return core.Observation{
		ProviderID: providerID, Recipient: email(address), FirstName: "Ada", LastName: "Example",
		Template: core.Template{ID: "template-1", Name: "Gopher", ImageURL: "https://images.example.org/1.png"},
		Stage:    core.StagePending, IssuedAt: start.Add(-time.Hour), At: start, ReadAt: start,
		AcceptURL: "https://credentials.example.org/accept/" + providerID,
	}
}

func (w *world) observe(o core.Observation) core.Change {
	w.t.Helper()
	var c core.Change
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		c, err = tx.SaveObservation(ctx, o, start, core.PollPlan{At: start.Add(time.Hour)})
		return err
	})
	return c
}

// grant imports an award and returns its badge's id.
func (w *world) grant(a core.Award) string {
	w.t.Helper()
	_, err := w.ImportAwards(w.t.Context(), []core.Award{a})
	w.must(err)
	var id string
	w.must(w.run().get(w.t.Context(), &id, `SELECT id FROM badges WHERE award_id = ?`, a.AwardID))
	return id
}

func claimOf(actor core.Identity, badge string, now time.Time) core.ClaimParams {
	return core.ClaimParams{
		Actor: actor, BadgeID: badge, HandoffID: core.NewID(), Now: now,
		ExpiresAt: now.Add(2 * time.Minute), IssueBy: now.Add(15 * time.Minute), PostID: core.NewID(),
		Place:    core.Place{Ref: "ref", MessageKey: "message-1", EditableUntil: now.Add(15 * time.Minute), Shown: true},
		Announce: true, EventID: core.NewID(),
	}
}

func (w *world) claimed(p core.ClaimParams) core.Handoff {
	w.t.Helper()
	o, err := w.DB.Claim(w.t.Context(), p)
	w.must(err)
	return o.Handoff
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	w.must(w.run().get(w.t.Context(), &n, query, args...))
	return n
}

func (w *world) texts(query string, args ...any) []string {
	w.t.Helper()
	var out []string
	w.must(w.run().all(w.t.Context(), &out, query, args...))
	return out
}

func (w *world) take(now time.Time, n int) []delivery.Delivery {
	w.t.Helper()
	out, err := w.TakeDeliveries(w.t.Context(), now, n, time.Minute, delivery.Share{})
	w.must(err)
	return out
}

func (w *world) finish(now time.Time, outcomes ...delivery.Outcome) {
	w.t.Helper()
	_, err := w.FinishDeliveries(w.t.Context(), now, outcomes)
	w.must(err)
}

// post makes a post of a subject, told or not.
func (w *world) post(a core.Account, s core.Subject, place core.Place, now time.Time) string {
	w.t.Helper()
	var id string
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		id, err = tx.AddPost(ctx, core.Post{ID: core.NewID(), Account: a, Subject: s, Place: place}, now)
		return err
	})
	return id
}

func (w *world) tell(post string, fallback bool, now time.Time) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx core.Tx) error { return tx.Tell(ctx, post, fallback, now) })
}

// lockWaits counts the statements in this database that wait for a lock.
const lockWaits = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

// dump returns every row of every table as text.
func (w *world) dump() string {
	w.t.Helper()
	tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
	if w.dialect.postgres {
		tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	}
	var b strings.Builder
	for _, table := range w.texts(tables) {
		rows, err := w.x.QueryxContext(w.t.Context(), `SELECT * FROM `+table)
		w.must(err)
		for rows.Next() {
			values, err := rows.SliceScan()
			w.must(err)
			for i, v := range values {
				if raw, ok := v.([]byte); ok {
					values[i] = string(raw)
				}
			}
			fmt.Fprintf(&b, "%s: %q\n", table, fmt.Sprint(values...))
		}
		w.must(errors.Join(rows.Err(), rows.Close()))
	}
	return b.String()
}

// race calls f n times at once and returns the errors.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var gate, group sync.WaitGroup
	gate.Add(1)
	for i := range n {
		group.Go(func() {
			gate.Wait()
			errs[i] = f(i)
		})
	}
	gate.Done()
	group.Wait()
	return errs
}

// untilFree repeats what many do at once as those who call the store do: a
// slow machine may let somebody wait longer than a lock is waited for.
func untilFree(do func() error) error {
	err := do()
	for range 20 {
		if !errors.Is(err, core.ErrUnavailable) {
			break
		}
		err = do()
	}
	return err
}

// tally counts errors by kind; another one than those named fails the test.
func tally(tb testing.TB, errs []error, kinds ...error) []int {
	tb.Helper()
	counts := make([]int, len(kinds))
	for _, err := range errs {
		i := slices.IndexFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
		if i < 0 {
			tb.Fatalf("unexpected error: %v", err)
		}
		counts[i]++
	}
	return counts
}
