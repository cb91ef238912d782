package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// replayed is F19: somebody sends what they overheard.
type replayed struct{}

func (replayed) Name() string { return "valid requests replayed" }

func (replayed) Criterion() string { return "no second effect" }

func (replayed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f19"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		command := url.Values{
			"team_id": {rig.Tenant}, "user_id": {"U0NEWCOMER"}, "user_name": {"new"}, "channel_id": {"D0FAULTS01"}, "command": {"/badges"},
			"text": {"link newcomer@example.org"}, "trigger_id": {"1.2.abc"}, "response_url": {s.Desk.URL + "/actions/900"},
		}.Encode()
		requests := []rig.Request{
			s.Request(rig.Press{N: 1, Badge: 1, Person: s.Owner(1)}),
			s.Request(rig.Press{N: 2, Badge: 2, Person: s.Owner(2), Platform: rig.Discord}),
			{Path: "/slack/commands", Header: s.SignSlack(command, s.Now()), Body: command},
		}
		times := rig.Pick(r, 40, 10)
		var mu sync.Mutex
		send := func(request rig.Request, i int) {
			status, _, err := c.Post(ctx, s.Bots[i%2], request)
			mu.Lock()
			defer mu.Unlock()
			found.want(err == nil && status == http.StatusOK, "%s: answered %d, %v", request.Path, status, err)
		}
		for _, request := range requests {
			// At once at both replicas, and again later.
			var group sync.WaitGroup
			for i := range times {
				group.Go(func() { send(request, i) })
			}
			group.Wait()
		}
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		for _, request := range requests {
			for i := range 4 {
				send(request, i)
			}
		}
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		for what, query := range map[string]string{
			"handoffs": `SELECT count(*) FROM handoffs`, "audit rows of claims": `SELECT count(*) FROM audit WHERE kind = 'badge.claim'`,
			"events": `SELECT count(*) FROM outbox WHERE kind = 'event'`,
		} {
			n, err := s.Count(ctx, query)
			found.add(err)
			found.want(n == 2, "%d %s, want 2", n, what)
		}
		for what, query := range map[string]string{
			"verifications": `SELECT count(*) FROM verifications`, "mails": `SELECT count(*) FROM outbox WHERE kind = 'mail'`,
		} {
			n, err := s.Count(ctx, query)
			found.add(err)
			found.want(n == 1, "%d %s, want 1", n, what)
		}
		mails := len(s.Mail.Messages("newcomer@example.org"))
		found.want(mails == 1, "%d mails arrived", mails)
		return Figure(fmt.Sprintf("3 requests sent %d times each, %d mail", times+4, mails)), nil
	})
}
