package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long until a badge is read again, by its stage. Webhooks make changes
// visible at once; these intervals make everything work without any.
const (
	pollPending  = 6 * time.Hour
	pollHeld     = 24 * time.Hour
	pollFollowed = 30 * time.Second
	// followedFor is how long a followed handoff is watched that closely.
	followedFor = time.Hour
)

// Observer turns what the provider says into stages, and tells people.
type Observer struct {
	Store    Store
	Clock    Clock
	Provider Provider
	// Announce says that the body's own system is told of changes.
	Announce bool
}

// Read reads one badge at the provider and applies what it says.
func (o *Observer) Read(ctx context.Context, providerID string) error {
	obs, err := o.Provider.Get(ctx, providerID)
	if err != nil {
		return fmt.Errorf("read badge at the provider: %w", err)
	}
	return o.Apply(ctx, obs)
}

// Apply stores an observation unless something newer is known, and queues
// everything that follows from a change, in one transaction.
func (o *Observer) Apply(ctx context.Context, obs Observation) error {
	err := o.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		_, err := o.ApplyIn(ctx, tx, obs)
		return err
	})
	if err != nil {
		return fmt.Errorf("apply observation: %w", err)
	}
	return nil
}

// ApplyIn does the work of [Observer.Apply] within a transaction.
func (o *Observer) ApplyIn(ctx context.Context, tx Tx, obs Observation) (Change, error) {
	now := o.Clock.Now()
	change, err := tx.SaveObservation(ctx, obs, now, nextPoll(obs.Stage, now))
	if err != nil || !change.Moved {
		return change, err
	}
	if err := o.celebrate(ctx, tx, change, now); err != nil {
		return change, err
	}
	before, after := change.Before.Stage, change.After.Stage
	id := change.After.ID
	if after == before {
		_, err := tx.TellBadge(ctx, id, false, now)
		return change, err
	}
	open := []HandoffState{HandoffPreparing, HandoffOpen, HandoffFollowed, HandoffExpired}
	switch {
	case after.Held() && !before.Held():
		err = tx.CloseHandoffs(ctx, id, open, HandoffCompleted, now)
	case after.Ended():
		err = tx.CloseHandoffs(ctx, id, open, HandoffFailed, now)
	}
	if err != nil {
		return change, err
	}
	// That a badge became public is news as well, each time: what was said of it
	// last may stand where it cannot be edited any more, because Slack takes a
	// few edits of a private message and Discord those of a quarter of an hour.
	news := after.Held() != before.Held() || after.Ended() || after == StagePublic
	told, err := tx.TellBadge(ctx, id, news, now)
	if err != nil {
		return change, err
	}
	if after.Held() || before.Held() {
		// What its owner has left to do changes with it: news where nothing else
		// tells of it.
		untold := told == 0 && after == StagePublic && !change.New
		if err := tellTasks(ctx, tx, change.After.Recipient.Normal, untold, now); err != nil {
			return change, err
		}
	}
	if before.Held() && after.Ended() && told > 0 {
		// The card with the good news may be months old: an edit of it would
		// be seen by nobody.
		if err := o.sendNews(ctx, tx, change.After, now); err != nil {
			return change, err
		}
	}
	if err := tx.Audit(ctx, "", "badge."+string(after), id, now); err != nil {
		return change, err
	}
	if change.New {
		// What was so before it was first seen is no news to anybody.
		return change, nil
	}
	return change, o.announce(ctx, tx, before, after, id, now)
}

// sendNews sends a new direct message about the badge to the account in
// which its owner was last seen.
func (o *Observer) sendNews(ctx context.Context, tx Tx, b Badge, now time.Time) error {
	owner, err := tx.AddressOwner(ctx, b.Recipient.Normal)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	accounts, err := tx.AccountsOf(ctx, owner.MemberID)
	if err != nil || len(accounts) == 0 {
		return err
	}
	post, err := tx.AddPost(ctx, Post{
		ID: NewID(), Account: accounts[0], Subject: Subject{Kind: SubjectBadge, ID: b.ID},
	}, now)
	if err != nil {
		return err
	}
	return tx.Tell(ctx, post, true, now)
}

func (o *Observer) announce(ctx context.Context, tx Tx, before, after Stage, badgeID string, now time.Time) error {
	if !o.Announce {
		return nil
	}
	var events []EventType
	if after.Held() && !before.Held() {
		events = append(events, EventAccepted)
	}
	if after == StagePublic {
		events = append(events, EventPublic)
	}
	if after == StageRejected {
		events = append(events, EventRejected)
	}
	for _, e := range events {
		if err := tx.QueueEvent(ctx, e, badgeID, NewID(), now); err != nil {
			return err
		}
	}
	return nil
}

func nextPoll(s Stage, now time.Time) PollPlan {
	switch {
	case s == StagePending || s == StageUnknown:
		return PollPlan{At: now.Add(pollPending), Soon: now.Add(pollFollowed), Since: now.Add(-followedFor)}
	case s.Held():
		return PollPlan{At: now.Add(pollHeld)}
	default:
		return PollPlan{}
	}
}
