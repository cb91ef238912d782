package sqlstore

import (
	"testing"
	"time"

	"github.com/pressly/goose/v3"
)

// From version 2 with an installation in it, with a program of that version at
// work, and back.
func TestFromVersion2AndBack(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, w *world, p *goose.Provider) {
		ctx := t.Context()
		// What a program of version 2 says, word for word.
		old := func(tenant, dead string, now time.Time) {
			t.Helper()
			_, err := w.run().exec(ctx, `INSERT INTO installations (platform, tenant, dead, since) VALUES (?, ?, ?, ?)
				ON CONFLICT (platform, tenant) DO UPDATE SET dead = excluded.dead, since = excluded.since
				WHERE (installations.dead = '') <> (excluded.dead = '')`, "slack", tenant, dead, ms(now))
			w.must(err)
		}
		_, err := p.UpTo(ctx, 2)
		w.must(err)
		old("T1", "token_revoked", start)
		w.must(w.Migrate(ctx))
		if found, err := w.Removals(ctx); err != nil || len(found) != 0 {
			t.Fatalf("removals %+v, %v", found, err)
		}
		w.must(w.RemoveInstallation(ctx, "slack", "T1", start.Add(time.Hour)))
		old("T1", "", start.Add(2*time.Hour))
		old("T2", "token_revoked", start)
		found, err := w.Removals(ctx)
		w.must(err)
		if len(found) != 1 || found[0].Tenant != "T1" || !found[0].At.Equal(start.Add(time.Hour)) {
			t.Errorf("removals %+v", found)
		}
		_, err = p.DownTo(ctx, 2)
		w.must(err)
		old("T1", "token_revoked", start)
		if n := w.count(`SELECT count(*) FROM installations WHERE dead <> ''`); n != 2 {
			t.Errorf("%d dead installations on the way back, want 2", n)
		}
	})
}
