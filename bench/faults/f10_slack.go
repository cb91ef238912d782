package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// slackRefuses is F10: Slack answers with limits and errors of every kind.
type slackRefuses struct{}

func (slackRefuses) Name() string { return "Slack: limits and errors" }

func (slackRefuses) Criterion() string {
	return "waits kept ±10 % + a poll; other lanes go on; permanent errors parked at once; token errors stop the workspace"
}

// refusal is what the first message to a person meets.
type refusal struct {
	name   string
	status int
	header http.Header
	body   string
	// least is the wait that Slack asks for, 0 where another one is due.
	least time.Duration
	// most is the longest wait, without the poll.
	most time.Duration
	// parked is the state at the end, where no repetition helps.
	parked string
}

const retryAfter = "Retry-After"

func refusals() []refusal {
	limited := func(name, seconds string, wait time.Duration) refusal {
		r := refusal{name: name, status: http.StatusTooManyRequests, header: http.Header{}, body: `{"ok":false,"error":"ratelimited"}`, least: wait, most: wait * 11 / 10}
		if seconds != "" {
			r.header.Set(retryAfter, seconds)
		}
		return r
	}
	failed := func(code, parked string) refusal {
		return refusal{name: code, status: http.StatusOK, body: fmt.Sprintf(`{"ok":false,"error":%q}`, code), parked: parked}
	}
	usual := failed("ratelimited", "")
	usual.name, usual.least, usual.most = "200 ratelimited", 30*time.Second, 33*time.Second
	return []refusal{
		limited("429 after 1", "1", time.Second),
		limited("429 after 30", "30", 30*time.Second),
		limited("429 without a time", "", 30*time.Second),
		{name: "500", status: http.StatusInternalServerError, body: "<html></html>", least: 900 * time.Millisecond, most: 1300 * time.Millisecond},
		usual,
		failed("channel_not_found", "waiting"),
		failed("is_archived", "waiting"),
		failed("invalid_blocks", "dead"),
		failed("msg_too_long", "dead"),
	}
}

// posted notes when messages to a person were tried.
type posted struct {
	mu    sync.Mutex
	times map[string][]time.Time
}

// add notes an attempt and returns how many there were before.
func (p *posted) add(user string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times[user] = append(p.times[user], time.Now())
	return len(p.times[user]) - 1
}

func (p *posted) of(user string) []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.times[user]...)
}

func (f slackRefuses) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f10"}, func(s *rig.Stage, found *findings) (Figure, error) {
		// Everybody who meets something is in a workspace of their own, with one
		// colleague: when two channels of one are refused, all of it waits.
		if _, err := s.DB.ExecContext(ctx, `UPDATE accounts SET tenant = 'T' || right(user_id, 2)
			WHERE platform = 'slack' AND (user_id < $1 OR user_id BETWEEN $2 AND $3)`,
			seed.SlackUser(50), seed.SlackUser(colleagues+1), seed.SlackUser(colleagues+49)); err != nil {
			return "", fmt.Errorf("move people: %w", err)
		}
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		all := refusals()
		if r.Short {
			all = append(all[:1:1], append(all[3:4:4], all[5:]...)...)
		}
		tried := &posted{times: map[string][]time.Time{}}
		s.Desk.Script(func(c rig.Call) *rig.Reply {
			if c.Platform != rig.Slack || c.Method != "chat.postMessage" {
				return nil
			}
			n := tried.add(c.User)
			for i, one := range all {
				if c.User == seed.SlackUser(i+1) && (n == 0 || one.parked != "") {
					return &rig.Reply{Status: one.status, Header: one.header.Clone(), Body: one.body}
				}
			}
			return nil
		})
		if err := s.QueueDirect(ctx, rig.Slack, rig.Range(1, len(all)), 1); err != nil {
			return "", err
		}
		err := rig.Await(ctx, 20*time.Second, "the first attempts", func() (bool, error) {
			for i := range all {
				if len(tried.of(seed.SlackUser(i+1))) == 0 {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			return "", err
		}
		others, err := f.others(ctx, s, found, colleagues+1, len(all))
		if err != nil {
			return "", err
		}
		worst, err := f.waits(ctx, s, found, all, tried)
		if err != nil {
			return "", err
		}
		stopped, err := f.token(ctx, s, found)
		return Figure(fmt.Sprintf("%d kinds, waits at worst %+d %%; others after %s; %s", len(all), worst, ms(others), stopped)), err
	})
}

