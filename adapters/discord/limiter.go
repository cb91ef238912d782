package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Names of the limits that all replicas share.
const (
	limitGlobal   = "discord/global"
	limitInvalid  = "discord/invalid"
	limitIdentify = "discord/identify/"
	limitRoute    = "discord/route/"
)

// The bot's own calls stay at or below 50 in any 1.1 s over all processes:
// 50 in exactly one second were still refused. The distance to that is for
// replicas that cannot ask the store and go on at a part of the rate
// (https://discord.com/developers/docs/topics/rate-limits#global-rate-limit).
func globalRate() core.Rate {
	return core.Rate{Interval: 1100 * time.Millisecond / 40, Burst: 4}
}

// Answers of 401, 403 and 429 stay below 100 in ten minutes, whatever is
// called: a hundredth of what leads to a ban of the address
// (https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
func invalidRate() core.Rate {
	return core.Rate{Interval: 12 * time.Second, Burst: 30}
}

// closeWithin is how long the shared limiter may take to be told that the
// platform said to wait.
const closeWithin = time.Second

// route names a call for its limits.
type route struct {
	// template is method and path without ids, major what counts apart within
	// it, and exact the call itself: it stands in for a bucket that is not
	// known yet.
	template, major, exact string
	// hook calls carry no bot token and are outside the bot's global limit;
	// urgent ones acknowledge an interaction and wait for no budget.
	hook, urgent bool
	// paid says that the call has taken its share of invalid requests before.
	paid bool
}

// botRoute names a call with the bot's token. Channels, servers and webhooks
// count apart
// (https://discord.com/developers/docs/topics/rate-limits#rate-limits).
func botRoute(method, endpoint string) route {
	r := route{template: method, exact: method + " " + endpoint}
	path := endpoint
	if u, err := url.Parse(endpoint); err == nil {
		path = u.Path
	}
	before := ""
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		name := part
		if isSnowflake(part) {
			name = ":id"
			if r.major == "" && (before == "channels" || before == "guilds" || before == "webhooks") {
				r.major = part
			}
		}
		r.template += "/" + name
		before = part
	}
	return r
}

// hookRoute names a call below the webhook of an interaction.
func hookRoute(method, path, token string) route {
	if strings.HasPrefix(path, "/messages/") && path != pathOriginal {
		path = "/messages/:id"
	}
	return route{template: method + " hook" + path, major: token, exact: method + " " + token, hook: true}
}

// limits keeps the limits of calls: in this process at once, by what the
// answers say, and across replicas by what they share.
type limits struct {
	gates gates
	// pace is shared by all replicas, or keeps the limits for this one.
	pace   core.Limiter
	shared bool
	// probation begins when the invalid requests are used up: every call then
	// takes one of those that come back, until an answer was a good one.
	probation atomic.Bool
}

func newLimits(shared core.Limiter) *limits {
	if shared == nil {
		return &limits{pace: newLocalPace()}
	}
	return &limits{pace: shared, shared: true}
}

// admit returns when the call may be made, or a [core.DeliveryError] that
// says when it may be tried again.
func (l *limits) admit(ctx context.Context, r *route) error {
	if wait := l.gates.enter(*r, time.Now()); wait > 0 {
		return limited(wait, false)
	}
	if !r.urgent && l.probation.Load() {
		if err := l.pace.Wait(ctx, limitInvalid, invalidRate()); err != nil {
			return paceError(err)
		}
		r.paid = true
	}
	if r.hook {
		return nil
	}
	if l.shared {
		name, rate := l.gates.shared(*r)
		if err := l.pace.Wait(ctx, name, rate); err != nil {
			return paceError(err)
		}
	}
	if err := l.pace.Wait(ctx, limitGlobal, globalRate()); err != nil {
		return paceError(err)
	}
	return nil
}

func paceError(err error) error {
	var d *core.DeliveryError
	if errors.As(err, &d) {
		return d
	}
	return callError(err)
}

// done reads what an answer says about the next calls.
func (l *limits) done(ctx context.Context, r route, n *note) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	told := l.gates.observe(r, n, time.Now())
	if told.global > 0 {
		l.pace.Close(ctx, limitGlobal, told.global)
	}
	if told.route > 0 && l.shared && !r.hook {
		name, _ := l.gates.shared(r)
		l.pace.Close(ctx, name, told.route)
	}
	switch {
	case n.status == http.StatusUnauthorized, n.status == http.StatusForbidden, n.status == http.StatusTooManyRequests:
		if !r.paid {
			l.spend(ctx)
		}
	case n.status >= 200 && n.status <= 299:
		l.probation.Store(false)
	}
}

// spend takes one of the invalid requests that are left. Where none is, no
// replica calls for a while; acknowledgements alone go on.
func (l *limits) spend(ctx context.Context) {
	err := l.pace.Wait(ctx, limitInvalid, invalidRate())
	if err == nil {
		return
	}
	after := invalidRate().Interval
	var d *core.DeliveryError
	if errors.As(err, &d) && d.After > 0 {
		after = d.After
	}
	l.probation.Store(true)
	l.pace.Close(context.WithoutCancel(ctx), limitGlobal, after)
}

// routeName hides the channel: names of limits are stored.
func routeName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return limitRoute + base64.RawURLEncoding.EncodeToString(sum[:12])
}
