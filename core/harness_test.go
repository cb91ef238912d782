package core_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/core/inbox"
)

// house is a store with the use cases over a clock that the test moves and a
// provider that says what the test tells it to.
type house struct {
	t      *testing.T
	db     *sqlstore.DB
	url    string
	now    time.Time
	keys   *core.Keys
	prov   *script
	obs    *core.Observer
	claims *core.Claims
	links  *core.Links
	passes *core.Passages
	work   *core.Work
	comp   *chat.Composer
	rec    *core.Reconciler
}

var (
	ada     = core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}
	adaElse = core.Identity{Platform: "discord", User: "1"}
	bob     = core.Identity{Platform: "slack", Tenant: "T1", User: "U2"}
)

func (h *house) Now() time.Time { return h.now }

// newHouse opens a migrated store on SQLite.
func newHouse(t *testing.T) *house {
	t.Helper()
	data, err := os.ReadFile(migratedStore(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "laurel.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return houseOn(t, "sqlite:"+file)
}

func houseOn(t *testing.T, url string) *house {
	t.Helper()
	h := &house{t: t, url: url, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), keys: ruleKeys(t)}
	var err error
	h.db, err = sqlstore.Open(t.Context(), sqlstore.Config{URL: url, Keys: h.keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	catalog, err := chat.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	h.prov = &script{
		clock: h, badges: map[string]core.Observation{}, fail: map[string]error{}, asked: map[string]int{},
		caps: core.CanIssue | core.CanReplace | core.CanRevoke,
	}
	h.obs = &core.Observer{Store: h.db, Clock: h, Provider: h.prov, Announce: true}
	h.claims = &core.Claims{Store: h.db, Clock: h, TTL: core.DefaultHandoffTTL, Announce: true}
	h.links = &core.Links{Store: h.db, Clock: h, Keys: h.keys}
	h.passes = &core.Passages{Store: h.db, Clock: h, Keys: h.keys, Provider: h.prov, Observer: h.obs}
	h.work = &core.Work{Store: h.db, Clock: h, Provider: h.prov, Observer: h.obs, TTL: core.DefaultHandoffTTL}
	h.rec = &core.Reconciler{Store: h.db, Clock: h, Provider: h.prov, Observer: h.obs, Log: slog.New(slog.DiscardHandler)}
	h.comp = &chat.Composer{
		Store: h.db, Clock: h, Keys: h.keys, Catalog: catalog, Provider: h.prov, PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL,
	}
	return h
}

// migratedStore is the file of a store that holds nothing yet.
func migratedStore(t *testing.T) string {
	t.Helper()
	data, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "template.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// migrated is the content of such a file, made once: migrating costs more
// than most tests.
var migrated = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "laurel")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	keys, err := core.NewKeys(make([]byte, core.KeyBytes))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "template.db")
	db, err := sqlstore.Open(context.Background(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(context.Background()), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func ruleKeys(tb testing.TB) *core.Keys {
	tb.Helper()
	keys, err := core.NewKeys([]byte(strings.Repeat("r", core.KeyBytes)))
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) wants(err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("got %v, want %v", err, want)
	}
}

func (h *house) pass(d time.Duration) { h.now = h.now.Add(d) }

// link gives a person verified addresses without any mail.
func (h *house) link(who core.Identity, addresses ...string) core.Account {
	h.t.Helper()
	var a core.Account
	h.must(h.db.InTx(h.t.Context(), func(ctx context.Context, tx core.Tx) (err error) {
		if a, err = tx.EnsureAccount(ctx, core.Account{Identity: who, DisplayName: "Name of " + who.User, Team: "team of " + who.User}, h.now); err != nil {
			return err
		}
		for _, one := range addresses {
			err := tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: email(one), VerifiedAt: h.now})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return a
}

// award is what the provider says of a badge: pending, with its link.
func (h *house) award(id, to string) core.Observation {
	return core.Observation{
		ProviderID: "at-" + id, Recipient: email(to), Stage: core.StagePending, At: h.now, ReadAt: h.now,
		Template: core.Template{ID: "template-" + id, Name: "Badge " + id}, AcceptURL: "https://www.credly.com/go/" + id,
	}
}

// say lets the provider say something now, and applies it.
func (h *house) say(o core.Observation, stage core.Stage) {
	h.t.Helper()
	o.Stage, o.At, o.ReadAt = stage, h.now, h.now
	h.prov.badges[o.ProviderID] = o
	h.must(h.obs.Apply(h.t.Context(), o))
}

// pending makes a badge that is pending at the provider.
func (h *house) pending(id, to string) string {
	h.t.Helper()
	h.say(h.award(id, to), core.StagePending)
	return h.badgeOf("at-" + id).ID
}

// granted makes a badge that the provider does not know yet.
func (h *house) granted(award, to string) string {
	h.t.Helper()
	_, err := h.db.ImportAwards(h.t.Context(), []core.Award{{
		AwardID: award, Recipient: email(to), FirstName: "Ada", LastName: "Example", TemplateID: "template-" + award,
		IssuedAt: h.now, DecidedAt: h.now,
	}})
	h.must(err)
	return h.look(core.Observation{ProviderID: "at-" + award, ExternalID: award, Recipient: email(to)}).ID
}

// look finds a badge by what an observation would match.
func (h *house) look(o core.Observation) core.Badge {
	h.t.Helper()
	var found core.Badge
	err := h.db.InTx(h.t.Context(), func(ctx context.Context, tx core.Tx) error {
		c, err := tx.SaveObservation(ctx, o, h.now, core.PollPlan{})
		found = c.After
		return errors.Join(err, errRollBack)
	})
	h.wants(err, errRollBack)
	return found
}

func (h *house) badgeOf(providerID string) core.Badge {
	h.t.Helper()
	b := h.look(core.Observation{ProviderID: providerID, Recipient: email("nobody@example.org")})
	if b.Recipient.Normal == "nobody@example.org" {
		h.t.Fatalf("no badge %s", providerID)
	}
	return b
}

// member is the member behind a chat identity.
func (h *house) member(who core.Identity) string {
	h.t.Helper()
	p, err := h.db.Person(h.t.Context(), who)
	h.must(err)
	return p.MemberID()
}

func (h *house) stage(badgeID string) core.Stage {
	h.t.Helper()
	b, err := h.db.Badge(h.t.Context(), badgeID)
	h.must(err)
	return b.Stage
}

// told is one thing that was sent.
type told struct {
	to    core.Identity
	card  chat.Card
	event core.EventType
	mail  core.Mail
	// none says that there was nothing to send after all.
	none bool
	// fallback says that it would come as a new message where it cannot be
	// edited any more.
	fallback bool
	kind     delivery.Kind
	ref      string
}

func (h *house) place() core.Place {
	return core.Place{Ref: "reply", EditableUntil: h.now.Add(15 * time.Minute)}
}

// sent delivers everything that is queued and returns it.
func (h *house) sent() []told {
	h.t.Helper()
	var all []told
	for {
		due, err := h.db.TakeDeliveries(h.t.Context(), h.now, 50, time.Minute, delivery.Share{})
		h.must(err)
		if len(due) == 0 {
			return all
		}
		outcomes := make([]delivery.Outcome, 0, len(due))
		for _, d := range due {
			one, o := h.render(d), delivery.Outcome{Delivery: d, State: delivery.StateSent}
			if d.Kind == delivery.KindPost && !one.none {
				o.Place = &core.Place{Ref: "shown", EditableUntil: h.now.Add(1000 * time.Hour), Shown: true}
			}
			all = append(all, one)
			outcomes = append(outcomes, o)
		}
		_, err = h.db.FinishDeliveries(h.t.Context(), h.now, outcomes)
		h.must(err)
	}
}

func (h *house) render(d delivery.Delivery) told {
	h.t.Helper()
	out := told{kind: d.Kind, ref: d.Ref, fallback: d.Fallback}
	var err error
	switch d.Kind {
	case delivery.KindMail:
		out.mail, err = h.comp.ComposeMail(h.t.Context(), d.Ref, d.Payload)
	case delivery.KindEvent:
		out.event = core.EventType(d.Payload.Reveal())
	default:
		var post core.Post
		post, err = h.db.Post(h.t.Context(), d.Ref)
		h.must(err)
		out.to = post.Account.Identity
		out.card, err = h.comp.Compose(h.t.Context(), post)
	}
	if errors.Is(err, chat.ErrNothing) || errors.Is(err, chat.ErrWithdrawn) {
		out.none = true
		err = nil
	}
	h.must(err)
	return out
}

// titles are the cards that were sent to a person.
func titles(all []told, to core.Identity) []string {
	var out []string
	for _, one := range all {
		if one.kind == delivery.KindPost && one.to == to && !one.none {
			out = append(out, one.card.Title)
		}
	}
	return out
}

func events(all []told) []core.EventType {
	var out []core.EventType
	for _, one := range all {
		if one.kind == delivery.KindEvent {
			out = append(out, one.event)
		}
	}
	return out
}

// code is what the mailed text says.
func code(t *testing.T, all []told) string {
	t.Helper()
	for i := len(all) - 1; i >= 0; i-- {
		if digits := codeIn(all[i].mail.Text); digits != "" {
			return digits
		}
	}
	t.Fatal("no mail with a code")
	return ""
}

// ask asks for a code and returns it as mailed.
func (h *house) ask(who core.Identity, address string) (core.Verification, string) {
	h.t.Helper()
	v, err := h.links.Start(h.t.Context(), core.LinkRequest{
		Account:   core.Account{Identity: who, DisplayName: "Name of " + who.User, Team: "team of " + who.User},
		Workspace: "w", Email: email(address), At: h.place(),
	})
	h.must(err)
	return v, code(h.t, h.sent())
}

// items takes what is to be done at the provider.
func (h *house) items() []inbox.Item {
	h.t.Helper()
	items, err := h.db.TakeItems(h.t.Context(), h.now, 50, time.Minute)
	h.must(err)
	for _, i := range items {
		h.must(h.db.FinishItem(h.t.Context(), i.ID, h.now))
	}
	return items
}

// script is a provider that says what it is told to.
type script struct {
	clock  core.Clock
	caps   core.Capability
	badges map[string]core.Observation
	// fail are errors by method.
	fail      map[string]error
	asked     map[string]int
	templates []core.Template
	// all says that everything belongs to one account.
	all bool
}

var _ core.Provider = (*script)(nil)

func (*script) Name() string                    { return "Credly" }
func (s *script) Capabilities() core.Capability { return s.caps }

func (s *script) ask(method string) error {
	s.asked[method]++
	return s.fail[method]
}

func (s *script) Get(_ context.Context, id string) (core.Observation, error) {
	if err := errors.Join(s.ask("get"), s.fail["get "+id]); err != nil {
		return core.Observation{}, err
	}
	o, ok := s.badges[id]
	if !ok {
		return o, core.ErrNoSuchBadge
	}
	o.ReadAt = s.clock.Now()
	return o, nil
}

func (s *script) ForPerson(_ context.Context, e core.Email) ([]core.Observation, error) {
	if err := s.ask("person"); err != nil {
		return nil, err
	}
	var out []core.Observation
	for _, o := range s.badges {
		if s.all || o.Recipient.Normal == e.Normal {
			out = append(out, o)
		}
	}
	return out, nil
}

func (s *script) Templates(context.Context) ([]core.Template, error) {
	return s.templates, s.ask("templates")
}

func (s *script) Issue(_ context.Context, r core.IssueRequest) (core.Observation, error) {
	if err := s.ask("issue"); err != nil {
		return core.Observation{}, err
	}
	o, ok := s.badges["at-"+r.ExternalID]
	if !ok {
		o = core.Observation{
			ProviderID: "at-" + r.ExternalID, Recipient: r.Recipient, Stage: core.StagePending,
			Template:  core.Template{ID: r.TemplateID, Name: "Badge " + r.ExternalID},
			AcceptURL: "https://www.credly.com/go/" + r.ExternalID, At: s.clock.Now(),
		}
		s.badges[o.ProviderID] = o
	}
	o.ReadAt = s.clock.Now()
	return o, nil
}

func (s *script) Replace(_ context.Context, id string, r core.IssueRequest) (core.Observation, error) {
	if err := s.ask("replace"); err != nil {
		return core.Observation{}, err
	}
	old := s.badges[id]
	next := old
	next.ProviderID, next.ExternalID, next.Recipient, next.At = id+"-moved", r.ExternalID, r.Recipient, s.clock.Now()
	next.ReadAt = s.clock.Now()
	old.Stage, old.ReplacedBy, old.At = core.StageReplaced, next.ProviderID, s.clock.Now()
	s.badges[id], s.badges[next.ProviderID] = old, next
	return next, nil
}

func (s *script) Revoke(_ context.Context, id, _ string) error {
	if err := s.ask("revoke"); err != nil {
		return err
	}
	o := s.badges[id]
	o.Stage, o.At = core.StageRevoked, s.clock.Now()
	s.badges[id] = o
	return nil
}

func (*script) Event(context.Context, []byte) (string, error) { return "", nil }
func (*script) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/")
}
