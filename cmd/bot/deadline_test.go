package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

// ackWithin is when a platform must have its acknowledgement: three seconds
// less the way there and back.
const ackWithin = 2700 * time.Millisecond

// outage keeps the database from working until end is called.
type outage func(t *testing.T, server *testpg.Server, databaseURL string) (end func())

func outages() map[string]outage {
	return map[string]outage{
		"frozen": func(_ *testing.T, server *testpg.Server, _ string) func() {
			server.Suspend()
			return server.Resume
		},
		"gone": func(_ *testing.T, server *testpg.Server, _ string) func() {
			server.Stop()
			return server.Start
		},
		"locked": lockHandoffs,
	}
}

// lockHandoffs lets nobody else at the handoffs.
func lockHandoffs(t *testing.T, _ *testpg.Server, databaseURL string) func() {
	t.Helper()
	tx, err := openDatabase(t, databaseURL).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE handoffs IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the database does, a press is acknowledged in time over every
// transport; the person is told honestly how it stands, and what was not
// decided then is decided once.
func TestAcknowledgedWhateverTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	for name, begin := range outages() {
		for _, by := range ways() {
			t.Run(name+" "+by.name, func(t *testing.T) {
				t.Parallel()
				server := testpg.StartServer(t)
				s := newStage(t, server.NewDatabase(), by.settle)
				who := s.newcomer(t, by.platform)
				list := who.lists()
				end := begin(t, server, s.settings.DatabaseURL)
				start := time.Now()
				list.press("Claim")
				if took := time.Since(start); took > ackWithin {
					t.Errorf("acknowledged after %s", took)
				}
				who.sees("Please try again in a minute")
				end()
				s.waitFor("the bot to be ready again", func() bool {
					status, _ := s.get(s.settings.PublicURL + "/readyz")
					return status == http.StatusOK
				})
				db := openDatabase(t, s.settings.DatabaseURL)
				const open = `SELECT count(*) FROM handoffs WHERE state = 'open'`
				label := "Claim"
				if countRows(t, db, open) == 1 {
					// The database went on with what it had been told before it
					// froze: the next look shows that.
					label = "Show link"
				}
				again := who.types("list", "", "Your badges", label)
				again.press(label)
				again.says("Ready")
				s.rest()
				if n := countRows(t, db, open); n != 1 {
					t.Errorf("%d open handoffs, want 1", n)
				}
			})
		}
	}
}
