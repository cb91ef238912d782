package core_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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

// The rules of the house, held against a random world: people with accounts
// on two platforms, addresses that some of them can read, a provider whose
// news come in any order, a clock that jumps, and a sweep that runs or not.
// The model beside it knows only what a person would expect.
func TestRulesHoldInARandomWorld(t *testing.T) {
	t.Parallel()
	template := migratedStore(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt, template)
		defer w.close()
		rt.Repeat(map[string]func(*rapid.T){
			"":          w.check,
			"grant":     w.grant,
			"ask code":  w.askCode,
			"prove":     w.prove,
			"guess":     w.guess,
			"claim":     w.claim,
			"follow":    w.follow,
			"news":      w.news,
			"time":      w.passTime,
			"sweep":     w.sweep,
			"unlink":    w.unlink,
			"erase":     w.erase,
			"deliver":   w.deliver,
			"look list": w.lookList,
		})
	})
}

// world is the store with the use cases, and the model beside it.
type world struct {
	ctx    context.Context
	db     *sqlstore.DB
	keys   *core.Keys
	now    time.Time
	claims *core.Claims
	links  *core.Links
	passes *core.Passages
	obs    *core.Observer
	work   *core.Work
	prov   *fakeProvider
	comp   *chat.Composer
	sweeps *core.Sweeper

	people []core.Identity
	mails  []string
	// owner maps an address to the model's person, a set of identities.
	owner map[string]map[core.Identity]bool
	group map[core.Identity]int
	// truth is the newest thing the provider said of a badge.
	truth   map[string]core.Observation
	badges  []string // award ids in order.
	address map[string]string
	// handoffs that were opened, with their end and whether they were used.
	handoffs []*modelHandoff
	erased   map[string]bool
	codes    map[string]string // verification id -> code.
	asked    []core.Verification
	file     string
}

type modelHandoff struct {
	id   string
	used bool
}

func (w *world) Now() time.Time { return w.now }

