package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of proving an address. Five tries at eight digits succeed by chance
// once in twenty million (OWASP ASVS 5.0, V6.5 and V6.6).
const (
	CodeTTL      = 10 * time.Minute
	MaxTries     = 5
	limitWindow  = time.Hour
	perMember    = 5
	perAddress   = 5
	perWorkspace = 200
)

// Links proves that addresses belong to people, by mail.
type Links struct {
	Store Store
	Clock Clock
	Keys  *Keys
}

// LinkRequest asks for a code to be mailed.
type LinkRequest struct {
	Account   Account
	Workspace string
	Email     Email
	// At is where the card about it goes.
	At Place
}

// Start mails a code to the address, and shows at the place that it did.
// What happens is the same for addresses that are known and that are not.
// [ErrTooMany] when this person or workspace asked too often; that somebody
// else asked for the same address too often shows in nothing but the
// missing mail.
func (l *Links) Start(ctx context.Context, r LinkRequest) (Verification, error) {
	code, err := l.Keys.NewCode()
	if err != nil {
		return Verification{}, err
	}
	now := l.Clock.Now()
	v := Verification{
		ID: NewID(), Email: r.Email, State: VerificationOpen, Workspace: r.Workspace,
		CreatedAt: now, ExpiresAt: now.Add(CodeTTL),
	}
	v.CodeHash = l.Keys.HashCode(v.ID, code)
	err = l.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		account, err := tx.EnsureAccount(ctx, r.Account, now)
		if err != nil {
			return err
		}
		v.Account, v.State = account, VerificationOpen
		// The lock orders simultaneous requests of one person, which would
		// otherwise all be counted as the first.
		if _, err := tx.LockMembers(ctx, account.MemberID); err != nil {
			return err
		}
		n, err := tx.CountVerifications(ctx, account.MemberID, r.Email.Normal, r.Workspace, now.Add(-limitWindow))
		if err != nil {
			return err
		}
		if n.Member >= perMember || n.Workspace >= perWorkspace {
			return ErrTooMany
		}
		if n.Address >= perAddress {
			v.State = VerificationLimited
		}
		if err := tx.AddVerification(ctx, v); err != nil {
			return err
		}
		// Over the limit as well, so that it takes the same time: the mail is
		// dropped when it is its turn, because there is nothing to prove by it.
		if err := tx.QueueMail(ctx, v.ID, Secret(code), now); err != nil {
			return err
		}
		post, err := tx.AddPost(ctx, Post{
			ID: NewID(), Account: account, Place: r.At,
			Subject: Subject{Kind: SubjectVerification, ID: v.ID},
		}, now)
		if err != nil {
			return err
		}
		return errors.Join(
			tx.Tell(ctx, post, true, now),
			tx.Audit(ctx, account.MemberID, "address.asked", v.ID, now),
		)
	})
	if err != nil {
		return Verification{}, fmt.Errorf("start linking: %w", err)
	}
	return v, nil
}

// WrongCodeError says that a code was not the right one.
type WrongCodeError struct {
	// Left is how many tries remain.
	Left int
}

// Error describes the refusal.
func (e *WrongCodeError) Error() string { return "wrong code" }

// EnterCode proves an address by the mailed code. A [WrongCodeError] tells
// the tries that are left; [ErrGone] that the code is used, expired, out of
// tries or replaced by a newer one; [ErrNotFound] that it was not this
// account that asked.
func (l *Links) EnterCode(ctx context.Context, actor Identity, id, code string) (Verification, error) {
	v, err := l.Store.TakeTry(ctx, id, actor, MaxTries, l.Clock.Now())
	if err != nil {
		return Verification{}, fmt.Errorf("take try: %w", err)
	}
	if v.State != VerificationOpen || !l.Keys.SameCode(v.ID, code, v.CodeHash) {
		return v, &WrongCodeError{Left: max(0, MaxTries-v.Tries)}
	}
	return v, l.prove(ctx, v.ID)
}

// EmailRequest is what the page behind a mailed link shows before anything is
// confirmed.
type EmailRequest struct {
	Verification Verification
	Dead         bool
}

// Look tells what a mailed link is about and changes nothing. [ErrNotFound]
// for a forged or unknown token.
func (l *Links) Look(ctx context.Context, token string) (EmailRequest, error) {
	id, ok := l.Keys.ParseToken(PurposeEmail, token)
	if !ok {
		return EmailRequest{}, ErrNotFound
	}
	v, err := l.Store.Verification(ctx, id)
	if err != nil {
		return EmailRequest{}, fmt.Errorf("find verification: %w", err)
	}
	return EmailRequest{Verification: v, Dead: v.State != VerificationOpen || v.Dead(l.Clock.Now())}, nil
}

