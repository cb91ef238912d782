package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// KeepRemoved is how long the people of a workspace are kept after it
	// removed the bot, so that a removal by mistake loses nothing. What is
	// left of the day within which they have to be gone is for replicas that
	// stood still, and for large workspaces.
	KeepRemoved = 12 * time.Hour
	// stillArriving is how long after a removal what was before it may still
	// show.
	stillArriving = 10 * time.Minute
	// eraseBatch is how many accounts of a workspace are erased in one
	// transaction.
	eraseBatch = 25
)

// Removal is a workspace that removed the bot and whose people are still
// stored.
type Removal struct {
	Platform Platform
	Tenant   string
	// At is when it removed the bot.
	At time.Time
	// Seen is when somebody of it was last seen, or zero.
	Seen time.Time
}

// InstallationStore knows which workspaces removed the bot.
type InstallationStore interface {
	// RemoveInstallation notes that a workspace removed the bot: nothing is
	// sent there from now on. Of several removals without a return in between
	// the first counts.
	RemoveInstallation(ctx context.Context, p Platform, tenant string, now time.Time) error
	// KeepInstallation notes that the workspace has the bot after all: what
	// waited for it is sent.
	KeepInstallation(ctx context.Context, r Removal, now time.Time) error
	// EndRemoval notes that nobody of the workspace is stored any more.
	EndRemoval(ctx context.Context, r Removal) error
	// Removals returns the workspaces whose people are still stored.
	Removals(ctx context.Context) ([]Removal, error)
}

// Farewells forgets people: those who ask for it, and those whose workspace
// removed the bot (rule 8).
type Farewells struct {
	Store interface {
		Store
		InstallationStore
	}
	Clock Clock
	// Installed asks the platform whether the bot's credentials work for a
	// workspace; false also where it cannot tell.
	Installed func(ctx context.Context, p Platform, tenant string) bool
	Log       *slog.Logger
}

// Forget erases the person behind a chat identity, with all accounts and
// addresses and everything that is known of their badges here. What the
// provider and the body know stays there. [ErrNotFound] for somebody unknown.
func (f *Farewells) Forget(ctx context.Context, actor Identity) error {
	err := f.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := f.Clock.Now()
		if err := tx.EraseMember(ctx, actor, now); err != nil {
			return err
		}
		return tx.Audit(ctx, "", "person.forgotten", "", now)
	})
	if err != nil {
		return fmt.Errorf("forget person: %w", err)
	}
	return nil
}

// Remove notes that a workspace removed the bot. Its people are erased when
// [KeepRemoved] is over, unless it comes back before.
func (f *Farewells) Remove(ctx context.Context, p Platform, tenant string) error {
	now := f.Clock.Now()
	if err := f.Store.RemoveInstallation(ctx, p, tenant, now); err != nil {
		return fmt.Errorf("remove installation: %w", err)
	}
	f.Log.WarnContext(ctx, "a workspace removed the bot: its people will be erased unless it comes back",
		"platform", p, "workspace", tenant, "at", now.Add(KeepRemoved))
	return nil
}

// Sweep erases the people of workspaces that removed the bot long enough ago,
// and keeps those of workspaces that have it again. It returns how many
// accounts are gone. What it does not finish it goes on with the next time.
func (f *Farewells) Sweep(ctx context.Context) (int, error) {
	removals, err := f.Store.Removals(ctx)
	if err != nil {
		return 0, fmt.Errorf("list removals: %w", err)
	}
	var gone int
	var errs []error
	for _, r := range removals {
		n, err := f.sweep(ctx, r)
		gone += n
		errs = append(errs, err)
	}
	return gone, errors.Join(errs...)
}

func (f *Farewells) sweep(ctx context.Context, r Removal) (int, error) {
	// The credentials of a workspace may work for a moment after it removed
	// the bot.
	if f.Clock.Now().Before(r.At.Add(stillArriving)) {
		return 0, nil
	}
	// Only a workspace that has the bot lets its people act, and only to one
	// that has it do the credentials belong.
	if r.Seen.After(r.At.Add(stillArriving)) || f.Installed(ctx, r.Platform, r.Tenant) {
		if err := f.Store.KeepInstallation(ctx, r, f.Clock.Now()); err != nil {
			return 0, fmt.Errorf("keep installation: %w", err)
		}
		f.Log.InfoContext(ctx, "a workspace has the bot again: its people are kept", "platform", r.Platform, "workspace", r.Tenant)
		return 0, nil
	}
	if f.Clock.Now().Before(r.At.Add(KeepRemoved)) {
		return 0, nil
	}
	gone, err := f.erase(ctx, r)
	if err != nil {
		return gone, fmt.Errorf("erase workspace: %w", err)
	}
	if err := f.Store.EndRemoval(ctx, r); err != nil {
		return gone, fmt.Errorf("end removal: %w", err)
	}
	f.Log.InfoContext(ctx, "the people of a workspace are erased", "platform", r.Platform, "workspace", r.Tenant, "accounts", gone)
	return gone, nil
}

// erase erases everybody of a workspace, in small transactions.
func (f *Farewells) erase(ctx context.Context, r Removal) (gone int, err error) {
	for n := eraseBatch; n == eraseBatch; gone += n {
		err := f.Store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
			now := f.Clock.Now()
			if n, err = tx.EraseAccountsOf(ctx, r.Platform, r.Tenant, eraseBatch, now); err != nil || n == eraseBatch {
				return err
			}
			return tx.Audit(ctx, "", "workspace.erased", string(r.Platform)+":"+r.Tenant, now)
		})
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}
