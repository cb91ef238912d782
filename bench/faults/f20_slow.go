package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// slowLoris is F20: connections that send a byte now and then, and bodies
// that are too large.
type slowLoris struct{}

func (slowLoris) Name() string { return "500 slow connections + 50/s real" }

func (slowLoris) Criterion() string {
	return "real p99 < 100 ms; too large → 413; memory < 128 MB"
}

func (slowLoris) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f20"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		b := s.Bots[0]
		slow, stop := context.WithCancel(ctx)
		defer stop()
		var group sync.WaitGroup
		var open, most, dropped atomic.Int64
		want := rig.Pick(r, 500, 100)
		for i := range want {
			group.Go(func() {
				for slow.Err() == nil {
					if drip(slow, b.Address, i, &open, &most) {
						dropped.Add(1)
					}
				}
			})
		}
		defer group.Wait()
		defer stop()
		err := rig.Await(ctx, 20*time.Second, "slow connections", func() (bool, error) { return open.Load() >= int64(want)*9/10, nil })
		if err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		during := rig.Pick(r, 20*time.Second, 3*time.Second)
		if err := c.Load(ctx, 0, rig.Pick(r, 50, 30), during); err != nil {
			return "", err
		}
		for path, kind := range map[string]string{
			"/slack/interactions": rig.FormType, "/discord/interactions": "application/json",
			"/webhooks/portal": "application/json", "/webhooks/credly/" + rig.WebhookToken: "application/json",
		} {
			body := strings.Repeat("x", 1<<20)
			header := s.SignSlack(body, s.Now())
			header.Set("Content-Type", kind)
			status, _, err := c.Post(ctx, b, rig.Request{Path: path, Header: header, Body: body})
			// A server may hang up on whoever goes on sending after the answer.
			found.want(status == http.StatusRequestEntityTooLarge || err != nil && path != "/slack/interactions",
				"%s: 1 MB was answered %d, %v", path, status, err)
		}
		memory, err := b.Memory()
		found.add(err)
		stop()
		group.Wait()
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		p99 := rig.Quantile(c.Ledger.Entries(), 0.99)
		found.want(v.Whole() && v.OK == v.Clicks, "%s", v)
		found.want(p99 < r.Limit(100*time.Millisecond), "p99 is %s", p99)
		found.want(memory < 128_000_000, "memory reached %d MB", memory/1_000_000)
		found.want(dropped.Load() > 0 || r.Short, "no slow connection was ever closed by the bot")
		return Figure(fmt.Sprintf("%d slow connections at once, %d closed by the bot; %d clicks, p99 %s, max %s; memory %d MB",
			most.Load(), dropped.Load(), v.Clicks, ms(p99), ms(v.Max), memory/1_000_000)), err
	})
}

// drip opens a connection and sends a request a few bytes at a time, half of
// them in the head and half in the body, until the server hangs up. It
// reports whether the server did.
func drip(ctx context.Context, address string, i int, open, most *atomic.Int64) bool {
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		_ = rig.Sleep(ctx, 100*time.Millisecond)
		return false
	}
	n := open.Add(1)
	for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
	}
	defer func() {
		open.Add(-1)
		_ = conn.Close()
	}()
	text := "POST /slack/interactions HTTP/1.1\r\nHost: laurel.example.org\r\nX-Slow: "
	if i%2 == 0 {
		text += "1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n"
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return true
	}
	for {
		if err := rig.Sleep(ctx, time.Second); err != nil {
			return false
		}
		if _, err := io.WriteString(conn, "a"); err != nil {
			return ctx.Err() == nil
		}
	}
}
