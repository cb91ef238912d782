package core_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

func TestRoleFactsOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	levels := core.RoleLevels{"a": 2, "b": 4, "c": 3}
	badge := func(template string, stage core.Stage, end time.Time) core.BadgeView {
		return core.BadgeView{Badge: core.Badge{Template: core.Template{ID: template}, Stage: stage, ExpiresAt: end}}
	}
	soon, late := now.Add(time.Hour), now.Add(48*time.Hour)
	tests := []struct {
		name   string
		badges []core.BadgeView
		want   core.RoleFacts
		until  time.Time
	}{
		{"nothing", nil, core.RoleFacts{}, time.Time{}},
		{"not public", []core.BadgeView{badge("b", core.StageAccepted, soon), badge("b", core.StagePending, soon), badge("b", core.StageGranted, time.Time{})}, core.RoleFacts{}, time.Time{}},
		{"ended", []core.BadgeView{badge("b", core.StageRevoked, late), badge("b", core.StageReplaced, late), badge("b", core.StageUnknown, late)}, core.RoleFacts{}, time.Time{}},
		{"public without end", []core.BadgeView{badge("b", core.StagePublic, time.Time{})}, core.RoleFacts{Badges: 1, Level: 4}, time.Time{}},
		{"without level", []core.BadgeView{badge("x", core.StagePublic, time.Time{})}, core.RoleFacts{Badges: 1}, time.Time{}},
		{"highest level, earliest end", []core.BadgeView{
			badge("a", core.StagePublic, late), badge("c", core.StagePublic, soon), badge("b", core.StageAccepted, soon), badge("x", core.StagePublic, time.Time{}),
		}, core.RoleFacts{Badges: 3, Level: 3, ValidUntil: soon}, soon},
		{"over", []core.BadgeView{badge("b", core.StagePublic, now), badge("a", core.StagePublic, late)}, core.RoleFacts{Badges: 1, Level: 2, ValidUntil: late}, late},
	}
	names := map[string]string{}
	for _, tt := range tests {
		got, until := core.RoleFactsOf(tt.badges, levels, now)
		if got != tt.want || !until.Equal(tt.until) || got.Certified() != (tt.want.Badges > 0) {
			t.Errorf("%s: %+v until %v", tt.name, got, until)
		}
		if other, ok := names[got.String()]; ok && got != (core.RoleFacts{}) {
			t.Errorf("%s and %s are both %q", tt.name, other, got)
		}
		names[got.String()] = tt.name
	}
}

// platform is one that gives roles, as far as one person's connection goes.
type platform struct {
	mu sync.Mutex
	// access and refresh are the tokens that work now; those of another consent
	// work beside them.
	access, refresh string
	beside          []string
	// unknown is what the platform says of the application's credentials, and
	// asked how often these were tried.
	unknown         error
	asked           int
	n               int
	facts           *core.RoleFacts
	told, refreshed int
	revoked         bool
	// fail is what the next calls say.
	fail  error
	clock core.Clock
	// slow is called while a refresh is under way, between once after a
	// withdrawal.
	slow, between func()
}

var _ core.RoleLink = (*platform)(nil)

func (p *platform) grant() core.RoleTokens {
	p.n++
	p.access, p.refresh = fmt.Sprintf("a%d", p.n), fmt.Sprintf("r%d", p.n)
	return core.RoleTokens{Access: core.Secret(p.access), Refresh: core.Secret(p.refresh), EndsAt: p.clock.Now().Add(7 * 24 * time.Hour)}
}

func (p *platform) AuthorizeURL(state string) string {
	return "https://discord.example.org/authorize?state=" + url.QueryEscape(state)
}

func (p *platform) Exchange(_ context.Context, code string) (core.RoleTokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code != "good" {
		return core.RoleTokens{}, core.ErrGone
	}
	p.beside, p.revoked = append(p.beside, p.access), false
	return p.grant(), p.fail
}

func (p *platform) Refresh(_ context.Context, t core.RoleTokens) (core.RoleTokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow != nil {
		p.slow()
	}
	if p.asked++; p.unknown != nil {
		return core.RoleTokens{}, p.unknown
	}
	if t.Refresh.Reveal() != p.refresh || p.revoked {
		return core.RoleTokens{}, core.ErrGone
	}
	p.refreshed++
	return p.grant(), nil
}

