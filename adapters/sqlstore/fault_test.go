package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// through returns the DSN with another address.
func through(t *testing.T, dsn, address string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = address
	return u.String()
}

func hostOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// counter is a proxy in front of PostgreSQL that counts round trips: the
// requests that ask for an answer (Query and Sync,
// https://www.postgresql.org/docs/current/protocol-message-formats.html).
type counter struct {
	listener net.Listener
	trips    atomic.Int64
	group    sync.WaitGroup
}

func countTrips(t *testing.T, upstream string) *counter {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{listener: l}
	c.group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			var dialer net.Dialer
			server, err := dialer.DialContext(context.Background(), "tcp", upstream)
			if err != nil {
				_ = client.Close()
				continue
			}
			c.group.Go(func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			})
			c.group.Go(func() {
				c.forward(server, client)
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.group.Wait()
	})
	return c
}

func (c *counter) forward(to io.Writer, from io.Reader) {
	startup := true
	for {
		head := make([]byte, 5)
		if startup {
			head = head[:4]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[len(head)-4:])
		body := make([]byte, size-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if !startup && (head[0] == 'Q' || head[0] == 'S') {
			c.trips.Add(1)
		}
		startup = false
		if _, err := to.Write(append(head, body...)); err != nil {
			return
		}
	}
}

func TestClaimIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	newWorld(t, dsn)
	proxy := countTrips(t, hostOf(t, dsn))
	d, err := Open(t.Context(), Config{URL: through(t, dsn, proxy.listener.Addr().String()), Keys: testKeys(t), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := &world{DB: d, t: t}
	ada := slackUser("U1")
	w.account(ada, "ada@example.org")
	for i, id := range []string{"p1", "p2", "p3"} {
		p := claimOf(ada, w.observe(pending(id, "ada@example.org")).After.ID, start)
		before := proxy.trips.Load()
		w.claimed(p)
		trips := proxy.trips.Load() - before
		if i == 0 {
			if trips != 2 {
				t.Errorf("first claim on a connection took %d round trips, want one more to prepare", trips)
			}
			continue
		}
		if trips != 1 {
			t.Errorf("claim took %d round trips, want 1", trips)
		}
	}
}

func TestBlackHole(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	newWorld(t, dsn)
	nop := zerolog.Nop()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), nop)
	proxy := toxiproxy.NewProxy(server, "db", "127.0.0.1:0", hostOf(t, dsn))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	w := &world{DB: openStore(t, through(t, dsn, proxy.Listen)), t: t}
	ada := slackUser("U1")
	w.account(ada, "ada@example.org")
	badge := w.observe(pending("p1", "ada@example.org")).After.ID
	w.must(w.Ping(t.Context()))

	for _, stream := range []string{"upstream", "downstream"} {
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(
			`{"name":"` + stream + `","type":"timeout","stream":"` + stream + `","attributes":{"timeout":0}}`))
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, call := range map[string]func(ctx context.Context) error{
		"read":  func(ctx context.Context) error { _, err := w.Person(ctx, ada); return err },
		"claim": func(ctx context.Context) error { _, err := w.DB.Claim(ctx, claimOf(ada, badge, start)); return err },
		"transaction": func(ctx context.Context) error {
			return w.InTx(ctx, func(ctx context.Context, tx core.Tx) error { return tx.Count(ctx, "n", 1) })
		},
	} {
		// With a limit of the caller, and with the connection's own only.
		for _, limit := range []time.Duration{time.Second, time.Minute} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			began := time.Now()
			err := call(ctx)
			cancel()
			// Far less than the caller would wait, on the busiest machine.
			if took := time.Since(began); took > time.Minute/2 {
				t.Errorf("%s took %v", name, took)
			}
			if !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
		}
	}
	for _, stream := range []string{"upstream", "downstream"} {
		if err := proxy.Toxics.RemoveToxic(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	w.recovers()
}

// recovers waits until the store answers again.
func (w *world) recovers() {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Second)
		_, err := w.Person(ctx, slackUser("U1"))
		cancel()
		if err == nil {
			return
		}
		if !errors.Is(err, core.ErrUnavailable) {
			w.t.Fatalf("while the database comes back: %v", err)
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the store does not come back: %v", err)
		}
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	server := testpg.StartServer(t)
	w := newWorld(t, server.NewDatabase())
	clock, err := w.Clock(t.Context())
	w.must(err)
	defer clock.Close()
	ada := slackUser("U1")
	w.account(ada, "ada@example.org")
	badge := w.observe(pending("p1", "ada@example.org")).After.ID
	w.claimed(claimOf(ada, badge, start))
	server.Stop()
	for range 3 {
		if _, err := w.DB.Claim(t.Context(), claimOf(ada, badge, start.Add(time.Hour))); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("claim without a server: %v, want ErrUnavailable", err)
		}
	}
	before := clock.Now()
	if err := clock.Sync(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("clock without a server: %v", err)
	}
	if clock.Now().Before(before) {
		t.Error("clock stands still without a server")
	}
	server.Start()
	w.recovers()
	w.claimed(claimOf(ada, badge, start.Add(time.Hour)))
}

func TestOpenWithoutServer(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	d := openStore(t, "postgres://u:geheim@"+address+"/x")
	if err := d.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("ping: %v", err)
	}
	if err := d.Migrate(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("migrate: %v", err)
	}
	if _, _, err := d.SchemaVersion(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("version: %v", err)
	}
}
