package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// WorkKind says what has to be done at the provider because of a change here.
type WorkKind string

// Kinds of work that use cases ask for, with the meaning of the payload.
const (
	// WorkReadPerson: read all badges of an address; its normal form.
	WorkReadPerson WorkKind = "provider.person"
	// WorkRevoke: take back a withdrawn badge; the badge's id.
	WorkRevoke WorkKind = "badge.revoke"
	// WorkCelebrate: a team celebrates in another channel; the team.
	WorkCelebrate WorkKind = "team.celebrate"
)

// Work is what has to be done at the provider because of what happened here.
type Work struct {
	Store    Store
	Clock    Clock
	Provider Provider
	Observer *Observer
	// TTL is how long a link may be followed once its badge is issued.
	TTL time.Duration
}

// Issue issues the badge of a handoff that is being prepared and opens the
// handoff. It may be repeated: the provider recognises the award.
func (w *Work) Issue(ctx context.Context, handoffID string) error {
	v, err := w.Store.HandoffView(ctx, handoffID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find handoff: %w", err)
	}
	if v.Handoff.StateAt(w.Clock.Now()) != HandoffPreparing {
		return nil
	}
	if v.Badge.Stage.Ended() {
		return w.fail(ctx, v)
	}
	var obs Observation
	if v.Badge.ProviderID == "" {
		obs, err = w.Provider.Issue(ctx, issueRequest(v.Badge))
	} else {
		obs, err = w.Provider.Get(ctx, v.Badge.ProviderID)
	}
	if errors.Is(err, ErrRefused) {
		return errors.Join(w.fail(ctx, v), err)
	}
	if err != nil {
		return fmt.Errorf("issue badge: %w", err)
	}
	if obs.ExternalID == "" {
		obs.ExternalID = v.Badge.AwardID
	}
	another := false
	err = w.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		change, err := w.Observer.ApplyIn(ctx, tx, obs)
		another = err == nil && change.After.ID != v.Badge.ID
		if err != nil || another || change.After.Stage != StagePending {
			return err
		}
		now := w.Clock.Now()
		err = tx.OpenHandoff(ctx, handoffID, now, now.Add(w.TTL))
		if errors.Is(err, ErrUnmet) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.TellSubject(ctx, Subject{Kind: SubjectHandoff, ID: handoffID}, true, now)
	})
	if err == nil && another {
		// The provider takes an earlier badge of the same person and template
		// for this one and will not issue a second.
		return errors.Join(w.fail(ctx, v), fmt.Errorf("%w: an earlier badge stands in the way", ErrRefused))
	}
	return err
}

func (w *Work) fail(ctx context.Context, v HandoffView) error {
	return w.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := w.Clock.Now()
		err := tx.CloseHandoffs(ctx, v.Badge.ID, []HandoffState{HandoffPreparing}, HandoffFailed, now)
		if err != nil {
			return err
		}
		return tx.TellSubject(ctx, Subject{Kind: SubjectHandoff, ID: v.Handoff.ID}, true, now)
	})
}

// Replace moves a badge that is pending at the provider to the address the
// body now names.
func (w *Work) Replace(ctx context.Context, badgeID string) error {
	b, err := w.Store.Badge(ctx, badgeID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find badge: %w", err)
	}
	if b.Stage != StagePending || b.ProviderID == "" || !w.Provider.Capabilities().Has(CanReplace) {
		return nil
	}
	obs, err := w.Provider.Replace(ctx, b.ProviderID, issueRequest(b))
	if err != nil {
		return fmt.Errorf("replace badge: %w", err)
	}
	if old, err := w.Provider.Get(ctx, b.ProviderID); err == nil {
		// The award's id goes to the new badge: the old one stays behind as
		// what it is, replaced.
		old.ExternalID = ""
		if err := w.Observer.Apply(ctx, old); err != nil {
			return err
		}
	}
	return w.Observer.Apply(ctx, obs)
}

// Revoke takes back a badge whose award was withdrawn.
func (w *Work) Revoke(ctx context.Context, badgeID string) error {
	b, err := w.Store.Badge(ctx, badgeID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find badge: %w", err)
	}
	if b.ProviderID == "" || b.Stage.Ended() || !w.Provider.Capabilities().Has(CanRevoke) {
		return nil
	}
	if err := w.Provider.Revoke(ctx, b.ProviderID, "Withdrawn by the certification body"); err != nil {
		return fmt.Errorf("revoke badge: %w", err)
	}
	return w.Observer.Read(ctx, b.ProviderID)
}

func issueRequest(b Badge) IssueRequest {
	return IssueRequest{
		ExternalID: b.AwardID, TemplateID: b.Template.ID, Recipient: b.Recipient,
		FirstName: b.FirstName, LastName: b.LastName, Locale: b.Locale,
		IssuedAt: b.IssuedAt, ExpiresAt: b.ExpiresAt, Certificate: b.Certificate,
	}
}

// Withdraw takes an award back: at once where the provider does not know the
// badge yet, otherwise by revoking it there.
func (w *Work) Withdraw(ctx context.Context, awardID string, at time.Time) error {
	err := w.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := w.Clock.Now()
		b, err := tx.WithdrawAward(ctx, awardID, at, now)
		if errors.Is(err, ErrUnmet) {
			return nil
		}
		if err != nil {
			return err
		}
		if b.Stage != StageWithdrawn {
			return tx.QueueWork(ctx, "revoke", fmt.Sprintf("%s@%d", b.ID, at.UnixMilli()), WorkRevoke, b.ID, now)
		}
		open := []HandoffState{HandoffPreparing, HandoffOpen}
		if err := tx.CloseHandoffs(ctx, b.ID, open, HandoffFailed, now); err != nil {
			return err
		}
		_, err = tx.TellBadge(ctx, b.ID, true, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("withdraw award: %w", err)
	}
	return nil
}

// Erase forgets a person at the body's request.
func (w *Work) Erase(ctx context.Context, e Email) error {
	err := w.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		return tx.EraseAddress(ctx, e.Normal, w.Clock.Now())
	})
	if err != nil {
		return fmt.Errorf("erase person: %w", err)
	}
	return nil
}