func migratedStore(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.db")
	keys := ruleKeys(t)
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func ruleKeys(tb testing.TB) *core.Keys {
	tb.Helper()
	keys, err := core.NewKeys([]byte(strings.Repeat("r", core.KeyBytes)))
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func newWorld(t *testing.T, rt *rapid.T, template string) *world {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "world")
	if err != nil {
		rt.Fatal(err)
	}
	data, err := os.ReadFile(template)
	if err != nil {
		rt.Fatal(err)
	}
	file := filepath.Join(dir, "laurel.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		rt.Fatal(err)
	}
	w := &world{
		ctx: context.Background(), keys: ruleKeys(t), now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC),
		people: []core.Identity{
			{Platform: "slack", Tenant: "T1", User: "U1"},
			{Platform: "slack", Tenant: "T1", User: "U2"},
			{Platform: "slack", Tenant: "T2", User: "U1"},
			{Platform: "discord", User: "1"},
			{Platform: "discord", User: "2"},
		},
		mails: []string{"ada@example.org", "bob@example.org", "cy@example.org"},
		owner: map[string]map[core.Identity]bool{}, group: map[core.Identity]int{}, truth: map[string]core.Observation{},
		address: map[string]string{}, erased: map[string]bool{}, codes: map[string]string{}, file: file,
	}
	for i, p := range w.people {
		w.group[p] = i
	}
	w.db, err = sqlstore.Open(w.ctx, sqlstore.Config{URL: "sqlite:" + file, Keys: w.keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		rt.Fatal(err)
	}
	w.prov = &fakeProvider{world: w}
	w.obs = &core.Observer{Store: w.db, Clock: w, Provider: w.prov, Announce: true}
	w.claims = &core.Claims{Store: w.db, Clock: w, TTL: core.DefaultHandoffTTL, Announce: true}
	w.links = &core.Links{Store: w.db, Clock: w, Keys: w.keys}
	w.passes = &core.Passages{Store: w.db, Clock: w, Keys: w.keys, Provider: w.prov, Observer: w.obs}
	w.work = &core.Work{Store: w.db, Clock: w, Provider: w.prov, Observer: w.obs, TTL: core.DefaultHandoffTTL}
	w.sweeps = &core.Sweeper{Store: w.db, Clock: w}
	catalog, err := chat.NewCatalog()
	if err != nil {
		rt.Fatal(err)
	}
	w.comp = &chat.Composer{Store: w.db, Clock: w, Keys: w.keys, Catalog: catalog, Provider: w.prov, PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL}
	return w
}

func (w *world) close() { _ = w.db.Close() }

func (w *world) person(rt *rapid.T) core.Identity {
	return rapid.SampledFrom(w.people).Draw(rt, "person")
}
func (w *world) mail(rt *rapid.T) string { return rapid.SampledFrom(w.mails).Draw(rt, "mail") }

func email(s string) core.Email { return core.Email{Shown: s, Normal: s} }

func (w *world) grant(rt *rapid.T) {
	if len(w.badges) >= 6 {
		rt.Skip("enough badges")
	}
	to := w.mail(rt)
	if w.erased[to] {
		rt.Skip("erased")
	}
	award := fmt.Sprintf("award-%d", len(w.badges))
	_, err := w.db.ImportAwards(w.ctx, []core.Award{{
		AwardID: award, Recipient: email(to), FirstName: "Fn", LastName: "Ln",
		TemplateID: fmt.Sprintf("template-%d", len(w.badges)), IssuedAt: w.now, DecidedAt: w.now,
	}})
	if err != nil {
		rt.Fatal(err)
	}
	w.badges = append(w.badges, award)
	w.address[award] = to
	if rapid.Bool().Draw(rt, "already at the provider") {
		w.say(rt, award, core.StagePending, w.now)
	}
}

func (w *world) askCode(rt *rapid.T) {
	who, to := w.person(rt), w.mail(rt)
	v, err := w.links.Start(w.ctx, core.LinkRequest{
		Account: core.Account{Identity: who}, Workspace: "w", Email: email(to),
		At: core.Place{Ref: "ref", EditableUntil: w.now.Add(time.Hour)},
	})
	if errors.Is(err, core.ErrTooMany) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	w.asked = append(w.asked, v)
}

// readMail takes the codes out of the outbox: only who reads the mailbox has
// them.
func (w *world) readMail(rt *rapid.T) {
	for {
		due, err := w.db.TakeDeliveries(w.ctx, w.now, 50, time.Minute)
		if err != nil {
			rt.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		outcomes := make([]delivery.Outcome, 0, len(due))
		for _, d := range due {
			if d.Kind == delivery.KindMail {
				_, err := w.comp.ComposeMail(w.ctx, d.Ref, d.Payload)
				if err == nil {
					w.codes[d.Ref] = d.Payload.Reveal()
				} else if !errors.Is(err, chat.ErrNothing) && !errors.Is(err, core.ErrNotFound) {
					rt.Fatal(err)
				}
			}
			if d.Kind == delivery.KindPost {
				w.render(rt, d)
			}
			outcomes = append(outcomes, delivery.Outcome{Delivery: d, State: delivery.StateSent})
		}
		if err := w.db.FinishDeliveries(w.ctx, w.now, outcomes); err != nil {
			rt.Fatal(err)
		}
	}
}

// render holds a message against rule 5: it names no address that its reader
// has not proved, or asked to prove.
func (w *world) render(rt *rapid.T, d delivery.Delivery) {
	post, err := w.db.Post(w.ctx, d.Ref)
	if errors.Is(err, core.ErrNotFound) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	card, err := w.comp.Compose(w.ctx, post)
	if errors.Is(err, chat.ErrNothing) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	reader := post.Account.Identity
	text := card.Title + card.Summary + card.Text.String() + card.Footer.String()
	for _, m := range w.mails {
		asked := slices.ContainsFunc(w.asked, func(v core.Verification) bool {
			return v.Account.Identity == reader && v.Email.Normal == m
		})
		if strings.Contains(text, m) && !w.owns(reader, m) && !asked {
			rt.Fatalf("rule 5: %v reads of %s: %s", reader, m, text)
		}
	}
	for _, b := range card.Buttons {
		if token, ok := strings.CutPrefix(b.URL, "https://laurel.example.org/h/"); ok {
			id, _ := w.keys.ParseToken(core.PurposeHandoff, token)
			if !slices.ContainsFunc(w.handoffs, func(h *modelHandoff) bool { return h.id == id }) {
				w.handoffs = append(w.handoffs, &modelHandoff{id: id})
			}
		}
	}
}

func (w *world) deliver(rt *rapid.T) { w.readMail(rt) }

func (w *world) owns(who core.Identity, mail string) bool { return w.owner[mail][who] }

func (w *world) prove(rt *rapid.T) {
	w.readMail(rt)
	if len(w.asked) == 0 {
		rt.Skip("nothing asked")
	}
	v := rapid.SampledFrom(w.asked).Draw(rt, "asked")
	code, mailed := w.codes[v.ID]
	if !mailed {
		rt.Skip("never mailed")
	}
	var err error
	if rapid.Bool().Draw(rt, "by link") {
		var token string
		if token, err = w.keys.Token(core.PurposeEmail, v.ID); err != nil {
			rt.Fatal(err)
		}
		err = w.links.Confirm(w.ctx, token)
	} else {
		_, err = w.links.EnterCode(w.ctx, v.Account.Identity, v.ID, code)
	}
	if errors.Is(err, core.ErrGone) || errors.Is(err, core.ErrNotFound) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	if !w.now.Before(v.ExpiresAt) {
		rt.Fatalf("a code proved an address after its end")
	}
	w.join(v.Account.Identity, v.Email.Normal)
}

// join is rule 6 in the model: who proves a mailbox becomes one person with
// whoever proved it before.
func (w *world) join(who core.Identity, mail string) {
	if w.owner[mail] == nil {
		w.owner[mail] = map[core.Identity]bool{}
		for _, p := range w.people {
			if w.group[p] == w.group[who] {
				w.owner[mail][p] = true
			}
		}
		return
	}
	to := -1
	for p := range w.owner[mail] {
		to = w.group[p]
	}
	from := w.group[who]
	for _, p := range w.people {
		if w.group[p] == from {
			w.group[p] = to
		}
	}
	for m := range w.owner {
		for _, p := range w.people {
			for q := range w.owner[m] {
				if w.group[p] == w.group[q] {
					w.owner[m][p] = true
				}
			}
		}
	}
}

func (w *world) guess(rt *rapid.T) {
	if len(w.asked) == 0 {
		rt.Skip("nothing asked")
	}
	v := rapid.SampledFrom(w.asked).Draw(rt, "asked")
	who := w.person(rt)
	_, err := w.links.EnterCode(w.ctx, who, v.ID, "not it")
	var wrong *core.WrongCodeError
	if who != v.Account.Identity && !errors.Is(err, core.ErrNotFound) {
		rt.Fatalf("%v tried the code of %v and got %v", who, v.Account.Identity, err)
	}
	if err == nil || !errors.As(err, &wrong) && !errors.Is(err, core.ErrGone) && !errors.Is(err, core.ErrNotFound) {
		rt.Fatalf("a wrong code led to %v", err)
	}
}

func (w *world) badge(rt *rapid.T) (award string, b core.Badge) {
	if len(w.badges) == 0 {
		rt.Skip("no badge")
	}
	award = rapid.SampledFrom(w.badges).Draw(rt, "award")
	return award, w.find(rt, award)
}

// find returns the stored badge of an award, or a zero one.
func (w *world) find(rt *rapid.T, award string) core.Badge {
	var found core.Badge
	err := w.db.InTx(w.ctx, func(ctx context.Context, tx core.Tx) error {
		c, err := tx.SaveObservation(ctx, core.Observation{
			ProviderID: "at-" + award, ExternalID: award, Recipient: email(w.address[award]), Stage: core.StageUnknown,
			Template: core.Template{ID: "template-" + strings.TrimPrefix(award, "award-")},
		}, w.now, core.PollPlan{})
		found = c.After
		return errors.Join(err, errRollBack)
	})
	if !errors.Is(err, errRollBack) {
		rt.Fatal(err)
	}
	return found
}

var errRollBack = errors.New("only looking")

func (w *world) claim(rt *rapid.T) {
	award, b := w.badge(rt)
	if w.erased[w.address[award]] {
		rt.Skip("erased")
	}
	who := w.person(rt)
	result, _, err := w.claims.Claim(w.ctx, who, b.ID, core.Place{Ref: "ref", EditableUntil: w.now.Add(time.Hour)})
	mine := w.owns(who, w.address[award])
	switch {
	case !mine && !errors.Is(err, core.ErrNotFound):
		rt.Fatalf("rule 1: %v claimed %s: %v, %v", who, award, result, err)
	case mine && err != nil:
		rt.Fatalf("the owner was refused: %v", err)
	case mine && result == core.ClaimOpened:
		w.issue(rt)
	}
}

// issue works off what the claim queued.
func (w *world) issue(rt *rapid.T) {
	items, err := w.db.TakeItems(w.ctx, w.now, 50, time.Minute)
	if err != nil {
		rt.Fatal(err)
	}
	for _, i := range items {
		if i.Message.Kind == "badge.issue" {
			if err := w.work.Issue(w.ctx, i.Message.Payload); err != nil {
				rt.Fatal(err)
			}
		}
		if err := w.db.FinishItem(w.ctx, i.ID, w.now); err != nil {
			rt.Fatal(err)
		}
	}
}

func (w *world) follow(rt *rapid.T) {
	w.readMail(rt)
	if len(w.handoffs) == 0 {
		rt.Skip("no handoff")
	}
	h := rapid.SampledFrom(w.handoffs).Draw(rt, "handoff")
	token, err := w.keys.Token(core.PurposeHandoff, h.id)
	if err != nil {
		rt.Fatal(err)
	}
	before, viewErr := w.db.HandoffView(w.ctx, h.id)
	_, err = w.passes.Follow(w.ctx, token)
	if err != nil {
		if !errors.Is(err, core.ErrGone) && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrUnreachable) {
			rt.Fatal(err)
		}
		return
	}
	if viewErr != nil || !w.now.Before(before.Handoff.ExpiresAt) {
		rt.Fatalf("rule 2: a handoff was followed after its end")
	}
	if h.used {
		rt.Fatalf("rule 2: a handoff was followed twice")
	}
	h.used = true
}

// say lets the provider say something, at its own time.
func (w *world) say(rt *rapid.T, award string, stage core.Stage, at time.Time) {
	o := core.Observation{
		ProviderID: "at-" + award, ExternalID: award, Recipient: email(w.address[award]), Stage: stage, At: at, ReadAt: w.now,
		Template: core.Template{ID: "template-" + strings.TrimPrefix(award, "award-"), Name: "A badge"},
	}
	if stage == core.StagePending {
		o.AcceptURL = "https://www.credly.com/go/" + award
	}
	known, ok := w.truth[award]
	if !ok || o.At.After(known.At) || o.At.Equal(known.At) && !o.ReadAt.Before(known.ReadAt) {
		w.truth[award] = o
	}
	if err := w.obs.Apply(w.ctx, o); err != nil {
		rt.Fatal(err)
	}
}

func (w *world) news(rt *rapid.T) {
	if len(w.badges) == 0 {
		rt.Skip("no badge")
	}
	award := rapid.SampledFrom(w.badges).Draw(rt, "award")
	if w.erased[w.address[award]] {
		rt.Skip("erased")
	}
	stage := rapid.SampledFrom([]core.Stage{
		core.StagePending, core.StageAccepted, core.StagePublic, core.StageRejected, core.StageRevoked,
	}).Draw(rt, "stage")
	ago := time.Duration(rapid.IntRange(0, 90).Draw(rt, "ago")) * time.Minute
	w.say(rt, award, stage, w.now.Add(-ago))
}

func (w *world) passTime(rt *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "seconds")) * time.Second)
}

