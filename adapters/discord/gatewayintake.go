package discord

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// maxAtOnce bounds the interactions that are answered at the same time.
	maxAtOnce = 4096
	// maxSeen is how many interactions are recognised when the gateway tells
	// them again after a resume.
	maxSeen = 4096
	// callbackRoom is what of the time for an acknowledgement is kept for
	// its way.
	callbackRoom = 500 * time.Millisecond
)

// intake bounds and recognises what comes in.
type intake struct {
	mu      sync.Mutex
	running int
	seen    map[string]bool
	order   []string
}

// first reports whether an interaction was not seen before.
func (i *intake) first(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.seen[id] {
		return false
	}
	if i.seen == nil {
		i.seen = map[string]bool{}
	}
	if len(i.order) >= maxSeen {
		delete(i.seen, i.order[0])
		i.order = i.order[1:]
	}
	i.seen[id] = true
	i.order = append(i.order, id)
	return true
}

func (i *intake) enter() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.running >= maxAtOnce {
		return false
	}
	i.running++
	return true
}

func (i *intake) leave() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running--
}

// take answers an interaction in a goroutine of its own: it never holds up
// the reading, on which heartbeats depend.
func (g *gateway) take(raw json.RawMessage, replayed bool) {
	a := g.a
	refuse := func(reason string) {
		a.metrics.refused.WithLabelValues(reason).Inc()
		a.log.Warn("discord interaction refused", "reason", reason)
	}
	received := time.Now()
	in, err := decodeInteraction(raw)
	switch {
	case err != nil:
		refuse("malformed")
		return
	case in.Type == interactionPing || !g.intake.first(in.ID):
		return
	case a.handler == nil:
		refuse("starting")
		return
	case !g.intake.enter():
		refuse("busy")
		return
	}
	within := a.answerWithin
	deadline := received.Add(a.gatewayTimes.ackWithin)
	if replayed {
		// It has waited for the connection: what is left of its time is less.
		age := min(max(a.clock.Now().Sub(in.created), 0), a.gatewayTimes.ackWithin)
		within = max(min(within, a.gatewayTimes.ackWithin-age-callbackRoom), 0)
	}
	a.work.Add(1)
	go func() {
		defer a.work.Done()
		defer g.intake.leave()
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		answer, err := a.dispatch(ctx, in, within)
		if err != nil {
			refuse("malformed")
			return
		}
		answer.sent(a.acknowledge(ctx, in, answer.callback, received) == nil)
	}()
}

// acknowledge posts the callback until ctx ends, which is when Discord gives
// the interaction up.
func (a *Adapter) acknowledge(ctx context.Context, in *interaction, c callback, received time.Time) error {
	for try := 1; ; try++ {
		err := a.hooks.callback(ctx, in, c)
		if err == nil {
			return nil
		}
		var d *core.DeliveryError
		if !errors.As(err, &d) {
			return err
		}
		wait := a.retryPause / 10
		switch {
		case d.Code == strconv.Itoa(codeAcknowledged) && try > 1:
			// A former try arrived, only its answer did not.
			return nil
		case d.Code == strconv.Itoa(codeUnknownInteraction):
			a.metrics.expired.Inc()
			a.log.WarnContext(ctx, "discord interaction expired before it was acknowledged",
				"kind", in.kind(), "since_receipt", time.Since(received), "since_interaction", a.clock.Now().Sub(in.created))
			return err
		case d.Class == core.RetryLater:
			wait = max(wait, d.After)
		}
		deadline, _ := ctx.Deadline()
		retry := d.Class == core.RetryLater || d.Class == core.Temporary
		if !retry || ctx.Err() != nil || time.Until(deadline) <= wait {
			a.log.WarnContext(ctx, "discord acknowledgement not sent", "kind", in.kind(), "class", d.Class, "code", d.Code)
			return err
		}
		pause(ctx, wait)
	}
}
