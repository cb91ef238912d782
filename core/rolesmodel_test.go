package core_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
)

// Whatever people, badges and the platform did: once it is quiet, the platform
// knows what is true of those who are connected, and nothing of others.
func TestRolesComeToRest(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		r := newRoleHouse(t, newHouse(t))
		dice := rand.New(rand.NewPCG(seed, 26))
		failing := 0
		for range 60 {
			if failing--; failing == 0 {
				r.platform.fail = nil
			}
			if what := r.step(dice); what == "fail" && failing < 0 {
				failing = 1 + dice.IntN(5)
				r.platform.fail = &core.DeliveryError{Class: core.Temporary}
				if dice.IntN(2) == 0 {
					r.platform.fail = &core.DeliveryError{Class: core.RetryLater, After: time.Minute}
				}
			}
		}
		r.platform.fail = nil
		for range 30 {
			r.tick(time.Hour)
		}
		for range 9 {
			r.tick(25 * time.Hour)
		}
		r.atRest(seed)
	}
}

// step does something, and says what.
func (r *roleHouse) step(dice *rand.Rand) string {
	r.t.Helper()
	ctx := r.t.Context()
	p, err := r.db.Person(ctx, adaElse)
	r.must(err)
	switch dice.IntN(12) {
	case 0:
		r.now = r.now.Add(time.Duration(dice.IntN(3600)) * time.Second)
	case 1:
		if r.platform.fail == nil {
			r.now = r.now.Add(time.Duration(dice.IntN(9*24)) * time.Hour)
		}
	case 2, 3:
		r.now = r.now.Add(time.Second)
		r.badge.ExpiresAt = r.now.Add(time.Duration(dice.IntN(20*24)) * time.Hour)
		r.says([]core.Stage{core.StagePublic, core.StagePublic, core.StageAccepted, core.StageRevoked}[dice.IntN(4)])
	case 4:
		if r.platform.fail == nil {
			r.connect()
		}
	case 5:
		// Without a connection there is nothing to end.
		_ = r.roles.Disconnect(ctx, p, adaElse)
	case 6:
		if p.Account != nil {
			r.must((&core.Farewells{Store: r.db, Clock: r}).Forget(ctx, adaElse))
		}
	case 7, 8:
		if len(p.Addresses) == 0 {
			r.link()
			break
		}
		_, err := r.links.Unlink(ctx, adaElse, p.Addresses[0].ID)
		r.must(err)
	case 9:
		if dice.IntN(3) == 0 {
			r.platform.takeAway()
		}
	case 10:
		return "fail"
	default:
		r.tick(time.Duration(dice.IntN(60)) * time.Second)
	}
	return ""
}

// takeAway is a person who removes the application at the platform.
func (p *platform) takeAway() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked, p.beside, p.facts = true, nil, nil
}

// atRest holds what the platform knows against what is true.
func (r *roleHouse) atRest(seed uint64) {
	r.t.Helper()
	ctx := r.t.Context()
	p, err := r.db.Person(ctx, adaElse)
	r.must(err)
	v, err := r.roles.View(ctx, p, adaElse)
	r.must(err)
	o, err := r.db.Outlook(ctx, r.now)
	r.must(err)
	rows := false
	for _, d := range o.Due {
		rows = rows || d.What == sqlstore.DueRoles
	}
	switch known := r.platform.facts; {
	case v.Connected == nil && (known != nil || rows):
		r.t.Errorf("seed %d: not connected, the platform knows %v, rows %v", seed, known, rows)
	case v.Connected != nil && (known == nil || *known != v.Facts || r.platform.revoked):
		r.t.Errorf("seed %d: connected with %v, the platform knows %v, taken away %v", seed, v.Facts, known, r.platform.revoked)
	}
}
