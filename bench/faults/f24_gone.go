package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// gone is F24: a workspace removes the bot, or a person is to be forgotten,
// while messages are on their way.
type gone struct{}

func (gone) Name() string { return "uninstall, revoked tokens, erasure amid sends" }

func (gone) Criterion() string {
	return "sends stop ≤ 5 s; a new start sends the rest once; personal data gone"
}

func (g gone) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	var errs []error
	text := ""
	for _, kind := range []string{"app_uninstalled", "tokens_revoked"} {
		figure, err := on(ctx, r, rig.Config{Name: "f24"}, func(s *rig.Stage, found *findings) (Figure, error) {
			return g.removed(ctx, s, found, kind)
		})
		text, errs = text+string(figure)+"; ", append(errs, err)
	}
	figure, err := on(ctx, r, rig.Config{Name: "f24"}, func(s *rig.Stage, found *findings) (Figure, error) {
		return g.erased(ctx, s, found)
	})
	return Figure(text) + figure, errors.Join(append(errs, err)...)
}

func (gone) removed(ctx context.Context, s *rig.Stage, found *findings, kind string) (Figure, error) {
	if err := s.StartBots(ctx, 2); err != nil {
		return "", err
	}
	people, each := 20, rig.Pick(s.Rig, 12, 8)
	if err := errors.Join(s.QueueDirect(ctx, rig.Slack, rig.Range(1, people), each), rig.Sleep(ctx, 3*time.Second)); err != nil {
		return "", err
	}
	c := s.NewClient(false)
	defer c.Close()
	body := fmt.Sprintf(`{"type":"event_callback","team_id":%q,"event_id":"Ev0GONE","event":{"type":%q,"tokens":{"bot":["U0BOT"]}}}`, rig.Tenant, kind)
	h := s.SignSlack(body, s.Now())
	h.Set("Content-Type", "application/json")
	told := time.Now()
	status, _, err := c.Post(ctx, s.Bots[0], rig.Request{Path: "/slack/events", Header: h, Body: body})
	if err != nil || status != http.StatusOK {
		return "", fmt.Errorf("the event was answered %d: %w", status, err)
	}
	before := len(s.Desk.Sent())
	if err := rig.Sleep(ctx, 7*time.Second); err != nil {
		return "", err
	}
	var last time.Duration
	for _, m := range s.Desk.Sent() {
		last = max(last, m.At.Sub(told))
	}
	left, err := s.Count(ctx, `SELECT count(*) FROM outbox WHERE state = 'ready'`)
	found.add(err)
	found.want(before > 0 && left > 0, "%d messages before and %d left: it was not amid the sends", before, left)
	found.want(last <= s.Limit(5*time.Second) && last < 7*time.Second, "%s: the last message was sent %s after", kind, last)
	// The workspace comes back, and so does the rest.
	for _, b := range s.Bots {
		if _, err := b.Stop(); err != nil {
			return "", err
		}
		if err := b.Start(ctx); err != nil {
			return "", err
		}
	}
	if err := s.Settle(ctx, time.Minute); err != nil {
		return "", err
	}
	sent := len(s.Desk.Sent())
	found.want(sent == people*each, "%s: %d messages were sent in all, want %d", kind, sent, people*each)
	return Figure(fmt.Sprintf("%s: last message %s after, %d left, then all", kind, ms(max(last, 0)), left)), nil
}

// erased lets the certification body forget a person who has badges, an open
// handoff and messages on their way.
func (gone) erased(ctx context.Context, s *rig.Stage, found *findings) (Figure, error) {
	if err := s.StartBots(ctx, 2); err != nil {
		return "", err
	}
	c := s.NewClient(false)
	defer c.Close()
	const person = 5
	badge := person - 1
	c.Click(ctx, rig.Press{N: 1, Badge: badge, Person: person})
	if err := errors.Join(s.QueueDirect(ctx, rig.Slack, []int{person}, 20), s.QueueDirect(ctx, rig.Discord, []int{person}, 20), rig.Sleep(ctx, 2*time.Second)); err != nil {
		return "", err
	}
	before, err := mentions(ctx, s, person)
	if err != nil {
		return "", err
	}
	body := fmt.Sprintf(`{"type":"person.erased","timestamp":%q,"data":{"email":"Person.%d@example.org"}}`, s.Now().UTC().Format(time.RFC3339), person)
	sign, err := portalEvent(s, "msg_erase", body)
	if err != nil {
		return "", err
	}
	status, _, err := c.Post(ctx, s.Bots[0], sign(s.Now()))
	if err != nil || status >= http.StatusBadRequest {
		return "", fmt.Errorf("the erasure was answered %d: %w", status, err)
	}
	begin := time.Now()
	var left map[string]int
	err = rig.Await(ctx, 30*time.Second, "the erasure", func() (bool, error) {
		n, err := s.Count(ctx, `SELECT count(*) FROM addresses WHERE normal = $1`, fmt.Sprintf("person.%d@example.org", person))
		return n == 0, err
	})
	took := time.Since(begin)
	if err := errors.Join(err, rig.Sleep(ctx, 3*time.Second)); err != nil {
		return "", err
	}
	sent := len(s.Desk.Sent())
	if left, err = mentions(ctx, s, person); err != nil {
		return "", err
	}
	if err := rig.Sleep(ctx, 3*time.Second); err != nil {
		return "", err
	}
	found.want(len(s.Desk.Sent()) == sent, "messages were sent to somebody who was forgotten")
	found.want(len(before) > 5, "the person was in %d columns only", len(before))
	for column, n := range left {
		found.want(false, "%s still names the person in %d rows", column, n)
	}
	return Figure(fmt.Sprintf("erased after %s from %d columns, %d still name the person", ms(took), len(before), len(left))), nil
}

// mentions counts, column by column, the rows that name a person by address,
// chat account or member.
func mentions(ctx context.Context, s *rig.Stage, person int) (map[string]int, error) {
	list, err := s.DB.QueryContext(ctx, `SELECT c.table_name, c.column_name FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'text'`)
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	var columns [][2]string
	for list.Next() {
		var one [2]string
		if err := list.Scan(&one[0], &one[1]); err != nil {
			return nil, errors.Join(fmt.Errorf("list columns: %w", err), list.Close())
		}
		columns = append(columns, one)
	}
	if err := errors.Join(list.Err(), list.Close()); err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	out := map[string]int{}
	for _, one := range columns {
		if strings.ContainsAny(one[0]+one[1], `"`) {
			continue
		}
		n, err := s.Count(ctx, fmt.Sprintf(`SELECT count(*) FROM %q WHERE lower(%q) LIKE '%%person.%d@example.org%%'
			OR %q LIKE '%%%s%%' OR %q LIKE '%%%s%%' OR %q = 'm%035d'`, one[0], one[1], person,
			one[1], seed.SlackUser(person), one[1], seed.DiscordUser(person), one[1], person))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out[one[0]+"."+one[1]] = n
		}
	}
	return out, nil
}