// colleagues is how much the number of a colleague is higher.
const colleagues = 100

// others sends messages to people who meet nothing, and returns how long the
// last one took.
func (slackRefuses) others(ctx context.Context, s *rig.Stage, found *findings, first, people int) (time.Duration, error) {
	begin := time.Now()
	if err := s.QueueDirect(ctx, rig.Slack, rig.Range(first, first+people-1), 1); err != nil {
		return 0, err
	}
	err := rig.Await(ctx, time.Minute, "messages of other lanes", func() (bool, error) {
		n := 0
		for _, m := range s.Desk.Sent() {
			for i := range people {
				if m.User == seed.SlackUser(first+i) {
					n++
				}
			}
		}
		return n == people, nil
	})
	took := time.Since(begin)
	found.want(took < s.Limit(5*time.Second), "messages of other lanes took %s", took)
	return took, err
}

// pollTime is how long a message that is due may lie until it is looked for.
const pollTime = 900 * time.Millisecond

// waits holds the times of the second attempts against what was asked for,
// and returns the largest deviation from it, in percent, without the poll.
func (slackRefuses) waits(ctx context.Context, s *rig.Stage, found *findings, all []refusal, tried *posted) (worst int, err error) {
	for i, one := range all {
		user := seed.SlackUser(i + 1)
		if one.parked != "" {
			n, err := s.Count(ctx, `SELECT count(*) FROM outbox o JOIN posts p ON p.id = o.ref JOIN accounts a ON a.id = p.account_id
				WHERE a.user_id = $1 AND o.state = $2 AND o.attempts = 1`, user, one.parked)
			found.add(err)
			found.want(n == 1 && len(tried.of(user)) == 1, "%s: not %s after one attempt", one.name, one.parked)
			continue
		}
		err := rig.Await(ctx, 45*time.Second, one.name, func() (bool, error) { return len(tried.of(user)) > 1, nil })
		if err != nil {
			return worst, err
		}
		times := tried.of(user)
		waited := times[1].Sub(times[0])
		found.want(waited >= one.least*99/100, "%s: tried again after %s, too early", one.name, waited)
		found.want(waited <= s.Limit(one.most+pollTime), "%s: tried again only after %s", one.name, waited)
		if one.least > 2*time.Second {
			worst = max(worst, int(100*(waited-one.least)/one.least))
		}
	}
	return worst, nil
}

// token lets Slack refuse the token: nothing more is sent to the workspace,
// until a new start gives it another try.
func (slackRefuses) token(ctx context.Context, s *rig.Stage, found *findings) (string, error) {
	words := ""
	for i, code := range []string{"token_revoked", "account_inactive"} {
		calls := &posted{times: map[string][]time.Time{}}
		s.Desk.Script(func(c rig.Call) *rig.Reply {
			if c.Platform != rig.Slack || c.Method != "chat.postMessage" && c.Method != "conversations.open" {
				return nil
			}
			calls.add("")
			return &rig.Reply{Status: http.StatusOK, Body: fmt.Sprintf(`{"ok":false,"error":%q}`, code)}
		})
		first := 300 + 100*i
		if err := s.QueueDirect(ctx, rig.Slack, rig.Range(first, first), 1); err != nil {
			return "", err
		}
		err := rig.Await(ctx, 10*time.Second, "the end of the workspace", func() (bool, error) {
			n, err := s.Count(ctx, `SELECT count(*) FROM installations WHERE platform = 'slack' AND tenant = $1 AND dead <> ''`, rig.Tenant)
			return n == 1, err
		})
		if err != nil {
			return "", err
		}
		before := len(calls.of(""))
		if err := errors.Join(s.QueueDirect(ctx, rig.Slack, rig.Range(first+1, first+10), 1), rig.Sleep(ctx, 2*time.Second)); err != nil {
			return "", err
		}
		after := len(calls.of("")) - before
		found.want(before > 0 && after == 0, "%s: %d calls after the workspace was stopped", code, after)
		words += fmt.Sprintf("%s: %d call, then none; ", code, before)
		s.Desk.Script(nil)
		if _, err := s.Bots[0].Stop(); err != nil {
			return "", err
		}
		if err := errors.Join(s.Advance(ctx, 2*time.Minute), s.Bots[0].Start(ctx), s.Settle(ctx, 30*time.Second)); err != nil {
			return "", fmt.Errorf("after new credentials: %w", err)
		}
	}
	return words + "all sent after a new start", nil
}
