package core_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
)

// world is everything there is: two replicas over one database, people with
// accounts on two platforms, the mailboxes that they read, the provider, the
// certification body's own system, and a clock that jumps. Beside it stands
// the model of what people expect.
type world struct {
	model
	ctx      context.Context
	keys     *core.Keys
	now      time.Time
	replicas []*replica
	provider *provider
	phones   *phones
	// raw looks at what is stored, beside the replicas.
	raw *sql.DB
	log bytes.Buffer

	people []core.Identity
	mails  []string
	// letters are the mails that came; tokens are those of the claim links
	// that anybody saw.
	letters []letter
	tokens  []string
	// told is what the body's own system was sent, repetitions included.
	told []core.Event
	// news are the provider's webhooks: each may come late, twice or never.
	news []string
	// out is what left since the rules were last checked; errs is every error
	// text that there was.
	out  []sent
	errs strings.Builder
	// answers are what people were answered, by what the answer may depend on.
	answers map[string]string
	// sending is the delivery that is under way.
	sending delivery.Delivery
	about   core.Subject
	// calm: nothing stalls and nothing is cut off.
	calm  bool
	steps int
}

// replica is one process. Its work may stall between two steps, to go on
// late, after another replica did the same, or never, because it died.
type replica struct {
	db      *sqlstore.DB
	claims  *core.Claims
	links   *core.Links
	passes  *core.Passages
	obs     *core.Observer
	work    *core.Work
	sweeper *core.Sweeper
	comp    *chat.Composer
	senders map[delivery.Kind]delivery.Sender
	stalled [][]step
}

// step is one step of a piece of work; false ends it.
type step func(rt *rapid.T) bool

func (w *world) Now() time.Time { return w.now }

func newWorld(t *testing.T, rt *rapid.T, template string) *world {
	t.Helper()
	file := copyFile(t, template)
	w := &world{
		model: newModel(), ctx: context.Background(), keys: ruleKeys(t),
		now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), answers: map[string]string{},
		people: []core.Identity{
			{Platform: "slack", Tenant: "T1", User: "U1"},
			{Platform: "discord", User: "1"},
			{Platform: "slack", Tenant: "T1", User: "U2"},
			{Platform: "slack", Tenant: "T2", User: "U1"},
			{Platform: "discord", User: "2"},
		},
		mails: []string{"ada@example.org", "bob@example.org", "cy@example.org"},
	}
	for _, p := range w.people {
		w.person[p] = w.somebody()
	}
	w.provider = &provider{clock: w, truth: map[string]core.Observation{}, answers: func() {}}
	w.phones = &phones{w: w, at: map[string]*message{}, byKey: map[string]*message{}, owner: map[string]core.Identity{}}
	catalog, err := chat.NewCatalog()
	if err != nil {
		rt.Fatal(err)
	}
	for range 2 {
		w.replicas = append(w.replicas, w.startReplica(rt, file, catalog))
	}
	if w.raw, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"); err != nil {
		rt.Fatal(err)
	}
	w.raw.SetMaxOpenConns(1)
	return w
}

func (w *world) startReplica(rt *rapid.T, file string, catalog *chat.Catalog) *replica {
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	db, err := sqlstore.Open(w.ctx, sqlstore.Config{URL: "sqlite:" + file, Keys: w.keys, Log: log})
	if err != nil {
		rt.Fatal(err)
	}
	r := &replica{db: db, obs: &core.Observer{Store: db, Clock: w, Provider: w.provider, Announce: true}}
	r.claims = &core.Claims{Store: db, Clock: w, TTL: core.DefaultHandoffTTL, Announce: true}
	r.links = &core.Links{Store: db, Clock: w, Keys: w.keys}
	r.passes = &core.Passages{Store: db, Clock: w, Keys: w.keys, Provider: w.provider, Observer: r.obs}
	r.work = &core.Work{Store: db, Clock: w, Provider: w.provider, Observer: r.obs, TTL: core.DefaultHandoffTTL}
	r.sweeper = &core.Sweeper{Store: db, Clock: w}
	r.comp = &chat.Composer{
		Store: db, Clock: w, Keys: w.keys, Catalog: catalog, Provider: w.provider, PublicURL: publicURL, TTL: core.DefaultHandoffTTL,
	}
	r.senders = map[delivery.Kind]delivery.Sender{
		delivery.KindPost: &delivery.PostSender{
			Store: db, Clock: w, Composer: r.comp, Messengers: map[core.Platform]chat.Messenger{"slack": w.phones, "discord": w.phones},
		},
		delivery.KindMail:  &delivery.MailSender{Clock: w, Composer: r.comp, Mailer: mailbox{w}},
		delivery.KindEvent: &delivery.EventSender{Store: db, Clock: w, Sink: body{w}},
	}
	return r
}

func (w *world) close() {
	for _, r := range w.replicas {
		_ = r.db.Close()
	}
	_ = w.raw.Close()
}

// replica draws one of the replicas.
func (w *world) replica(rt *rapid.T) *replica {
	return w.replicas[rapid.IntRange(0, len(w.replicas)-1).Draw(rt, "replica")]
}

// fate is how something went that may have been cut off.
type fate int

const (
	// done: it came to its end, whatever it answered.
	done fate = iota
	// undone: cut off, and nothing of it was stored.
	undone
	// half: cut off, and a transaction before the last was stored.
	half
)

