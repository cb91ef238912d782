package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// deadPause is how long after new credentials a message that found the old
// ones void may still wait.
const deadPause = time.Minute

// PostSender shows cards in chats. The card is made when it is sent, from
// what is true then.
type PostSender struct {
	Store      core.PostStore
	Clock      core.Clock
	Composer   *chat.Composer
	Messengers map[core.Platform]chat.Messenger
}

var _ Sender = (*PostSender)(nil)

// Send shows the card at the post's place, or as a direct message where the
// place is gone and another way is wanted.
func (s *PostSender) Send(ctx context.Context, d Delivery) Outcome {
	now := s.Clock.Now()
	post, err := s.post(ctx, d)
	if errors.Is(err, core.ErrNotFound) {
		return Outcome{Delivery: d, State: StateSent, Cause: "post is gone"}
	}
	if err != nil {
		return untried(Failed(d, err, now, PostBackoff))
	}
	post.Tried = !d.FirstTryAt.IsZero()
	messenger, ok := s.Messengers[post.Account.Identity.Platform]
	if !ok {
		return Outcome{Delivery: d, State: StateDead, Cause: "platform is not configured"}
	}
	card, err := s.card(ctx, d, post)
	if errors.Is(err, chat.ErrWithdrawn) {
		return s.withdraw(ctx, d, post, messenger, card)
	}
	if errors.Is(err, chat.ErrNothing) {
		return Outcome{Delivery: d, State: StateSent, Cause: "nothing to show"}
	}
	if err != nil {
		return untried(Failed(d, err, now, PostBackoff))
	}
	if post.Place.Reachable(now) {
		place, err := messenger.Show(ctx, post.Place, card, d.Key)
		if err == nil {
			return Outcome{
				Delivery: d, State: StateSent, Place: moved(post.Place, place),
				SameMessage: place.MessageKey == post.Place.MessageKey,
			}
		}
		if class := core.ClassOf(err); class != core.PlaceGone && class != core.TargetDead {
			return s.failed(d, post, err)
		}
	}
	out := Outcome{Delivery: d, State: StateSent, Cause: "place is gone"}
	if post.Subject.Kind == core.SubjectCelebration && post.Place.Shown {
		// What cannot be brought up to date may show somebody who does not
		// want it any more.
		err := messenger.Remove(ctx, post.Place)
		if class := core.ClassOf(err); err != nil && class != core.PlaceGone && class != core.Invalid {
			return s.failed(d, post, err)
		}
		out.Place = &core.Place{}
	}
	if !d.Fallback {
		return out
	}
	if post.Subject.Kind == core.SubjectReminder && post.Place.Shown {
		// An edit comes at any hour. A new message rings a bell, and whether it
		// may come now is decided as for any other.
		post.Place, post.Gone = core.Place{}, true
		card, err = s.card(ctx, d, post)
		if errors.Is(err, chat.ErrNothing) {
			return Outcome{Delivery: d, State: StateSent, Place: &core.Place{}, Cause: "nothing to show"}
		}
		if err != nil {
			return untried(Failed(d, err, now, PostBackoff))
		}
	}
	place, err := messenger.Direct(ctx, post.Account.Identity, card, d.Key, d.FirstTryAt)
	if err != nil {
		return s.failed(d, post, err)
	}
	out = Outcome{Delivery: d, State: StateSent, Place: &place, Pause: messenger.Pause()}
	if d.FirstTryAt.IsZero() || !place.Reachable(now) {
		return out
	}
	// A message that was found again shows what was true when it was first
	// sent, and what has changed since may rely on this delivery to tell it.
	shown, err := messenger.Show(ctx, place, card, d.Key)
	switch {
	case err == nil:
		out.Place = &shown
	case core.ClassOf(err) != core.PlaceGone:
		out = s.failed(d, post, err)
		out.Place = &place
	}
	return out
}

// withdraw takes a message back of which nothing may be seen any more. The
// card stands in its place where the platform does not let it go, and for a
// moment where it has to be found first.
func (s *PostSender) withdraw(ctx context.Context, d Delivery, post core.Post, m chat.Messenger, instead chat.Card) Outcome {
	place := post.Place
	if !place.Shown {
		if !post.Tried {
			return Outcome{Delivery: d, State: StateSent, Cause: "nothing to show"}
		}
		// Somebody may have sent it without living to tell.
		var err error
		place, err = m.Direct(ctx, post.Account.Identity, instead, d.Key, d.FirstTryAt)
		if err != nil {
			return s.failed(d, post, err)
		}
	}
	err := m.Remove(ctx, place)
	if core.ClassOf(err) == core.Invalid {
		if place, err = m.Show(ctx, place, instead, d.Key); err == nil {
			return Outcome{Delivery: d, State: StateSent, Place: &place, Cause: "withdrawn"}
		}
	}
	if err != nil && core.ClassOf(err) != core.PlaceGone {
		return s.failed(d, post, err)
	}
	return Outcome{Delivery: d, State: StateSent, Place: &core.Place{}, Cause: "withdrawn"}
}

