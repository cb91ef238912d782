package sqlstore

import (
	"errors"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

func TestOutlook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		seen, err := w.Outlook(t.Context(), start)
		w.must(err)
		if len(seen.Deliveries) != 2 || seen.Deliveries[0].Kind != delivery.KindPost || seen.Deliveries[0].Attempts != 0 {
			t.Errorf("deliveries: %+v", seen.Deliveries)
		}
		when := map[DueKind]time.Time{}
		for i, d := range seen.Due {
			when[d.What] = d.At
			if !d.At.After(start) || i > 0 && d.At.Before(seen.Due[i-1].At) {
				t.Errorf("due: %+v", seen.Due)
			}
		}
		if !when[DueHandoff].Equal(p.ExpiresAt) {
			t.Errorf("the link ends at %v: %+v", p.ExpiresAt, seen.Due)
		}
		if seen, err = w.Outlook(t.Context(), p.ExpiresAt); err != nil {
			t.Fatal(err)
		}
		for _, d := range seen.Due {
			if d.What == DueHandoff {
				t.Errorf("what is over is due: %+v", d)
			}
		}
	})
}

func TestUnplug(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqliteURL(t))
	ada := slackUser("U1")
	w.account(ada, "ada@example.org")
	if !w.Unplug(true) {
		t.Fatal("SQLite cannot be unplugged")
	}
	if err := w.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("ping: %v", err)
	}
	if _, err := w.Person(t.Context(), ada); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
	w.Unplug(false)
	who, err := w.Person(t.Context(), ada)
	if err != nil || who.Account == nil {
		t.Errorf("after it is back: %+v, %v", who, err)
	}
}
