package slacksim

import (
	"math"
	"time"
)

// Limits are the rates that the workspace enforces by the simulation's clock;
// what is above them is answered 429 with Retry-After. The zero value limits
// nothing. https://docs.slack.dev/apis/web-api/rate-limits/
type Limits struct {
	// Channel is how many messages a second one channel takes, by
	// chat.postMessage and chat.postEphemeral; bursts of three are tolerated.
	Channel float64
	// Workspace is how many messages a minute all channels take together.
	Workspace float64
	// Methods holds every method to its tier. A minute's worth may come at once.
	Methods bool
}

// SlackLimits are the limits that Slack documents: one message a second in a
// channel, the tiers, and for the workspace, where Slack says "several
// hundred" messages a minute, 300.
func SlackLimits() Limits { return Limits{Channel: 1, Workspace: 300, Methods: true} }

// SetLimits changes the limits; what was used up before stays so.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
}

// The tiers, in calls a minute for one app in one workspace. The special tier
// of auth.test is "hundreds".
const (
	tier1       = 1.0
	tier2       = 20.0
	tier3       = 50.0
	tier4       = 100.0
	tierSpecial = 600.0
)

// Bursts that are tolerated; Slack gives no numbers.
const (
	// postBurst is how many messages a channel takes at once before the rate
	// counts.
	postBurst = 3
	// openBurst lets an app open all the connections it may have.
	openBurst = socketsMax
)

// bucket is what is left of an allowance.
type bucket struct {
	left float64
	at   time.Time // when left was reckoned; zero for a full one
}

// refill brings the bucket up to date and tells how long it takes until one
// more is allowed; 0 if it is now.
func (b *bucket) refill(now time.Time, perSecond, burst float64) time.Duration {
	if b.at.IsZero() {
		b.left = burst
	} else {
		b.left = min(burst, b.left+perSecond*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.left >= 1 {
		return 0
	}
	return time.Duration((1 - b.left) / perSecond * float64(time.Second))
}

// tooMany refuses a call that has to wait; Retry-After is in whole seconds.
func tooMany(wait time.Duration) *apiError {
	if wait <= 0 {
		return nil
	}
	return &apiError{code: "ratelimited", retry: max(1, int(math.Ceil(wait.Seconds())))}
}

// limitedMethod takes one call from a method's tier; s.mu is held.
func (s *Server) limitedMethod(name string, m method) *apiError {
	if !s.limits.Methods || m.tier == 0 {
		return nil
	}
	b := s.methodLeft[name]
	if b == nil {
		b = &bucket{}
		s.methodLeft[name] = b
	}
	if refused := tooMany(b.refill(s.clock.Now(), m.tier/60, max(m.tier, openBurst))); refused != nil {
		return refused
	}
	b.left--
	return nil
}

// limited takes one message from the allowances of the channel and the
// workspace; s.mu is held.
func (s *Server) limited(c *channel) *apiError {
	now := s.clock.Now()
	var wait time.Duration
	var used []*bucket
	if s.limits.Channel > 0 {
		wait = c.allowance.refill(now, s.limits.Channel, postBurst)
		used = append(used, &c.allowance)
	}
	if s.limits.Workspace > 0 {
		wait = max(wait, s.allowance.refill(now, s.limits.Workspace/60, s.limits.Workspace))
		used = append(used, &s.allowance)
	}
	if refused := tooMany(wait); refused != nil {
		return refused
	}
	for _, b := range used {
		b.left--
	}
	return nil
}
