package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

var morning = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// still is a clock that stands.
type still struct{}

func (still) Now() time.Time { return morning }

// shop is a store with people of several workspaces, and dispatchers over it.
type shop struct {
	*sqlstore.DB
	t *testing.T
}

// eachShop runs a test on both databases.
func eachShop(t *testing.T, f func(t *testing.T, s *shop)) {
	t.Helper()
	for name, url := range map[string]func() string{
		"postgres": func() string { return testpg.New(t) },
		"sqlite":   func() string { return "sqlite:" + migrated(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url(), Keys: testKeys(t)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			f(t, &shop{DB: db, t: t})
		})
	}
}

// tell queues one message for each of n people of a workspace.
func (s *shop) tell(tenant string, n int) {
	s.t.Helper()
	err := s.InTx(s.t.Context(), func(ctx context.Context, tx core.Tx) error {
		for i := range n {
			a, err := tx.EnsureAccount(ctx, core.Account{Identity: core.Identity{
				Platform: "slack", Tenant: tenant, User: fmt.Sprintf("U%d", i),
			}}, morning)
			if err != nil {
				return err
			}
			id, err := tx.AddPost(ctx, core.Post{
				ID: core.NewID(), Account: a, Subject: core.Subject{Kind: core.SubjectBadge, ID: "b"},
			}, morning)
			if err != nil {
				return err
			}
			if err := tx.Tell(ctx, id, true, morning); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// dispatch starts a dispatcher that ends with the test.
func (s *shop) dispatch(send sending) *delivery.Dispatcher {
	s.t.Helper()
	d := delivery.NewDispatcher(s, still{}, slog.New(slog.DiscardHandler), map[delivery.Kind]delivery.Sender{
		delivery.KindPost: send, delivery.KindMail: send,
	}, nil)
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(ended)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-ended
	})
	return d
}

type sending func(ctx context.Context, d delivery.Delivery) delivery.Outcome

func (f sending) Send(ctx context.Context, d delivery.Delivery) delivery.Outcome { return f(ctx, d) }

// One workspace answers so slowly that it does not answer at all while the
// test lasts, with hundreds of its messages due before all others. Those of
// the others, and mails, do not wait for it.
func TestASlowWorkspaceSlowsNoOther(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *testing.T, s *shop) {
		const others, each, share = 20, 5, 100
		s.tell("slow", 220)
		release, slow := make(chan struct{}), make(chan string, 220)
		served := make(chan string, others*each+1)
		s.dispatch(func(_ context.Context, d delivery.Delivery) delivery.Outcome {
			if d.Tenant == "slack:slow" {
				slow <- d.Tenant
				<-release
			} else {
				served <- d.Tenant
			}
			return delivery.Outcome{Delivery: d, State: delivery.StateSent}
		})
		t.Cleanup(func() { close(release) })
		// It has its share before the first of the others comes.
		for range share {
			await(t, slow)
		}
		for i := range others {
			s.tell(fmt.Sprintf("T%d", i), each)
		}
		err := s.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
			return tx.QueueMail(ctx, "v1", "code", morning)
		})
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for range others*each + 1 {
			count[await(t, served)]++
		}
		if len(count) != others+1 || count["mail"] != 1 || count["slack:T0"] != each {
			t.Errorf("served %v", count)
		}
		if n := len(slow); n != 0 {
			t.Errorf("%d attempts beyond the slow one's share", n)
		}
	})
}

// A token that is revoked stops the sends of every replica as soon as one of
// them has stored what it met; new credentials start them again.
func TestARevokedTokenStopsAllReplicas(t *testing.T) {
	t.Parallel()
	eachShop(t, func(t *testing.T, s *shop) {
		const people = 220
		s.tell("T1", people)
		s.tell("T2", 5)
		var mu sync.Mutex
		sends := map[string]int{}
		revoked := true
		done := make(chan string, 2*people)
		send := func(_ context.Context, d delivery.Delivery) delivery.Outcome {
			mu.Lock()
			defer mu.Unlock()
			sends[d.Tenant]++
			if d.Tenant == "slack:T1" && revoked {
				return delivery.Outcome{
					Delivery: d, State: delivery.StateReady, RetryAt: morning, Uncounted: true, Cause: "token_revoked",
					DeadInstallation: &core.Identity{Platform: "slack", Tenant: "T1"},
				}
			}
			done <- d.Tenant
			return delivery.Outcome{Delivery: d, State: delivery.StateSent}
		}
		replicas := []*delivery.Dispatcher{s.dispatch(send), s.dispatch(send)}
		for range 5 {
			await(t, done)
		}
		// Nothing is left but the messages of the dead workspace.
		var stopped int
		for deadline := time.Now().Add(20 * time.Second); ; {
			if time.Now().After(deadline) {
				t.Fatal("the sends did not stop")
			}
			installations, err := s.Installations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stats, err := s.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(installations) == 1 && installations[0].Dead != "" && stats.Deliveries[delivery.StateSending] == 0 {
				break
			}
		}
		mu.Lock()
		stopped = sends["slack:T1"]
		revoked = false
		mu.Unlock()
		for _, d := range replicas {
			d.Nudge()
		}
		s.tell("T1", 1)
		s.tell("T2", 1)
		await(t, done)
		mu.Lock()
		// Both may have had their share under way when it was noticed.
		if sends["slack:T1"] != stopped || stopped == 0 || stopped > 2*100 {
			t.Errorf("%d sends before it was noticed, %d in all", stopped, sends["slack:T1"])
		}
		mu.Unlock()
		if err := s.MarkInstallation(t.Context(), "slack", "T1", "", morning); err != nil {
			t.Fatal(err)
		}
		for range people {
			await(t, done)
		}
	})
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
