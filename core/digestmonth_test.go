package core_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
)

// Weeks in which replicas die at any row that they change, clocks are put
// forward and back, badges move, and managers make and remove digests: each
// channel sees every digest once, when it is due by the clock of its zone.
func TestMonthOfDigests(t *testing.T) {
	t.Parallel()
	template := worldTemplate(t)
	for _, replicas := range []int{2, 8} {
		for seed := range uint64(1) {
			t.Run(fmt.Sprintf("%d replicas, seed %d", replicas, seed), func(t *testing.T) {
				t.Parallel()
				b := newBoard(t, template, replicas, seed)
				for range 47 * 24 {
					b.hour()
				}
				if b.posts < 20 || b.kills < 5 {
					t.Errorf("%d posts, %d kills: nothing was tried", b.posts, b.kills)
				}
			})
		}
	}
}

// board is a small world with channels, from the middle of March on, when most
// clocks change.
type board struct {
	t        *testing.T
	rand     *rand.Rand
	now      time.Time
	raw      *sql.DB
	replicas []*boardReplica
	badges   []*core.Observation
	notices  []*notice
	// sent are the channels of messages by their delivery's key.
	sent map[string]core.Identity
	made int

	posts, kills int
}

type boardReplica struct {
	db      *sqlstore.DB
	digests *core.Digests
	obs     *core.Observer
	sender  *delivery.PostSender
}

// notice is a digest as the model knows it.
type notice struct {
	id   string
	team string
	in   core.Identity
	zone *time.Location
	// due reports whether it is posted at this time of its zone; times are
	// looked at every hour.
	due   func(local time.Time) bool
	ended bool
	want  int
}

func newBoard(t *testing.T, template string, replicas int, seed uint64) *board {
	b := &board{
		t: t, rand: rand.New(rand.NewPCG(seed, 11)), now: time.Date(2026, 3, 14, 0, 30, 0, 0, time.UTC),
		sent: map[string]core.Identity{},
	}
	file := copyFile(t, template)
	var err error
	if b.raw, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.raw.Close() })
	keys := ruleKeys(t)
	catalog, err := chat.NewCatalog()
	b.must(err)
	for range replicas {
		db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys, Log: slog.New(slog.DiscardHandler)})
		b.must(err)
		t.Cleanup(func() { _ = db.Close() })
		provider := &script{clock: b, badges: map[string]core.Observation{}}
		b.replicas = append(b.replicas, &boardReplica{
			db: db, digests: &core.Digests{Store: db, Clock: b},
			obs: &core.Observer{Store: db, Clock: b, Provider: provider},
			sender: &delivery.PostSender{
				Store: db, Clock: b, Messengers: map[core.Platform]chat.Messenger{"slack": b, "discord": b},
				Composer: &chat.Composer{Store: db, Clock: b, Keys: keys, Catalog: catalog, Provider: provider, PublicURL: publicURL, TTL: core.DefaultHandoffTTL},
			},
		})
	}
	for i := range 8 {
		obs := &core.Observation{
			ProviderID: fmt.Sprintf("at-%d", i), Recipient: email(fmt.Sprintf("p%d@example.org", i)),
			Template: core.Template{ID: fmt.Sprintf("template-%d", i%2), Name: fmt.Sprintf("Badge %d", i%2)},
			Stage:    core.StagePending, At: b.now, ReadAt: b.now, IssuedAt: b.now,
		}
		b.badges = append(b.badges, obs)
		b.must(b.any().obs.Apply(t.Context(), *obs))
	}
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/Havana"} {
		b.digest(name)
		b.digest(name)
	}
	return b
}

func (b *board) Now() time.Time { return b.now }

func (b *board) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", b.now, err)
	}
}

func (b *board) any() *boardReplica { return b.replicas[b.rand.IntN(len(b.replicas))] }

// channel is another one for each notice, in a team of either platform.
func (b *board) channel() (team string, in core.Identity) {
	b.made++
	if b.made%3 == 0 {
		return fmt.Sprintf("discord:%d", b.made%4), core.ChannelIdentity("discord", "", fmt.Sprintf("7%d", b.made))
	}
	return fmt.Sprintf("slack:T%d", b.made%4), core.ChannelIdentity("slack", fmt.Sprintf("T%d", b.made%4), fmt.Sprintf("C%d", b.made))
}

