package core

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SubjectCall is an edition of a call to claim; see [CallSubject].
const SubjectCall SubjectKind = "call"

// Limits of calls.
const (
	// MaxCallWords is how long the text of a call may be, in characters.
	MaxCallWords = 2000
	// MaxCallAhead is how far ahead a call may be scheduled.
	MaxCallAhead = 400 * 24 * time.Hour
	// recountEvery is the least time between two edits by which the message
	// of a call counts.
	recountEvery = time.Minute
	// callLateness is how late a call that is repeated may be: after that its
	// next time is waited for.
	callLateness = 24 * time.Hour
	// callBatch bounds how many calls are counted at once.
	callBatch = 100
)

// CallState is how a call stands.
type CallState string

// Call states. A call that is repeated goes on as open until it is closed.
const (
	CallScheduled CallState = "scheduled"
	CallOpen      CallState = "open"
	CallClosed    CallState = "closed"
	CallCancelled CallState = "cancelled"
)

// Call asks the people of a channel to claim their badges.
type Call struct {
	ID string
	// Team is whose managers can change it, see [Account.Team].
	Team string
	// Channel is the account of the channel, see [ChannelIdentity], and
	// ChannelName how it was called when the call was made.
	Channel     Account
	ChannelName string
	State       CallState
	Words       string
	// PictureURL may be empty.
	PictureURL string
	// Templates are what it is about; none means all.
	Templates []string
	// Locale is the language of everything around the words.
	Locale string
	// Zone is the time zone (IANA) in which it was scheduled.
	Zone string
	// Cron is when it is repeated, see [ParseRepetition]; empty for once.
	Cron string
	// NextAt is when it is next posted; zero for not.
	NextAt time.Time
	// Edition is how often it was posted.
	Edition int
	// Claimed of Total badges were accepted when they were counted last.
	Claimed, Total int
}

// About reports whether a call is about badges of a template.
func (c *Call) About(template string) bool {
	return len(c.Templates) == 0 || slices.Contains(c.Templates, template)
}

// CallView is a call with what managers have to know of it.
type CallView struct {
	Call Call
	// Trouble is why its message could not be posted, as the platform says
	// it, or empty.
	Trouble string
}

// CallSubject is what the message of an edition of a call shows.
func CallSubject(id string, edition int) Subject {
	return Subject{Kind: SubjectCall, ID: id + "." + strconv.Itoa(edition)}
}

// ParseCallSubject reads the id of a subject of [CallSubject].
func ParseCallSubject(subject string) (id string, edition int, ok bool) {
	id, number, ok := strings.Cut(subject, ".")
	edition, err := strconv.Atoi(number)
	return id, edition, ok && err == nil && edition > 0
}

// location is the zone of a call.
func (c *Call) location() *time.Location {
	if zone, err := time.LoadLocation(c.Zone); err == nil && c.Zone != "" {
		return zone
	}
	return time.UTC
}

// Schedule sets when a call that was not posted yet is posted: at a time, or
// at once for the zero time; and when again, for a rule.
func (c *Call) Schedule(at time.Time, rule string, now time.Time) error {
	c.Cron = rule
	if !at.IsZero() {
		c.State, c.NextAt = CallScheduled, at
		return nil
	}
	return c.post(now)
}

// post makes the next edition.
func (c *Call) post(now time.Time) error {
	c.State, c.NextAt = CallOpen, time.Time{}
	c.Edition++
	if c.Cron == "" {
		return nil
	}
	rule, err := ParseRepetition(c.Cron)
	if err != nil {
		return fmt.Errorf("read rule of call: %w", err)
	}
	c.NextAt = rule.Next(now, c.location())
	return nil
}

// due makes the edition whose time has come, or waits for the next where that
// was long ago: several that were missed are not made up for.
func (c *Call) due(now time.Time) error {
	if c.Cron == "" || now.Sub(c.NextAt) < callLateness {
		return c.post(now)
	}
	rule, err := ParseRepetition(c.Cron)
	if err != nil {
		return fmt.Errorf("read rule of call: %w", err)
	}
	c.NextAt = rule.Next(now, c.location())
	return nil
}

// CallDraft is what a manager entered for a call that is not made yet, or for
// a change of one.
type CallDraft struct {
	ID   string
	Team string
	// CallID is the call to be changed, or empty.
	CallID string
	// Zone is the time zone by which times in it are read.
	Zone string
	// Fields are what was entered, by field.
	Fields map[string]string
}