func (w *world) sweep(rt *rapid.T) {
	if _, err := w.sweeps.Expire(w.ctx); err != nil {
		rt.Fatal(err)
	}
}

func (w *world) unlink(rt *rapid.T) {
	who := w.person(rt)
	p, err := w.db.Person(w.ctx, who)
	if err != nil {
		rt.Fatal(err)
	}
	if len(p.Addresses) == 0 {
		rt.Skip("nothing linked")
	}
	a := rapid.SampledFrom(p.Addresses).Draw(rt, "address")
	other := w.person(rt)
	if _, err := w.links.Unlink(w.ctx, other, a.ID); err != nil {
		if w.owns(other, a.Email.Normal) || !errors.Is(err, core.ErrNotFound) {
			rt.Fatalf("unlink: %v", err)
		}
		return
	}
	if !w.owns(other, a.Email.Normal) {
		rt.Fatalf("%v removed an address of %v", other, who)
	}
	delete(w.owner, a.Email.Normal)
}

func (w *world) erase(rt *rapid.T) {
	if rapid.IntRange(0, 3).Draw(rt, "rarely") > 0 {
		rt.Skip("not now")
	}
	m := w.mail(rt)
	if err := w.work.Erase(w.ctx, email(m)); err != nil {
		rt.Fatal(err)
	}
	gone := w.owner[m]
	delete(w.owner, m)
	w.erased[m] = true
	// The member goes with its last address: its accounts are strangers again.
	lone := true
	for _, owners := range w.owner {
		for p := range gone {
			lone = lone && !owners[p]
		}
	}
	if lone {
		next := len(w.people) * 10
		for p := range gone {
			w.group[p] = next + slices.Index(w.people, p) + int(w.now.Unix())
		}
	}
	dump := w.dump(rt)
	if strings.Contains(dump, m) {
		rt.Fatalf("rule 8: %s is still in the store:\n%s", m, dump)
	}
	w.asked = slices.DeleteFunc(w.asked, func(v core.Verification) bool { return v.Email.Normal == m })
}

