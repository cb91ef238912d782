package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// foreign is F23: somebody of another workspace presents what belongs to the
// first one.
type foreign struct{}

func (foreign) Name() string { return "ids of one tenant presented by another" }

func (foreign) Criterion() string {
	return "the same refusal as for what does not exist, and nothing changed"
}

// foreignPress is a press with any value by anybody.
func foreignPress(s *rig.Stage, n int, team, user, value string) (rig.Request, error) {
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]any{"id": team}, "user": map[string]any{"id": user, "name": "example"},
		"trigger_id": fmt.Sprintf("7.%d.foreign", n), "response_url": fmt.Sprintf("%s/actions/%d", s.Desk.URL, n),
		"container": map[string]any{"type": "message", "message_ts": fmt.Sprintf("1700000000.%06d", n), "channel_id": "D0FAULTS01", "is_ephemeral": true},
		"actions":   []any{map[string]any{"type": "button", "action_id": value, "value": value, "block_id": "b"}},
	})
	if err != nil {
		return rig.Request{}, fmt.Errorf("encode press: %w", err)
	}
	body := "payload=" + url.QueryEscape(string(payload))
	return rig.Request{Path: "/slack/interactions", Header: s.SignSlack(body, s.Now()), Body: body}, nil
}

func (f foreign) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f23"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		// The rightful owner opens a handoff and asks for a code.
		l := &linker{s: s, c: c, found: found, n: 50_000}
		owner := person{rig.Tenant, seed.SlackUser(s.Owner(1))}
		c.Click(ctx, rig.Press{N: 40_000, Badge: 1, Person: s.Owner(1)})
		if _, _, err := l.ask(ctx, owner, "second@example.org"); err != nil {
			return "", err
		}
		if err := s.Settle(ctx, 30*time.Second); err != nil {
			return "", err
		}
		verification, err := l.verification(ctx, owner)
		if err != nil {
			return "", err
		}
		cards := s.Desk.Cards(40_000)
		if len(cards) == 0 || cards[0].Link == "" {
			return "", fmt.Errorf("the owner saw no link")
		}
		before, err := f.sum(ctx, s)
		if err != nil {
			return "", err
		}
		presses, err := f.presses(ctx, s, c, found, map[string]string{
			"claim": seed.BadgeID(1), "code": verification, "resend": verification, "unlink": fmt.Sprintf("e%035d", s.Owner(1)),
		})
		if err != nil {
			return "", err
		}
		tokens, err := f.tokens(ctx, s, found, cards[0].Link)
		if err != nil {
			return "", err
		}
		if err := f.webhooks(ctx, s, c, found); err != nil {
			return "", err
		}
		if err := s.Settle(ctx, 30*time.Second); err != nil {
			return "", err
		}
		after, err := f.sum(ctx, s)
		found.add(err)
		found.want(before == after, "something changed: %s, then %s", before, after)
		return Figure(fmt.Sprintf("%d foreign presses, %d tokens, 2 webhooks: refused as if nothing were there", presses, tokens)), nil
	})
}

// sum tells whether anything changed.
func (foreign) sum(ctx context.Context, s *rig.Stage) (out string, err error) {
	err = s.DB.QueryRowContext(ctx, `SELECT concat_ws(' ',
		(SELECT count(*) FROM handoffs), (SELECT count(*) FROM handoffs WHERE state = 'open'), (SELECT count(*) FROM addresses),
		(SELECT count(*) FROM verifications), (SELECT sum(tries) FROM verifications), (SELECT count(*) FROM members),
		(SELECT count(*) FROM outbox), (SELECT count(*) FROM audit), (SELECT count(*) FROM inbox))`).Scan(&out)
	return out, err
}

// presses lets strangers press with real ids and with made-up ones, and holds
// the answers against each other.
func (foreign) presses(ctx context.Context, s *rig.Stage, c *rig.Client, found *findings, real map[string]string) (int, error) {
	dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // The same presses every time.
	verbs := []string{"claim", "code", "resend", "unlink"}
	n := 0
	for range rig.Pick(s.Rig, 60, 12) {
		verb := verbs[dice.IntN(len(verbs))]
		// Another workspace, the same user id elsewhere, or a colleague.
		stranger := []person{
			{"T0OTHER001", fmt.Sprintf("U0OTHER%03d", dice.IntN(1000))},
			{"T0OTHER002", seed.SlackUser(s.Owner(1))},
			{rig.Tenant, seed.SlackUser(s.Owner(2 + dice.IntN(100)))},
		}[dice.IntN(3)]
		madeUp := fmt.Sprintf("00000000-0000-7000-8000-9%011d", dice.IntN(1_000_000))
		var seen [2]string
		for i, id := range []string{real[verb], madeUp} {
			n++
			request, err := foreignPress(s, n, stranger.team, stranger.user, verb+":"+id)
			if err != nil {
				return n, err
			}
			status, body, err := c.Post(ctx, s.Bots[0], request)
			if err != nil {
				return n, err
			}
			card := ""
			err = rig.Await(ctx, 10*time.Second, "a refusal", func() (bool, error) {
				for _, one := range s.Desk.Cards(n) {
					card = one.Body
				}
				return card != "", nil
			})
			if err != nil {
				return n, fmt.Errorf("%s: %w", verb, err)
			}
			seen[i] = fmt.Sprint(status, string(body), card)
		}
		found.want(seen[0] == seen[1], "%s: what exists is refused in another way than what does not:\n%s\n%s", verb, seen[0], seen[1])
		found.want(strings.Contains(seen[0], "This is not for you"), "%s: not refused: %.200s", verb, seen[0])
	}
	return n, nil
}

// tokens follows links that were altered, and one kind of link as another.
func (foreign) tokens(ctx context.Context, s *rig.Stage, found *findings, link string) (int, error) {
	token := strings.TrimPrefix(link, "/h/")
	swap := func(i int) string {
		b := []byte(token)
		b[i] = map[bool]byte{true: 'B', false: 'A'}[b[i] == 'A']
		return string(b)
	}
	forged := []string{"/h/" + swap(0), "/h/" + swap(len(token)/2), "/h/" + swap(len(token)-2), "/h/" + token[:len(token)-4], "/h/" + strings.Repeat("A", len(token)), "/e/" + token}
	for _, one := range forged {
		status, err := follow(ctx, s.Bots[0], one)
		if err != nil {
			return 0, err
		}
		found.want(status == http.StatusNotFound, "a forged link was answered %d", status)
	}
	return len(forged), nil
}

// webhooks presents another tenant's webhooks.
func (foreign) webhooks(ctx context.Context, s *rig.Stage, c *rig.Client, found *findings) error {
	other := `{"id":"00000000-0000-4000-8000-0000000000f3","organization_id":"11111111-1111-4111-8111-111111111111","event_type":"badge.state.changed"}`
	header := http.Header{"Content-Type": {"application/json"}}
	var seen [2]string
	for i, path := range []string{"/webhooks/credly/" + rig.WebhookToken, "/webhooks/credly/another-webhook-token-0123456789"} {
		status, body, err := c.Post(ctx, s.Bots[0], rig.Request{Path: path, Header: header, Body: other})
		if err != nil {
			return err
		}
		seen[i] = fmt.Sprint(status, string(body))
		found.want(status == http.StatusNotFound, "another organization's webhook was answered %d", status)
	}
	found.want(seen[0] == seen[1], "another organization's webhook is refused in another way than a wrong token")
	return nil
}