func (p *platform) call(t core.RoleTokens) error {
	if p.fail != nil {
		return p.fail
	}
	if access := t.Access.Reveal(); p.revoked || access != p.access && !slices.Contains(p.beside, access) {
		return core.ErrGone
	}
	return nil
}

func (p *platform) Owner(_ context.Context, t core.RoleTokens) (core.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return adaElse, p.call(t)
}

func (p *platform) Tell(_ context.Context, t core.RoleTokens, f core.RoleFacts) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(t); err != nil {
		return err
	}
	p.facts = &f
	p.told++
	return nil
}

func (p *platform) Withdraw(_ context.Context, t core.RoleTokens) error {
	p.mu.Lock()
	err := p.call(t)
	if err == nil {
		p.facts = nil
	}
	f := p.between
	p.between = nil
	p.mu.Unlock()
	if f != nil {
		f()
	}
	return err
}

func (p *platform) Revoke(_ context.Context, t core.RoleTokens) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked++; p.unknown != nil {
		return p.unknown
	}
	p.revoked, p.beside = true, nil
	return nil
}

// roleHouse is a house with roles and a person who has a public badge.
type roleHouse struct {
	*house
	platform *platform
	roles    *core.Roles
	badge    core.Observation
}

func newRoleHouse(t *testing.T, h *house) *roleHouse {
	t.Helper()
	p := &platform{clock: h}
	r := &roleHouse{house: h, platform: p, roles: &core.Roles{
		Store: h.db, Clock: h, Keys: h.keys, Link: p, Levels: core.RoleLevels{"gopher": 4}, Log: slog.New(slog.DiscardHandler),
	}}
	r.badge = core.Observation{
		ProviderID: "p1", Recipient: core.Email{Shown: "ada@example.org", Normal: "ada@example.org"},
		Template: core.Template{ID: "gopher", Name: "Gopher"}, Stage: core.StagePublic, At: h.now, ReadAt: h.now,
		ExpiresAt: h.now.Add(90 * 24 * time.Hour), BadgeURL: "https://www.credly.com/badges/p1",
	}
	return r
}

func (r *roleHouse) link() {
	r.t.Helper()
	r.must(r.db.InTx(r.t.Context(), func(ctx context.Context, tx core.Tx) error {
		a, err := tx.EnsureAccount(ctx, core.Account{Identity: adaElse}, r.now)
		if err != nil {
			return err
		}
		return tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: r.badge.Recipient, VerifiedAt: r.now})
	}))
}

func (r *roleHouse) says(stage core.Stage) {
	r.t.Helper()
	r.badge.Stage = stage
	r.badge.At, r.badge.ReadAt = r.now, r.now
	r.must(r.obs.Apply(r.t.Context(), r.badge))
}

func (r *roleHouse) connect() core.RoleResult {
	r.t.Helper()
	start := r.roles.Begin()
	u, err := url.Parse(start.URL)
	r.must(err)
	got, err := r.roles.Finish(r.t.Context(), start.Cookie, u.Query().Get("state"), "good")
	r.must(err)
	return got
}

func (r *roleHouse) tick(after time.Duration) core.RoleCounts {
	r.t.Helper()
	r.now = r.now.Add(after)
	n, err := r.roles.Tick(r.t.Context())
	r.must(err)
	return n
}

func (r *roleHouse) facts() string {
	r.platform.mu.Lock()
	defer r.platform.mu.Unlock()
	if r.platform.facts == nil {
		return "none"
	}
	return fmt.Sprintf("%d %d", r.platform.facts.Badges, r.platform.facts.Level)
}

func (r *roleHouse) expect(facts string) {
	r.t.Helper()
	if got := r.facts(); got != facts {
		r.t.Errorf("the platform knows %q, want %q", got, facts)
	}
}

