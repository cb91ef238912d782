package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// IssueWithin is how long a granted badge may take to be issued after the
// press on Claim, before the person is told that it did not work.
const IssueWithin = 15 * time.Minute

// followedPoll is how soon a badge is read again after its link was followed.
const followedPoll = 15 * time.Second

// Claims opens handoffs.
type Claims struct {
	Store Store
	Clock Clock
	// TTL is how long a link may be followed.
	TTL time.Duration
	// Announce says that the body's own system is told of claims.
	Announce bool
	// Courier, if there is one, carries the cards of claims.
	Courier Courier
	// presses joins those on one button that come together.
	presses singleflight.Group
}

// ClaimResult is what a press on Claim led to.
type ClaimResult int

// Claim results.
const (
	// ClaimOpened: a new handoff; its card is on its way to the place.
	ClaimOpened ClaimResult = iota + 1
	// ClaimAlreadyOpen: the handoff that was opened before; its card is on its
	// way to the place as well.
	ClaimAlreadyOpen
	// ClaimNotOpen: the badge is no longer claimable; see the badge.
	ClaimNotOpen
)

// Claimed is what a press on Claim led to.
type Claimed struct {
	Result ClaimResult
	// Badge is set with ClaimNotOpen.
	Badge Badge
	// Parcel is the card to be carried, once the platform has acknowledged
	// the press; nil where it waits its turn.
	Parcel *Parcel
}

// Claim opens a handoff for the badge, or finds the one that is open. Its
// card is delivered to the given place. [ErrNotFound] when the badge is not
// the actor's or does not exist.
//
// Presses on the same button that come while one is worked on share what
// becomes of it, and the card in the one message that they all stand for. It
// only spares the store: the statement decides, here and on other replicas.
func (c *Claims) Claim(ctx context.Context, actor Identity, badgeID string, at Place) (Claimed, error) {
	if at.MessageKey == "" {
		return c.claim(ctx, actor, badgeID, at)
	}
	first := false
	button := strings.Join([]string{actor.Lane(), badgeID, at.MessageKey}, "\x00")
	got, err, _ := c.presses.Do(button, func() (any, error) {
		first = true
		return c.claim(ctx, actor, badgeID, at)
	})
	claimed, _ := got.(Claimed)
	if !first {
		claimed.Parcel = nil
		if claimed.Result == ClaimOpened {
			claimed.Result = ClaimAlreadyOpen
		}
	}
	return claimed, err
}

func (c *Claims) claim(ctx context.Context, actor Identity, badgeID string, at Place) (Claimed, error) {
	// What refused a try may be gone when it is looked at, and the other way
	// round: another press opened a handoff, or one was followed or ran out.
	const tries = 3
	for range tries {
		opening, err := c.open(ctx, actor, badgeID, at)
		if err == nil {
			claimed := Claimed{Result: ClaimAlreadyOpen, Parcel: opening.Parcel}
			if opening.Fresh {
				claimed.Result = ClaimOpened
			}
			return claimed, nil
		}
		if !errors.Is(err, ErrUnmet) {
			return Claimed{}, fmt.Errorf("claim badge: %w", err)
		}
		state, err := c.Store.ClaimState(ctx, actor, badgeID, c.Clock.Now())
		if err != nil {
			return Claimed{}, fmt.Errorf("explain refused claim: %w", err)
		}
		if !state.Badge.Stage.Claimable() {
			return Claimed{Result: ClaimNotOpen, Badge: state.Badge}, nil
		}
	}
	return Claimed{}, fmt.Errorf("claim badge: %w", ErrUnavailable)
}

func (c *Claims) open(ctx context.Context, actor Identity, badgeID string, at Place) (Opening, error) {
	now := c.Clock.Now()
	p := ClaimParams{
		Actor: actor, BadgeID: badgeID, HandoffID: NewID(), Now: now,
		ExpiresAt: now.Add(c.TTL), IssueBy: now.Add(IssueWithin),
		PostID: NewID(), Place: at, Announce: c.Announce, EventID: NewID(),
	}
	if c.Courier != nil {
		p.LeaseUntil = c.Courier.Lease(actor)
	}
	return c.Store.Claim(ctx, p)
}

// Passage is what the page behind a handoff link shows.
type Passage struct {
	Badge Badge
	State HandoffState
	// ExpiresAt is the end of an open handoff.
	ExpiresAt time.Time
	Locale    string
	// Provider is the provider's name.
	Provider string
}

// Passages lets a person through a handoff link to the provider.
type Passages struct {
	Store    Store
	Clock    Clock
	Keys     *Keys
	Provider Provider
	Observer *Observer
}

// readWithin is how long the provider may take to tell the present link
// before the last known one serves.
const readWithin = 4 * time.Second

// Look tells how a handoff stands without changing anything, so that a link
// scanner can do no harm. [ErrNotFound] for a forged or unknown token.
func (p *Passages) Look(ctx context.Context, token string) (Passage, error) {
	v, err := p.view(ctx, token)
	if err != nil {
		return Passage{}, err
	}
	return Passage{
		Badge: v.Badge, State: p.stateOf(v), ExpiresAt: v.Handoff.ExpiresAt,
		Locale: v.Locale, Provider: p.Provider.Name(),
	}, nil
}

// Follow consumes a handoff and returns the provider's link for accepting
// the badge. [ErrNotFound] for a forged or unknown token; [ErrGone] when the
// handoff was used before, ran out, or its badge needs no accepting any more;
// [ErrUnreachable] when there is no link to be had just now, with the handoff
// left open.
func (p *Passages) Follow(ctx context.Context, token string) (string, error) {
	v, err := p.view(ctx, token)
	if err != nil {
		return "", err
	}
	if p.stateOf(v) != HandoffOpen {
		return "", ErrGone
	}
	link, err := p.acceptLink(ctx, v.Badge)
	if err != nil {
		return "", err
	}
	now := p.Clock.Now()
	if err := p.Store.FollowHandoff(ctx, v.Handoff.ID, now, now.Add(followedPoll)); err != nil {
		return "", fmt.Errorf("follow handoff: %w", err)
	}
	return link, nil
}

func (p *Passages) view(ctx context.Context, token string) (HandoffView, error) {
	id, ok := p.Keys.ParseToken(PurposeHandoff, token)
	if !ok {
		return HandoffView{}, ErrNotFound
	}
	v, err := p.Store.HandoffView(ctx, id)
	if err != nil {
		return HandoffView{}, fmt.Errorf("find handoff: %w", err)
	}
	if !v.Owned {
		return HandoffView{}, ErrNotFound
	}
	return v, nil
}

func (p *Passages) stateOf(v HandoffView) HandoffState {
	if v.Badge.Stage.Held() {
		return HandoffCompleted
	}
	if v.Badge.Stage.Ended() {
		return HandoffFailed
	}
	return v.Handoff.StateAt(p.Clock.Now())
}

// acceptLink reads the badge again, because accept links may change, and
// falls back on the last known one where the provider does not answer.
func (p *Passages) acceptLink(ctx context.Context, b Badge) (string, error) {
	read, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	link := b.AcceptURL
	o, err := p.Provider.Get(read, b.ProviderID)
	if err == nil {
		if err := p.Observer.Apply(ctx, o); err != nil {
			return "", err
		}
		if o.Stage != StagePending && o.Stage != StageUnknown {
			return "", ErrGone
		}
		link = o.AcceptURL
	}
	if link == "" || !p.Provider.TrustedURL(link) {
		return "", ErrUnreachable
	}
	return link, nil
}
