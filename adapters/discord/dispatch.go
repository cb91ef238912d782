package discord

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// reply is what a transport hands back to Discord. It calls sent once the
// callback has left, or with false when it could not be handed over.
type reply struct {
	callback callback
	sent     func(ok bool)
}

// dispatch answers an interaction for any transport: in time with the
// answer itself, otherwise with a deferral, after which the answer follows
// by the interaction's token. In time is within the given time. An error is a wrongly typed interaction.
func (a *Adapter) dispatch(ctx context.Context, in *interaction, within time.Duration) (reply, error) {
	start := time.Now()
	if in.Type == interactionPing {
		return reply{callback: callback{Type: callbackPong}, sent: func(bool) {
			a.metrics.acknowledged(in.kind(), "answered", time.Since(start))
		}}, nil
	}
	act, err := a.newAction(in)
	if err != nil {
		return reply{}, err
	}
	acked := make(chan struct{})
	acknowledged := a.pending.open(in.Token)
	// target is the action with the place of what follows an acknowledgement
	// that shows something already; it is settled when acked is closed.
	target := act
	a.work.Add(1)
	answer, inTime := chat.Race(ctx, a.handler, act, within, func(ctx context.Context, late chat.Answer) {
		defer a.work.Done()
		select {
		case <-acked:
			a.follow(ctx, target, late)
		case <-ctx.Done():
		}
	})
	if !inTime {
		first := deferred(act)
		if answer.Card != nil {
			first = immediate(act, answer)
			if first.Type == callbackMessage && onMessage(act) {
				// What stands aside is replaced there.
				target.Reply = a.original(in)
			}
		}
		return reply{callback: first, sent: func(bool) {
			a.metrics.acknowledged(in.kind(), "late", time.Since(start))
			acknowledged()
			close(acked)
		}}, nil
	}
	return reply{callback: immediate(act, answer), sent: func(ok bool) {
		a.metrics.acknowledged(in.kind(), "answered", time.Since(start))
		acknowledged()
		if !ok || !endless(act, answer) {
			if answer.Posted {
				a.handler.Acknowledged(answer)
			}
			a.work.Done()
			return
		}
		go func() {
			defer a.work.Done()
			a.follow(ctx, act, chat.Answer{})
		}()
	}}, nil
}

// onMessage reports whether an action stands on a message, which its answer
// can replace.
func onMessage(act chat.Action) bool { return act.Reply.Shown }

// endless reports whether the callback to an answer shows the person a
// waiting state that nothing would end.
func endless(act chat.Action, answer chat.Answer) bool {
	return act.Source != chat.SourceComplete && !onMessage(act) && !answer.Posted &&
		answer.Form == nil && answer.Card == nil
}

// deferred acknowledges without an answer.
func deferred(act chat.Action) callback {
	switch {
	case act.Source == chat.SourceComplete:
		return callback{Type: callbackAutocomplete, Data: completions{Choices: []choice{}}}
	case onMessage(act):
		return callback{Type: callbackDeferredUpdate}
	default:
		return callback{Type: callbackDeferred, Data: deferral{Flags: flagEphemeral}}
	}
}

// immediate is the callback for an answer that came in time.
func immediate(act chat.Action, answer chat.Answer) callback {
	if act.Source == chat.SourceComplete {
		return callback{Type: callbackAutocomplete, Data: complete(answer.Choices)}
	}
	if answer.Posted {
		return deferred(act)
	}
	// Discord allows no modal in answer to a modal.
	if answer.Form != nil && act.Source != chat.SourceSubmit {
		return callback{Type: callbackModal, Data: renderForm(*answer.Form)}
	}
	card, where := shown(answer)
	switch {
	case card == nil:
		return deferred(act)
	case onMessage(act) && where == chat.Here:
		return callback{Type: callbackUpdate, Data: newMessage(Render(*card), 0)}
	default:
		return callback{Type: callbackMessage, Data: newMessage(Render(*card), flagEphemeral)}
	}
}

// shown is the card of an answer, and where it goes. Discord cannot mark
// fields and opens no form late or after a form: a card stands in for both,
// aside, so that the message below it is not lost.
func shown(answer chat.Answer) (*chat.Card, chat.Where) {
	switch {
	case answer.Form != nil && answer.Card == nil:
		card := formCard(*answer.Form)
		return &card, chat.Aside
	case answer.Form != nil, len(answer.FieldErrors) > 0:
		return answer.Card, chat.Aside
	default:
		return answer.Card, answer.Where
	}
}

func complete(choices []chat.Choice) completions {
	out := completions{Choices: []choice{}}
	for _, c := range choices {
		name := shorten(oneLine(visible(c.Name)), maxChoice)
		if name == "" || c.Value == "" || utf8.RuneCountInString(c.Value) > maxChoice {
			continue
		}
		if len(out.Choices) == maxChoices {
			break
		}
		out.Choices = append(out.Choices, choice{Name: name, Value: c.Value})
	}
	return out
}

// follow gives the answer after a deferral.
func (a *Adapter) follow(ctx context.Context, act chat.Action, answer chat.Answer) {
	if act.Source == chat.SourceComplete {
		return
	}
	if answer.Posted {
		a.handler.Acknowledged(answer)
		return
	}
	// The time for the work may be used up; the way to the person has its own.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*requestTimeout)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()

	card, where := shown(answer)
	err := a.persist(ctx, func() error {
		switch {
		case card == nil && onMessage(act):
			return nil
		case card == nil:
			return a.removeOriginal(ctx, act.Reply)
		case onMessage(act) && where == chat.Aside:
			_, err := a.Show(ctx, act.Aside, *card, act.Key)
			return err
		default:
			_, err := a.Show(ctx, act.Reply, *card, act.Key)
			return err
		}
	})
	if err != nil {
		a.log.WarnContext(ctx, "discord answer lost", "class", core.ClassOf(err), "error", err)
	}
}

// persist repeats what may still succeed a few times: nobody else does it
// for an answer that is not a delivery.
func (a *Adapter) persist(ctx context.Context, show func() error) error {
	const tries = 4
	pause := a.retryPause
	for try := 1; ; try++ {
		err := show()
		class := core.ClassOf(err)
		if err == nil || try == tries || class != core.Temporary && class != core.RetryLater {
			return err
		}
		wait := pause
		var d *core.DeliveryError
		if errors.As(err, &d) && d.After > wait {
			wait = d.After
		}
		pause *= 2
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