func (s *PostSender) post(ctx context.Context, d Delivery) (core.Post, error) {
	if d.Parcel != nil {
		return d.Parcel.Post, nil
	}
	return s.Store.Post(ctx, d.Ref)
}

func (s *PostSender) card(ctx context.Context, d Delivery, post core.Post) (chat.Card, error) {
	if d.Parcel != nil {
		return s.Composer.ComposeAs(post, d.Parcel.View)
	}
	return s.Composer.Compose(ctx, post)
}

// moved is where a post stands from now on, or nil where it stood before:
// most edits change nothing that would have to be stored.
func moved(from, to core.Place) *core.Place {
	if from == to {
		return nil
	}
	return &to
}

func (s *PostSender) failed(d Delivery, post core.Post, err error) Outcome {
	switch core.ClassOf(err) {
	case core.TargetDead:
		if _, channel := post.Account.Identity.Channel(); channel {
			// Nobody comes back to a channel and frees what waits there.
			return Outcome{Delivery: d, State: StateDead, Cause: err.Error()}
		}
		return Outcome{Delivery: d, State: StateWaiting, Cause: err.Error()}
	case core.Invalid, core.PlaceGone:
		return Outcome{Delivery: d, State: StateDead, Cause: err.Error()}
	case core.InstallationDead:
		// It stays due: the store sends nothing there until new credentials
		// have come.
		dead := post.Account.Identity
		return untried(Outcome{
			Delivery: d, State: StateReady, RetryAt: s.Clock.Now().Add(deadPause), Uncounted: true,
			Cause: err.Error(), DeadInstallation: &dead,
		})
	case core.RetryLater:
		return untried(Failed(d, err, s.Clock.Now(), PostBackoff))
	default:
		return Failed(d, err, s.Clock.Now(), PostBackoff)
	}
}

// untried is the outcome of an attempt that showed nothing for certain: where
// it was the first one, the next is. What is only shown at its time is then
// not taken for something that may be there already, and nobody has to look
// whether it is.
func untried(o Outcome) Outcome {
	o.Untried = o.State == StateReady && o.Delivery.FirstTryAt.IsZero()
	return o
}

// MailSender sends mails with codes.
type MailSender struct {
	Clock    core.Clock
	Composer *chat.Composer
	Mailer   core.Mailer
}

var _ Sender = (*MailSender)(nil)

// Send makes the mail and hands it over.
func (s *MailSender) Send(ctx context.Context, d Delivery) Outcome {
	mail, err := s.Composer.ComposeMail(ctx, d.Ref, d.Payload)
	if errors.Is(err, chat.ErrNothing) || errors.Is(err, core.ErrNotFound) {
		return Outcome{Delivery: d, State: StateSent, Cause: "code is of no use any more"}
	}
	if err != nil {
		return Failed(d, err, s.Clock.Now(), mailBackoff)
	}
	err = s.Mailer.Send(ctx, mail)
	switch {
	case err == nil:
		return Outcome{Delivery: d, State: StateSent}
	case errors.Is(err, core.ErrMailRefused):
		return Outcome{Delivery: d, State: StateDead, Cause: err.Error()}
	default:
		return Failed(d, err, s.Clock.Now(), mailBackoff)
	}
}

// EventSender tells the certification body's own system what changed.
type EventSender struct {
	Store core.BadgeStore
	Clock core.Clock
	Sink  core.EventSink
}

var _ Sender = (*EventSender)(nil)

// Send publishes the event with the badge as it is now.
func (s *EventSender) Send(ctx context.Context, d Delivery) Outcome {
	b, err := s.Store.Badge(ctx, d.Ref)
	if errors.Is(err, core.ErrNotFound) {
		return Outcome{Delivery: d, State: StateSent, Cause: "badge is gone"}
	}
	if err == nil {
		err = s.Sink.Publish(ctx, core.Event{
			ID: d.Key, Type: core.EventType(d.Payload.Reveal()), At: d.CreatedAt, Badge: b,
		})
	}
	if err != nil {
		return Failed(d, fmt.Errorf("publish event: %w", err), s.Clock.Now(), eventBackoff)
	}
	return Outcome{Delivery: d, State: StateSent}
}