// attempt does something that may be cut off in the middle of a transaction,
// after a number of changed rows: the process dies, or the database goes away.
func (w *world) attempt(rt *rapid.T, f func() error) (fate, error) {
	rows := 0
	if !w.calm {
		rows = rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 5}).Draw(rt, "cut off at row")
	}
	if rows > 0 {
		w.exec(rt, `UPDATE cut SET n = ?`, rows)
	}
	err := f()
	if err != nil {
		w.errs.WriteString(err.Error() + "\n")
	}
	if rows == 0 {
		return done, err
	}
	var left int
	w.look(rt, `SELECT n FROM cut`, func(scan func(...any) error) error { return scan(&left) })
	w.exec(rt, `UPDATE cut SET n = -1`)
	switch {
	case err == nil || !strings.Contains(err.Error(), cutOff):
		return done, err
	case left < rows:
		return half, err
	default:
		return undone, err
	}
}

// must is an attempt at something that has to work.
func (w *world) must(rt *rapid.T, f func() error) bool {
	fate, err := w.attempt(rt, f)
	if fate == done && err != nil {
		rt.Fatal(err)
	}
	return fate == done
}

// run goes through the steps of a piece of work, and may stall before one.
func (w *world) run(rt *rapid.T, r *replica, steps ...step) {
	stall := len(steps)
	if !w.calm {
		stall = len(steps) - rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(rt, "steps not done")
	}
	for i, s := range steps {
		if i == max(stall, 0) {
			r.stalled = append(r.stalled, steps[i:])
			return
		}
		if !s(rt) {
			return
		}
	}
}

// calmly does something without stalls and cuts.
func (w *world) calmly(f func()) {
	before := w.calm
	w.calm = true
	f()
	w.calm = before
}

func (w *world) exec(rt *rapid.T, query string, args ...any) {
	if _, err := w.raw.ExecContext(w.ctx, query, args...); err != nil {
		rt.Fatal(err)
	}
}

// look reads rows of what is stored.
func (w *world) look(rt *rapid.T, query string, row func(scan func(...any) error) error) {
	rows, err := w.raw.QueryContext(w.ctx, query)
	if err != nil {
		rt.Fatal(err)
	}
	for rows.Next() {
		err = errors.Join(err, row(rows.Scan))
	}
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		rt.Fatal(err)
	}
}

// cutOff is the error of what was cut off.
const cutOff = "process died"

// worldTemplate is a migrated store whose transactions can be cut off: every
// change of a row that people could notice counts down, and at zero the
// transaction fails.
func worldTemplate(t *testing.T) string {
	t.Helper()
	file := migratedStore(t)
	raw, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	// The store's own clock is not the world's: what it stamps is due at once.
	script := []string{
		`DROP VIEW clock`, `CREATE VIEW clock AS SELECT 0 AS now_ms`,
		`CREATE TABLE cut (n INTEGER NOT NULL CONSTRAINT "` + cutOff + `" CHECK (n <> 0))`, `INSERT INTO cut VALUES (-1)`,
	}
	for _, table := range []string{
		"accounts", "addresses", "verifications", "badges", "handoffs", "posts", "outbox", "inbox", "members", "reminder_steps",
		"calls", "call_drafts", "celebrations", "digests", "digest_issues", "role_connections",
	} {
		for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
			script = append(script, fmt.Sprintf(`CREATE TRIGGER cut_%s_%s AFTER %s ON %s WHEN (SELECT n FROM cut) > 0
				BEGIN UPDATE cut SET n = n - 1; END`, table, change, change, table))
		}
	}
	for _, s := range script {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func copyFile(t *testing.T, template string) string {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "world")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "laurel.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// dump is everything that is stored, as text.
func (w *world) dump(rt *rapid.T) string {
	var tables []string
	w.look(rt, `SELECT name FROM sqlite_master WHERE type = 'table'`, func(scan func(...any) error) error {
		tables = append(tables, "")
		return scan(&tables[len(tables)-1])
	})
	var out strings.Builder
	for _, table := range tables {
		var columns []string
		w.look(rt, `SELECT name FROM pragma_table_info('`+table+`')`, func(scan func(...any) error) error {
			columns = append(columns, "")
			return scan(&columns[len(columns)-1])
		})
		w.look(rt, `SELECT * FROM `+table, func(scan func(...any) error) error {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			err := scan(values...)
			fmt.Fprintf(&out, "%s:", table)
			for _, v := range values {
				fmt.Fprintf(&out, " %v", *v.(*any))
			}
			out.WriteByte('\n')
			return err
		})
	}
	return out.String()
}

// drawBadge draws a badge that there is.
func (w *world) drawBadge(rt *rapid.T) *badge {
	if len(w.badges) == 0 {
		rt.Skip("no badge")
	}
	return rapid.SampledFrom(w.badges).Draw(rt, "badge")
}

func (w *world) drawPerson(rt *rapid.T) core.Identity {
	return rapid.SampledFrom(w.people).Draw(rt, "person")
}

func (w *world) drawMail(rt *rapid.T) string { return rapid.SampledFrom(w.mails).Draw(rt, "mail") }

// place is a new place where only that person sees what is shown.
func (w *world) place(who core.Identity) core.Place {
	ref := fmt.Sprintf("place-%d", len(w.phones.owner))
	w.phones.owner[ref] = who
	return core.Place{Ref: core.Secret(ref), EditableUntil: w.now.Add(15 * time.Minute)}
}

func nameOf(who core.Identity) string { return "Name of " + who.Lane() }

// personal are the texts that belong to somebody: none may stand in a log
// line or an error text.
func (w *world) personal() []string {
	all := slices.Concat(w.mails, w.tokens)
	for _, p := range w.people {
		all = append(all, nameOf(p))
	}
	for _, l := range w.letters {
		all = append(all, l.code, l.token)
	}
	for _, b := range w.badges {
		all = append(all, b.name, b.first, b.last)
	}
	return all
}
