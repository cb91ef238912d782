package chat

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Composer makes the cards of messages that show something that can change,
// from what is true at the moment it is asked.
type Composer struct {
	Store     core.Store
	Clock     core.Clock
	Keys      *core.Keys
	Catalog   *Catalog
	Provider  core.Provider
	PublicURL string
	// TTL is how long a claim link lives.
	TTL time.Duration
	// Charts draws the pictures of digests; without it they have none.
	Charts Charts
	// Unsent hears why a reminder that was queued is not sent, see
	// [UnsentReasons]; nil means nobody does.
	Unsent func(reason string)
	// Roles knows how people's roles stand, at the platform RolesAt; nil where
	// there are none.
	Roles   *core.Roles
	RolesAt core.Platform
	// RolesClosed says that nobody can connect: what is there only ends.
	RolesClosed bool
}

// ErrNothing says that there is nothing left to show in a post: what it was
// about is gone or no longer the person's.
var ErrNothing = errors.New("nothing to show")

// ErrWithdrawn says that what a post shows must not be seen any more: the
// message is to be removed. The card that comes with it names nobody, and
// stands where a message cannot be removed.
var ErrWithdrawn = errors.New("withdrawn")

// Compose makes the card of a post. [ErrNothing] when there is none,
// [ErrWithdrawn] when there may be none any more.
func (c *Composer) Compose(ctx context.Context, p core.Post) (Card, error) {
	w := c.Catalog.For(p.Account.Locale)
	var card Card
	var err error
	kind := p.Subject.Kind
	if p.Place.MessageKey == core.HomeKey {
		kind = core.SubjectHome
	}
	switch kind {
	case core.SubjectHome:
		card, err = c.home(ctx, w, p)
	case core.SubjectHandoff:
		card, err = c.handoff(ctx, w, p)
	case core.SubjectBadge:
		card, err = c.badge(ctx, w, p)
	case core.SubjectVerification:
		card, err = c.verification(ctx, w, p)
	case core.SubjectJoined:
		card, err = c.joined(ctx, w, p)
	case core.SubjectReminder:
		card, err = c.reminder(ctx, w, p)
	case core.SubjectCall:
		card, err = c.call(ctx, p)
	case core.SubjectConsent:
		card, err = c.consent(ctx, w, p)
	case core.SubjectCelebration:
		card, err = c.celebration(ctx, w, p)
	case core.SubjectDigest:
		card, err = c.digest(ctx, p)
	case core.SubjectRoles:
		card, err = c.lostRoles(ctx, w, p)
	case core.SubjectTasks:
		card, err = c.allSteps(ctx, w, p)
	default:
		return Card{}, fmt.Errorf("compose %q: %w", p.Subject.Kind, ErrNothing)
	}
	if errors.Is(err, core.ErrNotFound) || errors.Is(err, ErrNothing) {
		return Card{}, ErrNothing
	}
	if errors.Is(err, ErrWithdrawn) {
		return card, ErrWithdrawn
	}
	if err != nil {
		return Card{}, fmt.Errorf("compose %s card: %w", p.Subject.Kind, err)
	}
	return card, nil
}

func (c *Composer) handoff(ctx context.Context, w Words, p core.Post) (Card, error) {
	v, err := c.Store.HandoffView(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	if v.Handoff.MemberID == p.Account.MemberID && v.Owned && v.Badge.Stage.Held() {
		return c.held(ctx, w, core.BadgeView{Badge: v.Badge}, p.Account)
	}
	card, err := c.handoffAs(w, p, v)
	if err != nil || !v.Owned {
		return card, err
	}
	return c.asking(ctx, w, card, v.Badge), nil
}

// ComposeAs makes the card of a handoff's post from what is known of the
// handoff. [ErrNothing] when there is none.
func (c *Composer) ComposeAs(p core.Post, v core.HandoffView) (Card, error) {
	w := c.Catalog.For(p.Account.Locale)
	card, err := c.handoffAs(w, p, v)
	if p.Place.MessageKey == core.HomeKey {
		card = atHome(w, card)
	}
	if errors.Is(err, core.ErrNotFound) {
		return Card{}, ErrNothing
	}
	return card, err
}

func (c *Composer) handoffAs(w Words, p core.Post, v core.HandoffView) (Card, error) {
	if v.Handoff.MemberID != p.Account.MemberID {
		return Card{}, core.ErrNotFound
	}
	// Rule 1, once more at the last moment: the address may have been taken
	// off, or the badge issued to another one, since this was queued.
	if !v.Owned {
		return goneCard(w, p.Account), nil
	}
	if !v.Badge.Stage.Claimable() {
		return c.stageCard(w, core.BadgeView{Badge: v.Badge}, p.Account), nil
	}
	return c.handoffCard(w, v)
}

func (c *Composer) badge(ctx context.Context, w Words, p core.Post) (Card, error) {
	v, err := c.Store.BadgeViewFor(ctx, p.Subject.ID, p.Account.MemberID)
	if err != nil {
		return Card{}, err
	}
	return c.badgeCard(ctx, w, v, p.Account)
}

func (c *Composer) verification(ctx context.Context, w Words, p core.Post) (Card, error) {
	v, err := c.Store.Verification(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	if v.Account.ID != p.Account.ID {
		return Card{}, core.ErrNotFound
	}
	card := c.verificationCard(w, v)
	if v.State != core.VerificationUsed {
		return card, nil
	}
	badges, err := c.Store.BadgesOf(ctx, v.Account.MemberID)
	if open := countOpen(badges); open > 0 {
		card.Text = Join(card.Text, Plain(""), w.Text("list.summary", Args{"Count": open}))
	}
	return card, err
}

func (c *Composer) joined(ctx context.Context, w Words, p core.Post) (Card, error) {
	a, err := c.Store.Account(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	if a.MemberID != p.Account.MemberID {
		return Card{}, core.ErrNotFound
	}
	name := a.DisplayName
	if name == "" {
		name = w.Plain("joined.unnamed", nil)
	}
	args := Args{"Platform": w.Plain("platform."+string(a.Identity.Platform), nil), "Name": name}
	return Card{
		Tone: ToneWarn, Title: w.Plain("joined.title", nil), Summary: w.Plain("joined.summary", args),
		Text: w.Text("joined.text", args),
	}, nil
}

// lifetime says how long a claim link lives, in minutes.
func (c *Composer) lifetime(w Words) string {
	return w.Plain("lifetime", Args{"Count": int(math.Ceil(c.TTL.Minutes()))})
}