// CallStore keeps calls.
type CallStore interface {
	// SaveCallDraft stores a draft, in place of an earlier one of the same
	// id and team. [ErrNotFound] where the id is another team's.
	SaveCallDraft(ctx context.Context, d CallDraft, now time.Time) error
	// CallDraft returns one, or [ErrNotFound].
	CallDraft(ctx context.Context, id string) (CallDraft, error)
	// DropCallDraft forgets one of a team.
	DropCallDraft(ctx context.Context, id, team string) error
	// AddCall stores a call and uses up the draft that it was made of. Where
	// it has an edition, the message is queued. [ErrGone] when the draft was
	// used up before, with nothing changed.
	AddCall(ctx context.Context, c Call, draftID, who string, now time.Time) (Call, error)
	// Call returns one, or [ErrNotFound].
	Call(ctx context.Context, id string) (Call, error)
	// CallViewOf returns one of a team, or [ErrNotFound].
	CallViewOf(ctx context.Context, id, team string) (CallView, error)
	// CallsOf returns calls of a team from an offset on: those to come and
	// the open ones first, newest first.
	CallsOf(ctx context.Context, team string, offset, limit int) ([]CallView, error)
	// ChangeCall lets change change a call of a team, stores that with a line
	// in the audit, and tells the message: a new one where the edition grew,
	// beside the one before. An error of change leaves everything as it was.
	// [ErrNotFound].
	ChangeCall(ctx context.Context, id, team, who, what string, now time.Time, change func(*Call) error) (Call, error)
	// OpenCall does the same for one call whose time has come, which no other
	// replica changes meanwhile; false when there is none.
	OpenCall(ctx context.Context, now time.Time, change func(*Call) error) (bool, error)
	// RecountCalls counts up to limit open calls that were last counted at
	// before or earlier, and tells the messages of those whose numbers
	// changed. It returns how many it counted and how many it told.
	RecountCalls(ctx context.Context, now, before time.Time, limit int) (counted, told int, err error)
	// CallTemplates returns up to limit templates: those that are named, then
	// those that changed last.
	CallTemplates(ctx context.Context, named []string, limit int) ([]Template, error)
}

// Calls makes and changes calls to claim.
type Calls struct {
	Store CallStore
	Clock Clock
}

// Publish makes a call of a draft, now or at a time; see [Call.Schedule].
// [ErrGone] when the draft was used up before.
func (c *Calls) Publish(ctx context.Context, who, draftID string, call Call, at time.Time, rule string) (Call, error) {
	now := c.Clock.Now()
	call.ID, call.Edition = NewID(), 0
	if err := call.Schedule(at, rule, now); err != nil {
		return Call{}, err
	}
	call, err := c.Store.AddCall(ctx, call, draftID, who, now)
	if err != nil {
		return Call{}, fmt.Errorf("publish call: %w", err)
	}
	return call, nil
}

// Reword changes words, picture and templates of an open call; its message
// changes in place. [ErrNotFound]; [ErrUnmet] when it is not open any more.
func (c *Calls) Reword(ctx context.Context, who, team, id string, to Call) (Call, error) {
	return c.change(ctx, who, team, id, "call.changed", func(call *Call, _ time.Time) error {
		if call.State != CallOpen {
			return ErrUnmet
		}
		call.Words, call.PictureURL, call.Templates = to.Words, to.PictureURL, to.Templates
		return nil
	})
}

// Reschedule changes everything of a call that was not posted yet.
// [ErrNotFound]; [ErrUnmet] when it is not to come any more.
func (c *Calls) Reschedule(ctx context.Context, who, team, id string, to Call, at time.Time, rule string) (Call, error) {
	return c.change(ctx, who, team, id, "call.changed", func(call *Call, now time.Time) error {
		if call.State != CallScheduled {
			return ErrUnmet
		}
		call.Words, call.PictureURL, call.Templates = to.Words, to.PictureURL, to.Templates
		call.Channel, call.ChannelName = to.Channel, to.ChannelName
		return call.Schedule(at, rule, now)
	})
}

// End closes an open call, with its numbers as they are then, or cancels one
// that is still to come. [ErrNotFound]. One that has ended stays as it is.
func (c *Calls) End(ctx context.Context, who, team, id string) (Call, error) {
	return c.change(ctx, who, team, id, "call.ended", func(call *Call, _ time.Time) error {
		switch call.State {
		case CallOpen:
			call.State = CallClosed
		case CallScheduled:
			call.State = CallCancelled
		case CallClosed, CallCancelled:
		}
		call.NextAt = time.Time{}
		return nil
	})
}

func (c *Calls) change(
	ctx context.Context, who, team, id, what string, change func(*Call, time.Time) error,
) (Call, error) {
	now := c.Clock.Now()
	call, err := c.Store.ChangeCall(ctx, id, team, who, what, now, func(call *Call) error { return change(call, now) })
	if err != nil {
		return Call{}, fmt.Errorf("change call: %w", err)
	}
	return call, nil
}

// Tick posts the calls whose time has come and counts the open ones. It
// returns how many it posted, or moved on, and how many messages count anew.
func (c *Calls) Tick(ctx context.Context) (posted, recounted int, err error) {
	for {
		now := c.Clock.Now()
		found, err := c.Store.OpenCall(ctx, now, func(call *Call) error { return call.due(now) })
		if err != nil {
			return posted, 0, fmt.Errorf("open call: %w", err)
		}
		if !found {
			break
		}
		posted++
	}
	for {
		now := c.Clock.Now()
		counted, told, err := c.Store.RecountCalls(ctx, now, now.Add(-recountEvery), callBatch)
		recounted += told
		if err != nil {
			return posted, recounted, fmt.Errorf("recount calls: %w", err)
		}
		if counted < callBatch {
			return posted, recounted, nil
		}
	}
}