// digest makes one for each Monday or each month.
func (b *board) digest(zoneName string) {
	team, in := b.channel()
	n := &notice{team: team, in: in, zone: zone(b.t, zoneName)}
	every := core.EveryWeek
	n.due = func(local time.Time) bool { return local.Weekday() == time.Monday && local.Hour() == 9 }
	if b.made%4 == 3 {
		every = core.EveryMonth
		n.due = func(local time.Time) bool { return local.Day() == 1 && local.Hour() == 9 }
	}
	audience := core.AudienceTeam
	if b.rand.IntN(2) == 0 {
		audience = core.AudienceManagers
	}
	d, err := b.any().digests.Add(b.t.Context(), "m", core.Digest{
		Team: team, Account: core.Account{Identity: in, Team: team}, ChannelName: "d", Audience: audience, Every: every,
		Zone: zoneName, Locale: "en",
	})
	b.must(err)
	n.id = d.ID
	b.notices = append(b.notices, n)
}

// hour lets something happen, and everything be done that is due.
func (b *board) hour() {
	b.now = b.now.Add(time.Hour)
	b.live()
	for _, n := range b.notices {
		if !n.ended && n.due(b.now.In(n.zone)) {
			n.want++
		}
	}
	start, before := b.now, b.kills
	for _, job := range []func(*boardReplica) error{b.issue, b.deliver} {
		b.attempt(job)
	}
	if b.kills > before {
		// Another one goes on; what was in the hands of the dead is due again
		// after their lease.
		b.must(b.issue(b.any()))
		b.now = b.now.Add(2 * lease)
		b.must(b.deliver(b.any()))
	}
	b.now = start
	b.look()
}

// live lets badges move, and managers do something, rarely.
func (b *board) live() {
	if b.rand.IntN(4) == 0 {
		obs := b.badges[b.rand.IntN(len(b.badges))]
		stages := []core.Stage{core.StagePending, core.StageAccepted, core.StagePublic, core.StageRevoked}
		obs.Stage, obs.At, obs.ReadAt = stages[b.rand.IntN(len(stages))], b.now, b.now
		b.must(b.any().obs.Apply(b.t.Context(), *obs))
	}
	if b.rand.IntN(40) > 0 {
		return
	}
	n := b.notices[b.rand.IntN(len(b.notices))]
	switch {
	case b.rand.IntN(2) == 0 && len(b.notices) < 16:
		b.digest("America/Santiago")
	case !n.ended:
		n.ended = true
		b.must(b.any().digests.Remove(b.t.Context(), "m", n.team, n.id))
	}
}

// attempt lets a replica do something, and die at a row that it changes.
func (b *board) attempt(f func(r *boardReplica) error) {
	if b.rand.IntN(4) > 0 {
		b.exec(`UPDATE cut SET n = ?`, 1+b.rand.IntN(6))
	}
	err := f(b.any())
	if err != nil && strings.Contains(err.Error(), cutOff) {
		b.kills++
		err = nil
	}
	b.must(err)
	b.exec(`UPDATE cut SET n = -1`)
}

func (b *board) exec(query string, args ...any) {
	_, err := b.raw.ExecContext(b.t.Context(), query, args...)
	b.must(err)
}

func (b *board) issue(r *boardReplica) error {
	_, err := r.digests.Issue(b.t.Context())
	return err
}

func (b *board) deliver(r *boardReplica) error {
	for {
		due, err := r.db.TakeDeliveries(b.t.Context(), b.now, 8, lease, delivery.Share{})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, d := range due {
			o := r.sender.Send(b.t.Context(), d)
			if o.State == delivery.StateDead {
				b.t.Fatalf("given up: %s", o.Cause)
			}
			if _, err := r.db.FinishDeliveries(b.t.Context(), b.now, []delivery.Outcome{o}); err != nil {
				return err
			}
		}
	}
}

// Pause implements [chat.Messenger].
func (b *board) Pause() time.Duration { return 0 }

// Show implements [chat.Messenger]: an edit.
func (b *board) Show(_ context.Context, at core.Place, _ chat.Card, _ string) (core.Place, error) {
	return at, nil
}

// Direct implements [chat.Messenger]: a new message, once for each key.
func (b *board) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	if _, known := b.sent[key]; !known {
		if c.Picture == nil && !strings.Contains(c.Title, "badges") {
			b.t.Fatalf("%s: no digest: %s", b.now, readable(c))
		}
		b.sent[key] = to
		b.posts++
	}
	return core.Place{Ref: core.Secret(key), MessageKey: key, EditableUntil: b.now.Add(10000 * time.Hour), Shown: true}, nil
}

// Remove implements [chat.Messenger].
func (b *board) Remove(context.Context, core.Place) error {
	b.t.Error("a post was removed")
	return nil
}

// look holds what stands in the channels against the model.
func (b *board) look() {
	got := map[core.Identity]int{}
	for _, in := range b.sent {
		got[in]++
	}
	for _, n := range b.notices {
		if got[n.in] != n.want {
			b.t.Fatalf("%s: %s of %s has %d digests, %d were due", b.now, n.in.User, n.zone, got[n.in], n.want)
		}
	}
}
