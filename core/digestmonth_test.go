package core_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
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
	mortals
	badges  []*core.Observation
	notices []*notice
	// sent are the channels of messages by their delivery's key.
	sent map[string]core.Identity
	made int

	posts int
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
		mortals: mortals{t: t, rand: rand.New(rand.NewPCG(seed, 11)), now: time.Date(2026, 3, 14, 0, 30, 0, 0, time.UTC)},
		sent:    map[string]core.Identity{},
	}
	b.open(template, replicas, b)
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
	d, err := b.desk(b.any()).Add(b.t.Context(), "m", core.Digest{
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
	for _, job := range []func(*mortal) error{b.issue, b.deliver} {
		b.attempt(2, 6, job)
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
		b.must(b.desk(b.any()).Remove(b.t.Context(), "m", n.team, n.id))
	}
}

// desk keeps digests for a replica.
func (b *board) desk(r *mortal) *core.Digests { return &core.Digests{Store: r.db, Clock: b} }

func (b *board) issue(r *mortal) error {
	_, err := b.desk(r).Issue(b.t.Context())
	return err
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