// Confirm proves an address by the mailed link. [ErrNotFound] for a forged
// or unknown token, [ErrGone] when it was used or ran out.
func (l *Links) Confirm(ctx context.Context, token string) error {
	id, ok := l.Keys.ParseToken(PurposeEmail, token)
	if !ok {
		return ErrNotFound
	}
	return l.prove(ctx, id)
}

// prove makes the address the asking member's. Where another member holds
// it, whoever proved the mailbox is that person: the two become one, and the
// other accounts are told (rule 6).
func (l *Links) prove(ctx context.Context, id string) error {
	err := l.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := l.Clock.Now()
		v, err := tx.UseVerification(ctx, id, now)
		if err != nil {
			return err
		}
		member, err := l.attach(ctx, tx, v, now)
		if err != nil {
			return err
		}
		return errors.Join(
			tx.QueueWork(ctx, linkSource, v.ID, WorkReadPerson, v.Email.Normal, now),
			tx.TellSubject(ctx, Subject{Kind: SubjectVerification, ID: v.ID}, true, now),
			tx.TellHomes(ctx, member, now),
			tx.TellTasks(ctx, member, false, now),
			tx.Audit(ctx, member, "address.proved", v.ID, now),
		)
	})
	if err != nil {
		return fmt.Errorf("prove address: %w", err)
	}
	return nil
}

// linkSource names the work that a proved address asks for; its key is the
// verification's id.
const linkSource = "link"

// Found tells whoever proved an address that their badges have been looked up:
// the card now counts what waits.
func (l *Links) Found(ctx context.Context, source, key string) error {
	if source != linkSource {
		return nil
	}
	return l.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		return tx.TellSubject(ctx, Subject{Kind: SubjectVerification, ID: key}, false, l.Clock.Now())
	})
}

// attach returns whose the address is in the end.
func (l *Links) attach(ctx context.Context, tx Tx, v Verification, now time.Time) (member string, err error) {
	asking := v.Account.MemberID
	owner, err := tx.AddressOwner(ctx, v.Email.Normal)
	if errors.Is(err, ErrNotFound) {
		if _, err := tx.LockMembers(ctx, asking); err != nil {
			return "", err
		}
		return asking, tx.AddAddress(ctx, Address{ID: NewID(), MemberID: asking, Email: v.Email, VerifiedAt: now})
	}
	if err != nil || owner.MemberID == asking {
		return asking, err
	}
	locked, err := tx.LockMembers(ctx, asking, owner.MemberID)
	if err != nil {
		return "", err
	}
	if len(locked) != 2 {
		// One of them joined somebody else since the reads above: begin again.
		return "", ErrUnavailable
	}
	if err := tx.JoinMembers(ctx, asking, owner.MemberID, now); err != nil {
		return "", err
	}
	return owner.MemberID, l.tellOthers(ctx, tx, v.Account.ID, owner.MemberID, now)
}

// tellOthers tells every other account of the member that this one joined.
func (l *Links) tellOthers(ctx context.Context, tx Tx, joined, memberID string, now time.Time) error {
	accounts, err := tx.AccountsOf(ctx, memberID)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if a.ID == joined {
			continue
		}
		post, err := tx.AddPost(ctx, Post{
			ID: NewID(), Account: a, Subject: Subject{Kind: SubjectJoined, ID: joined},
		}, now)
		if err != nil {
			return err
		}
		if err := tx.Tell(ctx, post, true, now); err != nil {
			return err
		}
	}
	return nil
}

// Unlink takes an address off the actor's list and returns it.
// [ErrNotFound] when it is not there.
func (l *Links) Unlink(ctx context.Context, actor Identity, addressID string) (Address, error) {
	var removed Address
	err := l.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		now := l.Clock.Now()
		a, err := tx.RemoveAddress(ctx, addressID, actor, now)
		if err != nil {
			return err
		}
		removed = a
		return errors.Join(tx.TellHomes(ctx, a.MemberID, now), tx.TellTasks(ctx, a.MemberID, false, now), tx.Audit(ctx, a.MemberID, "address.removed", a.ID, now))
	})
	if err != nil {
		return Address{}, fmt.Errorf("unlink address: %w", err)
	}
	return removed, nil
}