// dump is everything that is stored, as text.
func (w *world) dump(rt *rapid.T) string {
	// The store has registered this driver.
	raw, err := sql.Open("sqlite", "file:"+w.file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		rt.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	var tables []string
	rows, err := raw.QueryContext(w.ctx, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		rt.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			rt.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		rt.Fatal(err)
	}
	var out strings.Builder
	for _, table := range tables {
		rows, err := raw.QueryContext(w.ctx, "SELECT * FROM "+table)
		if err != nil {
			rt.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			rt.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				rt.Fatal(err)
			}
			fmt.Fprintf(&out, "%s:", table)
			for _, v := range values {
				fmt.Fprintf(&out, " %v", *v.(*any))
			}
			out.WriteByte('\n')
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			rt.Fatal(err)
		}
	}
	return out.String()
}

// lookList is rule 1 for reading.
func (w *world) lookList(rt *rapid.T) {
	who := w.person(rt)
	p, err := w.db.Person(w.ctx, who)
	if err != nil {
		rt.Fatal(err)
	}
	for _, a := range p.Addresses {
		if !w.owns(who, a.Email.Normal) {
			rt.Fatalf("rule 1: %v sees the address %s", who, a.Email.Normal)
		}
	}
	for m := range w.owner {
		if w.owns(who, m) && !slices.ContainsFunc(p.Addresses, func(a core.Address) bool { return a.Email.Normal == m }) {
			rt.Fatalf("%v does not see the own address %s", who, m)
		}
	}
	if p.Account == nil {
		return
	}
	views, err := w.db.BadgesOf(w.ctx, p.MemberID())
	if err != nil {
		rt.Fatal(err)
	}
	for _, v := range views {
		if !w.owns(who, v.Badge.Recipient.Normal) {
			rt.Fatalf("rule 1: %v sees the badge of %s", who, v.Badge.Recipient.Normal)
		}
	}
}

