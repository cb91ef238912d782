package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Signposts is what a [Provider] may know beside everything else about where
// people do there what only they can do.
type Signposts interface {
	// TaskURL is the page on which somebody does the task, for the badge where
	// it is about one; "" where no page is known.
	TaskURL(k TaskKind, b Badge) string
	// IssuerID tells one issuer from another.
	IssuerID() string
}

// ProvidedBy is what decides tasks on the side of a provider.
func ProvidedBy(p Provider) Provided {
	out := Provided{Tells: p.Capabilities()}
	if s, ok := p.(Signposts); ok {
		out.Issuer = s.IssuerID()
	}
	return out
}

// TaskStore knows what follows the acceptance of badges.
type TaskStore interface {
	// TaskFacts returns what decides the tasks of a member; nothing for an
	// unknown one.
	TaskFacts(ctx context.Context, memberID string) (TaskFacts, error)
}

// TaskTx changes it within one transaction.
type TaskTx interface {
	TaskStore
	// SaveTask keeps what a member says of a task, or takes it back. It returns
	// false where it was so before.
	SaveTask(ctx context.Context, memberID string, ref TaskRef, what Saying, now time.Time) (bool, error)
	// NoteKnown notes whether the provider has a verified address in the
	// account of somebody who holds a badge. It returns whose address it is
	// where that is news, otherwise "".
	NoteKnown(ctx context.Context, normal string, known bool) (memberID string, err error)
	// TellTasks queues deliveries for the newest posts that show tasks of the
	// member, and for the homes that [Tx.TellHomes] would tell; with fallback,
	// the newest one about all badges of each account may be followed.
	TellTasks(ctx context.Context, memberID string, fallback bool, now time.Time) error
}

// Activation lets people say what they did at the provider, and shows what is
// left.
type Activation struct {
	Store    Store
	Clock    Clock
	Provider Provider
}

// Word is what somebody says of a task of theirs.
type Word struct {
	Kind TaskKind
	// Scope is needed for tasks of which a person can have several.
	Scope string
	What  Saying
}

// Say keeps what the actor says of a task, and brings what shows it up to
// date: the card about one badge, or about all where that is empty, is
// delivered to the given place. [ErrNotFound] for what is no task of the
// actor's.
func (s *Activation) Say(ctx context.Context, actor Identity, w Word, about string, at Place) error {
	err := s.inTx(ctx, actor, about, at, func(ctx context.Context, tx Tx, f TaskFacts, now time.Time) error {
		all := Tasks(f, about, ProvidedBy(s.Provider), now)
		i := slices.IndexFunc(all, func(t Task) bool { return t.Ref.Kind == w.Kind && (t.Ref.Scope == w.Scope || t.single()) })
		if i < 0 {
			return ErrNotFound
		}
		changed, err := tx.SaveTask(ctx, f.MemberID, all[i].Ref, w.What, now)
		if err != nil || !changed {
			return err
		}
		if err := tx.TellTasks(ctx, f.MemberID, false, now); err != nil {
			return err
		}
		kind := "task." + string(w.What)
		if w.What == "" {
			kind = "task.taken_back"
		}
		return tx.Audit(ctx, f.MemberID, kind, string(w.Kind)+":"+all[i].Ref.Scope, now)
	})
	if err != nil {
		return fmt.Errorf("say that a task is done: %w", err)
	}
	return nil
}

// single reports whether a person has the task at most once.
func (t Task) single() bool { return t.Ref.Kind == TaskProfile || t.Ref.Kind == TaskAuto }

// Show delivers the card about one badge, or about all where that is empty, to
// the given place; from then on it follows what becomes of the tasks.
// [ErrNotFound] for who does not hold it, or none at all.
func (s *Activation) Show(ctx context.Context, actor Identity, about string, at Place) error {
	err := s.inTx(ctx, actor, about, at, func(context.Context, Tx, TaskFacts, time.Time) error { return nil })
	if err != nil {
		return fmt.Errorf("show tasks: %w", err)
	}
	return nil
}

// inTx does something about the tasks of the actor and shows them afterwards.
func (s *Activation) inTx(
	ctx context.Context, actor Identity, about string, at Place,
	do func(context.Context, Tx, TaskFacts, time.Time) error,
) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := s.Clock.Now()
		account, err := tx.EnsureAccount(ctx, Account{Identity: actor}, now)
		if err != nil {
			return err
		}
		// The lock orders those who press at the same time.
		locked, err := tx.LockMembers(ctx, account.MemberID)
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			// It joined somebody else since it was read: begin again.
			return ErrUnavailable
		}
		f, err := tx.TaskFacts(ctx, account.MemberID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(f.Badges, func(b Badge) bool { return about == "" || b.ID == about }) {
			return ErrNotFound
		}
		if err := do(ctx, tx, f, now); err != nil || at.Ref == "" {
			return err
		}
		subject := Subject{Kind: SubjectBadge, ID: about}
		if about == "" {
			subject = Subject{Kind: SubjectTasks, ID: account.ID}
		}
		post, err := tx.AddPost(ctx, Post{ID: NewID(), Account: account, Subject: subject, Place: at}, now)
		if err != nil {
			return err
		}
		return tx.Tell(ctx, post, true, now)
	})
}

// tellTasks brings up to date what shows tasks of whoever has the address.
func tellTasks(ctx context.Context, tx Tx, normal string, fallback bool, now time.Time) error {
	owner, err := tx.AddressOwner(ctx, normal)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.TellTasks(ctx, owner.MemberID, fallback, now)
}
