package chat

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Where says where an answer's card goes.
type Where int

// Places of an answer.
const (
	// Here: in place of the message whose button was pressed; for a command
	// or a form, as its answer. Only the actor sees answers to commands.
	Here Where = iota
	// Aside: as a new message that only the actor sees; the pressed message
	// stays as it is.
	Aside
)

// Answer is what follows an action at once. The zero answer only
// acknowledges.
type Answer struct {
	Card  *Card
	Where Where
	// Form opens a form; only commands and presses can be answered so.
	Form *Form
	// FieldErrors refuses a submitted form with a sentence by field name. A
	// platform that cannot mark fields shows Card instead, which is then set.
	FieldErrors map[string]string
	// Choices answers a completion.
	Choices []Choice
	// Posted says that the visible answer is on its way to Action.Reply as a
	// delivery; the transport acknowledges and shows nothing itself.
	Posted bool
	// Then does what takes long, and returns the answer that follows this one:
	// in its place where the platform can do that, otherwise below it. It only
	// reads, so that nothing is lost with the process; it is called once.
	Then func(ctx context.Context) Answer
	// Parcel is that delivery where it is carried as soon as the platform has
	// acknowledged, or nil.
	Parcel *core.Parcel
}

// Handler answers actions. Transports call it, and nothing else of the
// product.
type Handler interface {
	// Handle never returns an error: what went wrong is told to the person in
	// the answer and to the operator in the log.
	Handle(ctx context.Context, a Action) Answer
	// Acknowledged tells that the platform has received the acknowledgement
	// of an action whose answer was Posted: from now on its delivery can
	// reach the person. It is called once for each such answer, with the
	// answer, also when the acknowledgement could not be handed over.
	Acknowledged(a Answer)
}

// Messenger shows cards on one platform. Every error is a
// [core.DeliveryError]; an error of another type counts as temporary.
type Messenger interface {
	// Show shows c at p: as the first message there, or in place of the one
	// that stands there (p.Shown). It returns p as it is from now on.
	// The key is the same when the same card is sent again after a lost
	// answer, so that the platform can drop the repetition.
	Show(ctx context.Context, p core.Place, c Card, key string) (core.Place, error)
	// Direct sends c to a person as a new direct message and returns its
	// place. A message that was already sent with the same key is found and
	// returned instead of sent again, as far as the platform allows.
	// The time of the first attempt, zero for a first attempt, bounds
	// the search.
	Direct(ctx context.Context, to core.Identity, c Card, key string, firstTry time.Time) (core.Place, error)
	// Remove takes back a message of the bot's own for all who see it. One that
	// is gone already is no error. A [core.PlaceGone] says that there is no
	// such message at p, a [core.Invalid] that the platform does not let it be
	// removed.
	Remove(ctx context.Context, p core.Place) error
	// Pause is the least time between two messages of one lane that are new;
	// edits and answers to interactions are not counted.
	Pause() time.Duration
}
