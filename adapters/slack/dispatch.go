package slack

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const (
	// formWithin is when, after the request came, a form must be open: the
	// trigger lives three seconds, and the acknowledgement that waits for it
	// has to go out within 2.7
	// (https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses).
	formWithin = 2600 * time.Millisecond
	// minFormTime is tried even when the answer came late.
	minFormTime = 500 * time.Millisecond
	// showWithin limits the showing of an answer after the acknowledgement.
	showWithin = 20 * time.Second
	// showTries is how often that is tried; between two tries the time that
	// Slack names is waited, if it is short enough.
	showTries = 3
	showPause = 500 * time.Millisecond
)

// Outcomes of a dispatched interaction, as they are counted.
const (
	outcomeAnswered   = "answered"
	outcomePosted     = "posted"
	outcomeForm       = "form"
	outcomeFormFailed = "form_failed"
	outcomeLate       = "late"
	outcomeUnready    = "unready"
)

// ack is what a transport tells Slack now, and what it calls once Slack has
// it.
type ack struct {
	body    []byte
	outcome string
	after   func()
}

// dispatch lets the handler answer and decides what is said now and what is
// sent later. A card goes into the acknowledgement of a command as long as it
// has at most inline bytes; transports differ in what they can carry.
func (a *Adapter) dispatch(ctx context.Context, in interaction, inline int) ack {
	handler := a.handler.Load()
	if handler == nil {
		return ack{outcome: outcomeUnready}
	}
	a.addPerson(ctx, &in)
	acked := make(chan struct{})
	limit := chat.AnswerWithin - time.Since(in.received)
	a.work.add()
	answer, inTime := chat.Race(ctx, guarded{*handler, a.log}, in.action, limit, func(ctx context.Context, late chat.Answer) {
		defer a.work.done()
		// What follows may only begin when Slack has the acknowledgement.
		<-acked
		a.follow(ctx, *handler, in, late)
	})
	if !inTime {
		return a.meanwhile(ctx, in, answer, inline, acked)
	}
	result := a.inTime(ctx, in, answer, inline)
	rest := result.after
	result.after = sync.OnceFunc(func() {
		if rest == nil {
			a.work.done()
			return
		}
		go func() {
			defer a.work.done()
			rest()
		}()
	})
	if answer.Posted && answer.Form == nil {
		follow := result.after
		result.after = func() {
			(*handler).Acknowledged(answer)
			follow()
		}
	}
	return result
}

// meanwhile acknowledges an interaction whose answer is still being worked on,
// with what can be shown of it already. What follows may begin when acked is
// closed.
func (a *Adapter) meanwhile(ctx context.Context, in interaction, first chat.Answer, inline int, acked chan<- struct{}) ack {
	now := ack{}
	if first.Card != nil {
		now = a.inTime(ctx, in, first, inline)
	}
	return ack{outcome: outcomeLate, body: now.body, after: sync.OnceFunc(func() {
		if now.after == nil {
			close(acked)
			return
		}
		go func() {
			defer close(acked)
			now.after()
		}()
	})}
}

// inTime turns an answer that came in time into an acknowledgement. What its
// after does may take long.
func (a *Adapter) inTime(ctx context.Context, in interaction, answer chat.Answer, inline int) ack {
	if answer.Form != nil {
		if err := a.openForm(ctx, in, *answer.Form); err != nil {
			a.lost("form", err)
			return ack{outcome: outcomeFormFailed}
		}
		return ack{outcome: outcomeForm}
	}
	if len(answer.FieldErrors) > 0 && in.kind == kindSubmit {
		if body, err := json.Marshal(map[string]any{"response_action": "errors", "errors": answer.FieldErrors}); err == nil {
			return ack{outcome: outcomeAnswered, body: body}
		}
	}
	if answer.Posted {
		return ack{outcome: outcomePosted}
	}
	if answer.Card == nil {
		return ack{outcome: outcomeAnswered}
	}
	if in.kind == kindCommand {
		if body, err := privateMessage(*answer.Card, nil); err == nil && len(body) <= inline {
			return ack{outcome: outcomeAnswered, body: body}
		}
	}
	return ack{outcome: outcomeAnswered, after: func() { a.showAnswer(ctx, in, answer) }}
}

// follow deals with an answer that came after the acknowledgement.
func (a *Adapter) follow(ctx context.Context, h chat.Handler, in interaction, answer chat.Answer) {
	if answer.Form != nil {
		if err := a.openForm(ctx, in, *answer.Form); err != nil {
			a.lost("form", err)
		}
		return
	}
	if answer.Posted {
		h.Acknowledged(answer)
		return
	}
	if answer.Card != nil {
		a.showAnswer(ctx, in, answer)
	}
}

// showAnswer shows a card that nothing else remembers: it is tried a few
// times and then given up, because the person can simply ask again.
func (a *Adapter) showAnswer(ctx context.Context, in interaction, answer chat.Answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), showWithin)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	ctx = withSeen(ctx, in.seen)
	place := in.action.Reply
	if answer.Where == chat.Aside {
		place = in.action.Aside
	}
	for try := 1; ; try++ {
		_, err := a.Show(ctx, place, *answer.Card, in.action.Key)
		if err == nil {
			return
		}
		pause := time.Duration(try) * showPause
		var d *core.DeliveryError
		if errors.As(err, &d) && d.Class == core.RetryLater {
			pause = d.After
		}
		class := core.ClassOf(err)
		if try == showTries || (class != core.RetryLater && class != core.Temporary) || !sleep(ctx, pause) {
			a.lost("card", err)
			return
		}
	}
}

// openForm opens a form while the trigger is alive.
func (a *Adapter) openForm(ctx context.Context, in interaction, f chat.Form) error {
	left := max(formWithin-time.Since(in.received), minFormTime)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), left)
	defer cancel()
	if _, err := a.api.OpenViewContext(ctx, in.trigger, renderForm(f, a.sealOrigin(in.origin))); err != nil {
		return deliveryError("views.open", err)
	}
	return nil
}

func (a *Adapter) lost(what string, err error) {
	a.metrics.lost.Inc()
	a.log.Warn("slack answer not shown", slog.String("what", what), slog.String("cause", err.Error()))
}

// guarded keeps a mistake in the handler from ending the process: the work
// runs in a goroutine that no server watches.
type guarded struct {
	chat.Handler
	log *slog.Logger
}

func (g guarded) Handle(ctx context.Context, action chat.Action) (answer chat.Answer) {
	defer func() {
		if r := recover(); r != nil {
			// The value may hold what the person sent, so it is not logged.
			g.log.Error("slack action panicked", slog.String("verb", string(action.Verb)))
			answer = chat.Answer{}
		}
	}()
	return g.Handler.Handle(ctx, action)
}

// sleep waits, and reports false when ctx ends first or would.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