// A state belongs to one browser, for ten minutes, and to nothing else.
func TestRoleState(t *testing.T) {
	t.Parallel()
	r := newRoleHouse(t, newHouse(t))
	one, other := r.roles.Begin(), r.roles.Begin()
	state := func(s core.RoleStart) string {
		return strings.TrimPrefix(s.URL, "https://discord.example.org/authorize?state=")
	}
	if strings.Contains(one.URL, one.Cookie.Reveal()) || one.Cookie == other.Cookie {
		t.Error("the cookie shows in the address, or is the same for all")
	}
	refused := func(name string, cookie core.Secret, state string) {
		t.Helper()
		if _, err := r.roles.Finish(t.Context(), cookie, state, "good"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("another browser", other.Cookie, state(one))
	refused("no browser", "", state(one))
	refused("no state", one.Cookie, "")
	refused("forged", one.Cookie, state(one)[:14]+"AAAA")
	refused("a later end", one.Cookie, "2"+state(one)[1:13]+"9"+state(one)[14:])
	refused("huge", core.Secret(strings.Repeat("x", 1<<20)), strings.Repeat("y", 1<<20))
	if _, err := r.roles.Finish(t.Context(), one.Cookie, state(one), "bad"); !errors.Is(err, core.ErrGone) {
		t.Errorf("a code that is none: %v", err)
	}
	if got, err := r.roles.Finish(t.Context(), one.Cookie, state(one), "good"); err != nil || got != core.RolesUnlinked {
		t.Errorf("in time: %q, %v", got, err)
	}
	r.now = r.now.Add(one.TTL)
	refused("too late", one.Cookie, state(one))
	if r.platform.told != 1 {
		t.Errorf("told %d times", r.platform.told)
	}
}

// From connecting to forgetting: what the platform knows follows the badges.
func TestRolesFollowBadges(t *testing.T) {
	t.Parallel()
	r := newRoleHouse(t, newHouse(t))
	if got := r.connect(); got != core.RolesUnlinked {
		t.Errorf("without an address: %q", got)
	}
	r.expect("0 0")
	r.link()
	if n := r.tick(time.Second); n.Looked != 1 || n.Told != 0 {
		t.Errorf("nothing to tell: %+v", n)
	}
	r.says(core.StageAccepted)
	r.tick(time.Second)
	r.expect("0 0")
	r.now = r.now.Add(time.Second)
	r.says(core.StagePublic)
	if n := r.tick(time.Second); n.Told != 1 {
		t.Errorf("public: %+v", n)
	}
	r.expect("1 4")
	// Nothing more to say, not even when it is looked at, until a week is over.
	if n := r.tick(25 * time.Hour); n.Looked != 1 || n.Told != 0 {
		t.Errorf("the next day: %+v", n)
	}
	for range 7 {
		r.tick(25 * time.Hour)
	}
	if r.platform.told != 3 || r.platform.refreshed != 1 {
		t.Errorf("told %d times, refreshed %d times", r.platform.told, r.platform.refreshed)
	}
	r.says(core.StageRevoked)
	r.tick(time.Second)
	r.expect("0 0")
	r.now = r.now.Add(time.Second)
	r.says(core.StagePublic)
	r.tick(time.Second)
	r.expect("1 4")
	// At the moment of its end, not a day later.
	r.now = r.badge.ExpiresAt.Add(-time.Second)
	r.tick(0)
	r.expect("1 4")
	r.tick(time.Second)
	r.expect("0 0")

	f := &core.Farewells{Store: r.db, Clock: r}
	r.must(f.Forget(t.Context(), adaElse))
	if n := r.tick(0); n.Withdrawn != 1 {
		t.Errorf("forgotten: %+v", n)
	}
	r.expect("none")
	if n := r.tick(24 * time.Hour); n.Looked != 0 || !r.platform.revoked {
		t.Errorf("something is left: %+v, revoked %v", n, r.platform.revoked)
	}
}

// What fails is tried again; a connection that the platform ended is told to
// its person once.
func TestRolesSurviveFailures(t *testing.T) {
	t.Parallel()
	r := newRoleHouse(t, newHouse(t))
	r.link()
	r.says(core.StagePublic)
	if got := r.connect(); got != core.RolesTold {
		t.Errorf("connected: %q", got)
	}
	r.now = r.now.Add(time.Second)
	r.says(core.StageRevoked)
	r.platform.fail = &core.DeliveryError{Class: core.RetryLater, After: 5 * time.Minute}
	if n := r.tick(0); n.Failed != 1 {
		t.Errorf("limited: %+v", n)
	}
	if n := r.tick(5*time.Minute - time.Second); n.Looked != 0 {
		t.Errorf("asked within the limit: %+v", n)
	}
	r.platform.fail = &core.DeliveryError{Class: core.Temporary}
	for _, wait := range []time.Duration{time.Second, 30 * time.Second, time.Minute} {
		if n := r.tick(wait); n.Failed != 1 {
			t.Errorf("after %v: %+v", wait, n)
		}
	}
	r.expect("1 4")
	r.platform.fail = nil
	if n := r.tick(2 * time.Minute); n.Told != 1 {
		t.Errorf("mended: %+v", n)
	}
	r.expect("0 0")
	// A token that ended early is replaced.
	r.platform.access = "another"
	r.now = r.now.Add(time.Second)
	r.says(core.StagePublic)
	if n := r.tick(0); n.Told != 1 || r.platform.refreshed != 1 {
		t.Errorf("after a 401: %+v, refreshed %d times", n, r.platform.refreshed)
	}
	// The person took the app away at the platform.
	r.platform.revoked = true
	r.now = r.now.Add(time.Second)
	r.says(core.StageRevoked)
	if n := r.tick(0); n.Lost != 1 {
		t.Errorf("taken away: %+v", n)
	}
	posts := func() int {
		o, err := r.db.Outlook(t.Context(), r.now)
		r.must(err)
		n := 0
		for _, d := range o.Deliveries {
			if d.Platform == "discord" {
				n++
			}
		}
		return n
	}
	told := posts()
	if n := r.tick(48 * time.Hour); n.Looked != 0 || posts() != told || told != 1 {
		t.Errorf("%+v, %d messages, then %d", n, told, posts())
	}
}

// A connection whose person never links an address, and one that can never be
// taken back, are given up.
func TestRolesAreGivenUp(t *testing.T) {
	t.Parallel()
	r := newRoleHouse(t, newHouse(t))
	r.connect()
	r.now = r.now.Add(30*24*time.Hour - 25*time.Hour)
	r.tick(0)
	if n := r.tick(25 * time.Hour); n.Withdrawn != 1 {
		t.Errorf("never linked: %+v", n)
	}
	r.expect("none")

	r.platform.revoked = false
	r.link()
	r.connect()
	p, err := r.db.Person(t.Context(), adaElse)
	r.must(err)
	r.must(r.roles.Disconnect(t.Context(), p, adaElse))
	if err := r.roles.Disconnect(t.Context(), p, adaElse); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("disconnected twice: %v", err)
	}
	r.platform.fail = &core.DeliveryError{Class: core.Temporary}
	logged := r.logs()
	var total core.RoleCounts
	for range 30 {
		n := r.tick(time.Hour)
		total.GivenUp, total.Withdrawn, total.Failed = total.GivenUp+n.GivenUp, total.Withdrawn+n.Withdrawn, total.Failed+n.Failed
	}
	if total.GivenUp != 1 || total.Withdrawn != 0 || total.Failed != 23 {
		t.Errorf("a day of failures: %+v", total)
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors logged:\n%s", n, logged)
	}
}

// Two replicas whose tokens are over replace them once: the platform would
// take the second try for a theft.
func TestReplicasRefreshRolesOnce(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) *house{
		"sqlite": newHouse,
		"postgres": func(t *testing.T) *house {
			t.Helper()
			url := testpg.New(t)
			h := houseOn(t, url)
			h.must(h.db.Migrate(t.Context()))
			return h
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoleHouse(t, make(t))
			r.link()
			r.connect()
			r.now = r.now.Add(8 * 24 * time.Hour)
			r.says(core.StagePublic)
			var group sync.WaitGroup
			errs := [4]error{}
			for i := range errs {
				group.Go(func() { _, errs[i] = r.roles.Tick(t.Context()) })
			}
			group.Wait()
			r.must(errors.Join(errs[:]...))
			if r.platform.refreshed != 1 || r.platform.told != 2 {
				t.Errorf("refreshed %d times, told %d times", r.platform.refreshed, r.platform.told)
			}
			r.expect("1 4")
		})
	}
}

// Tokens that came too late, after another replica took the connection over,
// are not stored, and nothing is told by them.
func TestLateTokensAreNotUsed(t *testing.T) {
	t.Parallel()
	r := newRoleHouse(t, newHouse(t))
	r.link()
	r.connect()
	r.now = r.now.Add(8 * 24 * time.Hour)
	r.says(core.StagePublic)
	r.platform.slow = func() {
		later := r.now.Add(time.Hour)
		taken, err := r.db.TakeRoles(t.Context(), later, later.Add(time.Minute), 1, "")
		if err != nil || len(taken) != 1 {
			t.Errorf("taken over: %v, %v", taken, err)
		}
	}
	if n := r.tick(0); n.Told != 0 || n.Lost != 0 {
		t.Errorf("%+v", n)
	}
	r.expect("0 0")
}

var _ core.RoleStore = (*sqlstore.DB)(nil)
