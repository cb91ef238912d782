package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/playground/portalsim"
)

// repeated is F8: one event comes four times, at once, a minute and five
// minutes later, to two replicas.
type repeated struct{}

func (repeated) Name() string { return "events delivered four times" }

func (repeated) Criterion() string {
	return "one effect; a first arrival that says it is a retry is worked off"
}

// event is something that comes from outside, signed anew each time.
type event struct {
	key    string
	sign   func(at time.Time) rig.Request
	effect string
}

func slackEvent(s *rig.Stage, id, tenant string, retry bool) func(time.Time) rig.Request {
	body := fmt.Sprintf(`{"type":"event_callback","team_id":%q,"event_id":%q,"event":{"type":"app_uninstalled"}}`, tenant, id)
	return func(at time.Time) rig.Request {
		h := s.SignSlack(body, at)
		h.Set("Content-Type", "application/json")
		if retry {
			h.Set("X-Slack-Retry-Num", "1")
			h.Set("X-Slack-Retry-Reason", "http_timeout")
		}
		return rig.Request{Path: "/slack/events", Header: h, Body: body}
	}
}

func portalEvent(s *rig.Stage, id, body string) (func(time.Time) rig.Request, error) {
	signer, err := portalsim.NewSigner(s.PortalSecret)
	if err != nil {
		return nil, fmt.Errorf("sign webhooks: %w", err)
	}
	return func(at time.Time) rig.Request {
		h := http.Header{}
		h.Set("Content-Type", "application/json")
		h.Set(portalsim.HeaderID, id)
		h.Set(portalsim.HeaderTimestamp, fmt.Sprint(at.Unix()))
		h.Set(portalsim.HeaderSignature, signer.Sign(id, at, []byte(body)))
		return rig.Request{Path: "/webhooks/portal", Header: h, Body: body}
	}, nil
}

func (repeated) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f08"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		grant, err := portalEvent(s, "msg_faults8", fmt.Sprintf(`{"type":"award.granted","timestamp":%q,"data":{"award_id":"award-8",`+
			`"recipient":{"email":"newcomer@example.org","first_name":"New","last_name":"Comer"},"badge_template_id":"t","issued_at":"2026-11-20"}}`,
			s.Now().UTC().Format(time.RFC3339)))
		if err != nil {
			return "", err
		}
		credly := fmt.Sprintf(`{"id":"00000000-0000-4000-8000-0000000000f8","organization_id":%q,"event_type":"badge.state.changed"}`, s.Credly.OrganizationID())
		const dead = `SELECT count(*) FROM installations WHERE dead <> '' AND tenant = `
		events := []event{
			{"Ev0FAULTS8", slackEvent(s, "Ev0FAULTS8", "T0GONE0001", false), dead + `'T0GONE0001'`},
			{"Ev0FAULTS9", slackEvent(s, "Ev0FAULTS9", "T0GONE0002", true), dead + `'T0GONE0002'`},
			{"msg_faults8", grant, `SELECT count(*) FROM badges WHERE award_id = 'award-8'`},
			{"00000000-0000-4000-8000-0000000000f8", func(time.Time) rig.Request {
				return rig.Request{
					Path: "/webhooks/credly/" + rig.WebhookToken, Header: http.Header{"Content-Type": {"application/json"}}, Body: credly,
				}
			}, `SELECT 1`},
		}
		c := s.NewClient(false)
		defer c.Close()
		sent := 0
		for _, wait := range []time.Duration{0, time.Minute, 4 * time.Minute} {
			if wait > 0 {
				if err := errors.Join(s.Advance(ctx, wait), rig.Sleep(ctx, rig.ClockSeen)); err != nil {
					return "", err
				}
			}
			n, err := sendAll(ctx, s, c, events, wait == 0)
			if err != nil {
				return "", err
			}
			sent += n
			if err := s.Settle(ctx, 30*time.Second); err != nil {
				return "", err
			}
		}
		for _, e := range events {
			stored, err := s.Count(ctx, `SELECT count(*) FROM inbox WHERE event_key = $1 AND state = 'done'`, e.key)
			found.add(err)
			found.want(stored == 1, "%s: %d rows of the inbox are done, want 1", e.key, stored)
			n, err := s.Count(ctx, e.effect)
			found.add(err)
			found.want(n == 1, "%s: %d effects", e.key, n)
		}
		return Figure(fmt.Sprintf("%d deliveries of %d events at 2 replicas over 5 min, each worked off once", sent, len(events))), nil
	})
}

// sendAll sends every event, at once to both replicas if it is the first time.
func sendAll(ctx context.Context, s *rig.Stage, c *rig.Client, events []event, twice bool) (int, error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	sent := 0
	for _, e := range events {
		for i, b := range s.Bots {
			if i > 0 && !twice {
				break
			}
			sent++
			group.Go(func() {
				status, _, err := c.Post(ctx, b, e.sign(s.Now()))
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("%s: answered %d", e.key, status)
				}
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			})
		}
	}
	group.Wait()
	return sent, errors.Join(errs...)
}
