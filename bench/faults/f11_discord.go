package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// discordRefuses is F11: Discord's limits are met by two replicas, and then
// it refuses everything for a while.
type discordRefuses struct{}

func (discordRefuses) Name() string { return "Discord: limits, storms of 401, 403, 404" }

func (discordRefuses) Criterion() string {
	return "< 100 invalid requests in 10 min; 404 never repeated; ≤ 50 calls per 1.1 s over both replicas"
}

// discordCall is one call with the bot's token.
type discordCall struct {
	at   time.Time
	path string
	// refused is the status of the answer where it was scripted.
	refused int
}

// discordLog notes all calls.
type discordLog struct {
	mu    sync.Mutex
	sim   *discordsim.Server
	calls []discordCall
	// storm decides about a call; 0 passes it on.
	storm func(path string) int
}

func (l *discordLog) setStorm(f func(path string) int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.storm = f
}

func (l *discordLog) script(c rig.Call) *rig.Reply {
	if c.Platform != rig.Discord || strings.Contains(c.Path, "/commands") || strings.Contains(c.Path, "/webhooks/") {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	status := 0
	if l.storm != nil {
		status = l.storm(c.Path)
	}
	l.calls = append(l.calls, discordCall{time.Now(), c.Path, status})
	switch status {
	case 0:
		return l.channel(c)
	case http.StatusForbidden:
		return &rig.Reply{Status: status, Body: `{"message":"Cannot send messages to this user","code":50007}`}
	case http.StatusNotFound:
		return &rig.Reply{Status: status, Body: `{"message":"Unknown Channel","code":10003}`}
	case http.StatusTooManyRequests:
		h := http.Header{}
		h.Set(retryAfter, "1")
		h.Set("X-RateLimit-Scope", "shared")
		return &rig.Reply{Status: status, Header: h, Body: `{"message":"The resource is being rate limited.","retry_after":1.0,"global":false}`}
	default:
		return &rig.Reply{Status: status, Body: `{"message":"401: Unauthorized","code":0}`}
	}
}

// channel opens direct channels in the simulator's place: its limit on that,
// ten in ten seconds, would hide the others.
func (l *discordLog) channel(c rig.Call) *rig.Reply {
	var to struct {
		Recipient string `json:"recipient_id"`
	}
	if !strings.HasSuffix(c.Path, "/users/@me/channels") || json.Unmarshal(c.Body, &to) != nil {
		return nil
	}
	return &rig.Reply{Status: http.StatusOK, Body: fmt.Sprintf(`{"id":%q}`, l.sim.DM(to.Recipient))}
}

func (l *discordLog) all() []discordCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// busiest is the most calls in any window.
func busiest(calls []discordCall, window time.Duration) int {
	most, first := 0, 0
	for i := range calls {
		for calls[i].at.Sub(calls[first].at) > window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func (d discordRefuses) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f11"}, func(s *rig.Stage, found *findings) (Figure, error) {
		log := &discordLog{sim: s.Discord}
		s.Desk.Script(log.script)
		s.Discord.SetEnforceRateLimits(true)
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		good, each := rig.Pick(r, 400, 60), rig.Pick(r, 150, 30)
		for i := 1; i <= good+3*each+30; i++ {
			s.Discord.AddUser(discordsim.User{ID: seed.DiscordUser(i), Name: "example"})
		}
		if err := s.QueueDirect(ctx, rig.Discord, rig.Range(1, good), 1); err != nil {
			return "", err
		}
		if err := s.Settle(ctx, 90*time.Second); err != nil {
			return "", err
		}
		rate := busiest(log.all(), 1100*time.Millisecond)
		found.want(rate <= 50, "%d calls within 1.1 s", rate)
		limited := s.Discord.InvalidRequests()
		found.want(len(log.all()) >= good, "only %d calls: nothing was sent", len(log.all()))
		repeated, err := d.storms(ctx, s, log, good, each)
		if err != nil {
			return "", err
		}
		found.want(repeated == 0, "%d calls were repeated after 404", repeated)
		refused := map[int]int{}
		for _, c := range log.all() {
			refused[c.refused]++
		}
		invalid := limited + refused[401] + refused[403] + refused[429]
		found.want(invalid < 100, "%d invalid requests", invalid)
		for _, status := range []int{401, 403, 404, 429} {
			found.want(refused[status] > 0, "no call was answered %d: there was no storm", status)
		}
		return Figure(fmt.Sprintf("%d calls, at most %d per 1.1 s, %d real 429; storms: %d×401 %d×403 %d×404 %d×429; %d invalid, %d repeated after 404",
			len(log.all()), rate, limited, refused[401], refused[403], refused[404], refused[429], invalid, repeated)), nil
	})
}

// storms lets everything be refused, one way after the other, and returns how
// many calls were repeated that had been answered by 404.
func (discordRefuses) storms(ctx context.Context, s *rig.Stage, log *discordLog, good, each int) (repeated int, err error) {
	isMessage := func(path string) bool { return strings.HasSuffix(path, "/messages") }
	first := good + 1
	for _, status := range []int{http.StatusNotFound, http.StatusTooManyRequests, http.StatusForbidden, http.StatusUnauthorized} {
		before := len(log.all())
		log.setStorm(func(path string) int {
			if isMessage(path) {
				return status
			}
			return 0
		})
		n := each
		if status == http.StatusTooManyRequests || status == http.StatusUnauthorized {
			n = 10
		}
		if err := s.QueueDirect(ctx, rig.Discord, rig.Range(first, first+n-1), 1); err != nil {
			return repeated, err
		}
		first += n
		// When the budget of refusals is used up nothing is sent for a while.
		met := rig.Await(ctx, 2*time.Minute, fmt.Sprintf("a call answered %d", status), func() (bool, error) {
			return slices.ContainsFunc(log.all()[before:], func(c discordCall) bool { return c.refused == status }), nil
		})
		if err := errors.Join(met, rig.Sleep(ctx, rig.Pick(s.Rig, 10*time.Second, 3*time.Second))); err != nil {
			return repeated, err
		}
		log.setStorm(nil)
		if status != http.StatusNotFound {
			continue
		}
		seen := map[string]int{}
		for _, c := range log.all()[before:] {
			if c.refused == status {
				seen[c.path]++
			}
		}
		for _, n := range seen {
			repeated += n - 1
		}
	}
	return repeated, nil
}