// check runs after every step: rules 2 and 3.
func (w *world) check(rt *rapid.T) {
	for _, award := range w.badges {
		if w.erased[w.address[award]] {
			continue
		}
		b := w.find(rt, award)
		if want, said := w.truth[award]; said && b.Stage != want.Stage {
			rt.Fatalf("rule 3: %s is %s, the provider last said %s", award, b.Stage, want.Stage)
		}
	}
	open := map[string]int{}
	for _, h := range w.handoffs {
		v, err := w.db.HandoffView(w.ctx, h.id)
		if errors.Is(err, core.ErrNotFound) {
			continue
		}
		if err != nil {
			rt.Fatal(err)
		}
		if v.Handoff.StateAt(w.now) == core.HandoffOpen {
			open[v.Badge.ID]++
		}
	}
	for id, n := range open {
		if n > 1 {
			rt.Fatalf("rule 2: badge %s has %d open handoffs", id, n)
		}
	}
}

// fakeProvider says what the world's truth is.
type fakeProvider struct{ world *world }

var _ core.Provider = (*fakeProvider)(nil)

func (*fakeProvider) Name() string { return "Credly" }
func (*fakeProvider) Capabilities() core.Capability {
	return core.CanIssue | core.TellsAcceptance | core.TellsVisibility
}

func (p *fakeProvider) Get(_ context.Context, id string) (core.Observation, error) {
	o, ok := p.world.truth[strings.TrimPrefix(id, "at-")]
	if !ok {
		return core.Observation{}, core.ErrNoSuchBadge
	}
	o.ReadAt = p.world.now
	return o, nil
}

func (p *fakeProvider) ForPerson(context.Context, core.Email) ([]core.Observation, error) {
	return nil, nil
}
func (*fakeProvider) Templates(context.Context) ([]core.Template, error) { return nil, nil }
func (p *fakeProvider) Issue(_ context.Context, r core.IssueRequest) (core.Observation, error) {
	if o, ok := p.world.truth[r.ExternalID]; ok {
		return o, nil
	}
	o := core.Observation{
		ProviderID: "at-" + r.ExternalID, ExternalID: r.ExternalID, Recipient: r.Recipient, Stage: core.StagePending,
		Template: core.Template{ID: r.TemplateID, Name: "A badge"}, At: p.world.now, ReadAt: p.world.now,
		AcceptURL: "https://www.credly.com/go/" + r.ExternalID,
	}
	p.world.truth[r.ExternalID] = o
	return o, nil
}

func (*fakeProvider) Replace(context.Context, string, core.IssueRequest) (core.Observation, error) {
	return core.Observation{}, core.ErrRefused
}
func (*fakeProvider) Revoke(context.Context, string, string) error  { return nil }
func (*fakeProvider) Event(context.Context, []byte) (string, error) { return "", nil }
func (*fakeProvider) TrustedURL(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Host == "www.credly.com"
}
