package core_test

import (
	"database/sql"
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

// mortals are replicas over one database that die at rows which they change,
// under one clock that the model moves.
type mortals struct {
	t        *testing.T
	rand     *rand.Rand
	now      time.Time
	raw      *sql.DB
	replicas []*mortal
	kills    int
}

// mortal is one of them.
type mortal struct {
	db     *sqlstore.DB
	obs    *core.Observer
	sender *delivery.PostSender
}

// open begins n replicas over a copy of the template; what they send goes to
// to.
func (m *mortals) open(template string, n int, to chat.Messenger) {
	m.t.Helper()
	file := copyFile(m.t, template)
	var err error
	m.raw, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	m.must(err)
	m.t.Cleanup(func() { _ = m.raw.Close() })
	keys := ruleKeys(m.t)
	catalog, err := chat.NewCatalog()
	m.must(err)
	for range n {
		db, err := sqlstore.Open(m.t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys, Log: slog.New(slog.DiscardHandler)})
		m.must(err)
		m.t.Cleanup(func() { _ = db.Close() })
		provider := &script{clock: m, badges: map[string]core.Observation{}}
		m.replicas = append(m.replicas, &mortal{
			db: db, obs: &core.Observer{Store: db, Clock: m, Provider: provider},
			sender: &delivery.PostSender{
				Store: db, Clock: m, Messengers: map[core.Platform]chat.Messenger{"slack": to, "discord": to},
				Composer: &chat.Composer{Store: db, Clock: m, Keys: keys, Catalog: catalog, Provider: provider, PublicURL: publicURL, TTL: core.DefaultHandoffTTL},
			},
		})
	}
}

// Now implements [core.Clock].
func (m *mortals) Now() time.Time { return m.now }

func (m *mortals) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%s: %v", m.now, err)
	}
}

func (m *mortals) any() *mortal { return m.replicas[m.rand.IntN(len(m.replicas))] }

func (m *mortals) exec(query string, args ...any) {
	m.t.Helper()
	_, err := m.raw.ExecContext(m.t.Context(), query, args...)
	m.must(err)
}

// attempt lets a replica do something and, one time out of every, die at one
// of the first rows that it changes; then nothing of it is stored, and it
// reports false.
func (m *mortals) attempt(every, rows int, f func(r *mortal) error) bool {
	m.t.Helper()
	if m.rand.IntN(every) == 0 {
		m.exec(`UPDATE cut SET n = ?`, 1+m.rand.IntN(rows))
	}
	err := f(m.any())
	m.exec(`UPDATE cut SET n = -1`)
	if err != nil && strings.Contains(err.Error(), cutOff) {
		m.kills++
		return false
	}
	m.must(err)
	return true
}

// deliver sends what is due.
func (m *mortals) deliver(r *mortal) error {
	m.t.Helper()
	for {
		due, err := r.db.TakeDeliveries(m.t.Context(), m.now, 4, lease, delivery.Share{})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, d := range due {
			o := r.sender.Send(m.t.Context(), d)
			if o.State == delivery.StateDead {
				m.t.Fatalf("given up: %s", o.Cause)
			}
			if _, err := r.db.FinishDeliveries(m.t.Context(), m.now, []delivery.Outcome{o}); err != nil {
				return err
			}
		}
	}
}
