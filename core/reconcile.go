package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Reconciler finds at the provider what no webhook told.
type Reconciler struct {
	Store    Store
	Clock    Clock
	Provider Provider
	Observer *Observer
	Log      *slog.Logger
}

// Sizes of one tick: small, because another follows soon and every badge
// costs a call that the provider counts.
const (
	pollBatch    = 20
	refreshBatch = 10
	pollRetry    = 10 * time.Minute
	refreshEvery = 6 * time.Hour
)

// Poll reads the badges that are due. It returns how many were read; a badge
// that cannot be read now is due again later.
func (r *Reconciler) Poll(ctx context.Context) (int, error) {
	now := r.Clock.Now()
	due, err := r.Store.DuePolls(ctx, now, pollBatch, pollRetry)
	if err != nil {
		return 0, fmt.Errorf("take due badges: %w", err)
	}
	read := 0
	for _, b := range due {
		if err := r.readOne(ctx, b); err != nil {
			if errors.Is(err, ErrUnauthorized) || ctx.Err() != nil {
				return read, err
			}
			r.Log.WarnContext(ctx, "read badge at the provider", "badge", b.ID, "err", err)
			continue
		}
		read++
	}
	return read, nil
}

func (r *Reconciler) readOne(ctx context.Context, b Badge) error {
	obs, err := r.Provider.Get(ctx, b.ProviderID)
	if err != nil {
		return err
	}
	return r.Observer.Apply(ctx, obs)
}

// Refresh asks for everything of the addresses that are due.
func (r *Reconciler) Refresh(ctx context.Context) (int, error) {
	due, err := r.Store.DueRefreshes(ctx, r.Clock.Now(), refreshBatch, refreshEvery)
	if err != nil {
		return 0, fmt.Errorf("take due addresses: %w", err)
	}
	for i, e := range due {
		if err := r.ReadPerson(ctx, e); err != nil {
			return i, err
		}
	}
	return len(due), nil
}

// ReadPerson reads all badges of the owner of an address and applies them.
func (r *Reconciler) ReadPerson(ctx context.Context, e Email) error {
	all, err := r.Provider.ForPerson(ctx, e)
	if err != nil {
		return fmt.Errorf("read badges of a person: %w", err)
	}
	known := false
	for _, obs := range all {
		if err := r.Observer.Apply(ctx, obs); err != nil {
			return err
		}
		// Only an account that verified the address holds a badge under it.
		known = known || obs.Stage.Held()
	}
	return r.noteKnown(ctx, e, known)
}

// noteKnown notes whether the provider has the address in the account of
// somebody who holds a badge, whatever address that was issued to.
func (r *Reconciler) noteKnown(ctx context.Context, e Email, known bool) error {
	err := r.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		member, err := tx.NoteKnown(ctx, e.Normal, known)
		if err != nil || member == "" {
			return err
		}
		f, err := tx.TaskFacts(ctx, member)
		if err != nil || len(f.addresses()) == 0 {
			// No step is about it: an edit would change nothing, and Slack takes
			// few of a private message.
			return err
		}
		return tx.TellTasks(ctx, member, false, r.Clock.Now())
	})
	if err != nil {
		return fmt.Errorf("note known address: %w", err)
	}
	return nil
}

// Templates reads what can be earned.
func (r *Reconciler) Templates(ctx context.Context) error {
	ts, err := r.Provider.Templates(ctx)
	if err != nil {
		return fmt.Errorf("read templates: %w", err)
	}
	if err := r.Store.SaveTemplates(ctx, ts, r.Clock.Now()); err != nil {
		return fmt.Errorf("save templates: %w", err)
	}
	return nil
}
