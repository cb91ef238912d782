package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// askTogether is how long an unanswered question takes in further badges,
	// instead of another message. An edit rings no bell: after some days a new
	// message follows.
	askTogether = 6 * 24 * time.Hour
	// celebrateTogether is how long further badges join a celebration.
	celebrateTogether = time.Hour
	// celebrateUse is how long a badge that could not be shown is worth a
	// celebration when its team chooses a channel again.
	celebrateUse = 7 * 24 * time.Hour
	// movedBatch is how many of them are read at once.
	movedBatch = 100
	// celebrateMost is how many badges fit into one message on every platform.
	celebrateMost = 8
)

// ConsentState is what a person has decided about a badge.
type ConsentState string

// Consent states.
const (
	ConsentAsked    ConsentState = "asked"
	ConsentAgreed   ConsentState = "agreed"
	ConsentDeclined ConsentState = "declined"
)

// Consent is whether a team may know of a badge.
type Consent struct {
	Badge Badge
	// Question names the message in which the person was asked, and Number
	// the badge in it: a greater one for each that the person is asked about.
	Question string
	Number   int
	State    ConsentState
	// Person is the account that was asked, by whose name the person is
	// celebrated; Channel is the one that shows the badge, or, while none
	// does, the one that the team has chosen by now, or had chosen then.
	Person, Channel Account
	// Batch is the celebration that shows the badge, or empty.
	Batch string
	// Owned says that the badge was issued to an address that the person has
	// verified.
	Owned bool
	// Chosen says that a team still celebrates in the channel.
	Chosen bool
	// NeverAsk says that the person does not want to be asked again.
	NeverAsk bool
}

// Shows reports whether the team may see the badge: there is consent, and a
// public page to link to.
func (c Consent) Shows(p Provider) bool {
	return c.State == ConsentAgreed && c.Owned && HasPage(p, c.Badge)
}

// HasPage reports whether everybody can see the badge at the provider.
func HasPage(p Provider, b Badge) bool {
	return b.Stage == StagePublic && b.BadgeURL != "" && p.TrustedURL(b.BadgeURL)
}

// CelebrateStore reads what people agreed to.
type CelebrateStore interface {
	// Consents returns those of a question, by their number; none for an
	// unknown one.
	Consents(ctx context.Context, question string) ([]Consent, error)
	// Celebrated returns those of a batch, those asked about first in front.
	Celebrated(ctx context.Context, batch string) ([]Consent, error)
	// Unshown returns up to limit badges after one, in the order of their
	// ids, that no channel shows though their owners, asked in a channel of
	// the team, did not decline; those about which somebody was asked, or
	// which came into their stage, after since.
	Unshown(ctx context.Context, team string, since time.Time, after string, limit int) (badges []string, err error)
}

// Asked is the question that a badge was added to.
type Asked struct {
	Question string
	// PostID is the message of the question, empty for a new one.
	PostID string
}

// CelebrateTx is what asking and celebrating change. Of the locks that come
// with it badges are first, then persons, channels, the lanes of channels,
// and the lanes of persons.
type CelebrateTx interface {
	CelebrateStore
	// LockBadges locks badges in one order for all.
	LockBadges(ctx context.Context, ids ...string) error
	// Consent returns that of a badge, or [ErrNotFound].
	Consent(ctx context.Context, badgeID string) (Consent, error)
	// Ask adds a badge to the open question of an account, or to a new one:
	// open is one younger than since of which something is unanswered and
	// whose message can be edited. [ErrUnmet] when the team celebrates
	// nowhere, the person does not want to be asked, or was asked before.
	Ask(ctx context.Context, badgeID, accountID string, since, now time.Time) (Asked, error)
	// SetConsent stores a decision about a badge.
	SetConsent(ctx context.Context, badgeID string, to ConsentState) error
	// SetNeverAsk stores whether the actor's member may be asked. Where it may
	// not, everything unanswered is declined; the questions are returned.
	// [ErrNotFound] for somebody unknown.
	SetNeverAsk(ctx context.Context, actor Identity, never bool) (questions []string, err error)
	// LatestBatch returns the newest batch of a channel with its post, if it
	// is younger than since and has fewer badges than most; otherwise
	// [ErrNotFound]. The caller has locked the channel's member.
	LatestBatch(ctx context.Context, channelID string, since time.Time, most int) (batch, postID string, err error)
	// SetBatch says which batch shows a badge, and in which channel; empty for
	// none.
	SetBatch(ctx context.Context, badgeID, batch, channelID string) error
}

// celebrate asks the owner of a badge that was accepted just now, and has the
// team see what has changed of a badge that it may know of.
func (o *Observer) celebrate(ctx context.Context, tx Tx, c Change, now time.Time) error {
	before, after := c.Before.Stage, c.After.Stage
	if !before.Held() && !after.Held() {
		return nil
	}
	if after.Held() && !before.Held() {
		if asked, err := ask(ctx, tx, c.After, c.New, now); err != nil || asked {
			return err
		}
	}
	consent, err := tx.Consent(ctx, c.After.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := settle(ctx, tx, o.Provider, consent, now); err != nil {
		return err
	}
	// A question that was not shown, because its badge was lost before, is to
	// be shown now.
	again := consent.State == ConsentAsked && after.Held() && !before.Held()
	return tx.TellSubject(ctx, Subject{Kind: SubjectConsent, ID: consent.Question}, again, now)
}

// ask asks the owner of a badge, where they were last seen, whether the team
// may know. It reports whether it did. A fresh badge is one that was never
// seen before: it may have been accepted automatically.
func ask(ctx context.Context, tx Tx, b Badge, fresh bool, now time.Time) (bool, error) {
	owner, err := tx.AddressOwner(ctx, b.Recipient.Normal)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if fresh && b.ProviderTime.Before(owner.VerifiedAt) {
		// What was so before anybody was there is no news.
		return false, nil
	}
	// The lock orders badges that are accepted at once: they make one
	// question.
	locked, err := tx.LockMembers(ctx, owner.MemberID)
	if err != nil {
		return false, err
	}
	if len(locked) == 0 {
		// It joined somebody else since it was read: begin again.
		return false, ErrUnavailable
	}
	accounts, err := tx.AccountsOf(ctx, owner.MemberID)
	if err != nil || len(accounts) == 0 {
		return false, err
	}
	asked, err := tx.Ask(ctx, b.ID, accounts[0].ID, now.Add(-askTogether), now)
	if errors.Is(err, ErrUnmet) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if asked.PostID == "" {
		asked.PostID, err = tx.AddPost(ctx, Post{
			ID: NewID(), Account: accounts[0], Subject: Subject{Kind: SubjectConsent, ID: asked.Question},
		}, now)
		if err != nil {
			return false, err
		}
	}
	if err := tx.Tell(ctx, asked.PostID, true, now); err != nil {
		return false, err
	}
	return true, tx.Audit(ctx, "", "celebration.asked", b.ID, now)
}

// settle has the channel show a badge, or no longer. The badge is locked.
func settle(ctx context.Context, tx Tx, p Provider, c Consent, now time.Time) error {
	shows := c.Shows(p)
	switch {
	case shows && c.Batch == "" && c.Chosen:
		return join(ctx, tx, c, now)
	case c.Batch == "":
		return nil
	case !shows:
		if err := tx.SetBatch(ctx, c.Badge.ID, "", ""); err != nil {
			return err
		}
		if err := tx.Audit(ctx, "", "celebration.taken_back", c.Badge.ID, now); err != nil {
			return err
		}
	}
	// What somebody deleted or what can no longer be edited does not come
	// again for that.
	return tx.TellSubject(ctx, Subject{Kind: SubjectCelebration, ID: c.Batch}, false, now)
}

// join adds a badge to the celebration of the last hour, or begins another.
func join(ctx context.Context, tx Tx, c Consent, now time.Time) error {
	// The lock orders those who come at once: they share one message.
	locked, err := tx.LockMembers(ctx, c.Channel.MemberID)
	if err != nil || len(locked) == 0 {
		return err
	}
	batch, post, err := tx.LatestBatch(ctx, c.Channel.ID, now.Add(-celebrateTogether), celebrateMost)
	if errors.Is(err, ErrNotFound) {
		batch = NewID()
		post, err = tx.AddPost(ctx, Post{
			ID: NewID(), Account: c.Channel, Subject: Subject{Kind: SubjectCelebration, ID: batch},
		}, now)
	}
	if err != nil {
		return err
	}
	if err := tx.SetBatch(ctx, c.Badge.ID, batch, c.Channel.ID); err != nil {
		return err
	}
	if err := tx.Tell(ctx, post, true, now); err != nil {
		return err
	}
	return tx.Audit(ctx, "", "celebration.shown", c.Badge.ID, now)
}

// Choice is what a person chose of a question.
type Choice string

// Choices.
const (
	// ChooseShare: the team may know of what was asked about, or of what was
	// declined where nothing is unanswered.
	ChooseShare Choice = "share"
	// ChooseLater: not of this.
	ChooseLater Choice = "later"
	// ChooseNever: not of this, and do not ask again.
	ChooseNever Choice = "never"
	// ChooseBack: what was shared is taken back.
	ChooseBack Choice = "back"
)

// Decision is an answer to a question.
type Decision struct {
	Choice   Choice
	Question string
	// Numbers are those of the badges that the person saw in it: nothing else
	// is decided, but for what is taken back.
	Numbers []int
}

// changes returns what a decision makes of consents, and of which.
func (d Decision) changes(all []Consent) (to ConsentState, changed []Consent) {
	is := func(state ConsentState) func(Consent) bool {
		return func(c Consent) bool { return c.State == state && c.Owned && slices.Contains(d.Numbers, c.Number) }
	}
	var which func(Consent) bool
	switch d.Choice {
	case ChooseShare:
		to, which = ConsentAgreed, is(ConsentAsked)
		if !slices.ContainsFunc(all, which) {
			which = is(ConsentDeclined)
		}
	case ChooseBack:
		to, which = ConsentDeclined, func(c Consent) bool { return c.State == ConsentAgreed }
	default:
		to, which = ConsentDeclined, is(ConsentAsked)
	}
	for _, c := range all {
		if which(c) {
			changed = append(changed, c)
		}
	}
	return to, changed
}

// Celebrations lets people decide what their team may know (rule 7).
type Celebrations struct {
	Store    Store
	Clock    Clock
	Provider Provider
}

// Decide stores the answer to a question, and what follows from it; the card
// about it is delivered to the given place. [ErrNotFound] when it was not the
// actor who was asked.
func (s *Celebrations) Decide(ctx context.Context, actor Identity, d Decision, at Place) error {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error { return s.decide(ctx, tx, actor, d, at) })
	if err != nil {
		return fmt.Errorf("decide about a celebration: %w", err)
	}
	return nil
}

func (s *Celebrations) decide(ctx context.Context, tx Tx, actor Identity, d Decision, at Place) error {
	now := s.Clock.Now()
	all, err := s.lock(ctx, tx, actor, d.Question)
	if err != nil {
		return err
	}
	to, changed := d.changes(all)
	for _, c := range changed {
		if err := tx.SetConsent(ctx, c.Badge.ID, to); err != nil {
			return err
		}
		c.State = to
		if err := settle(ctx, tx, s.Provider, c, now); err != nil {
			return err
		}
	}
	var others []string
	if d.Choice == ChooseNever {
		if others, err = tx.SetNeverAsk(ctx, actor, true); err != nil {
			return err
		}
	}
	if at.Ref != "" {
		post, err := tx.AddPost(ctx, Post{
			ID: NewID(), Account: all[0].Person, Place: at, Subject: Subject{Kind: SubjectConsent, ID: d.Question},
		}, now)
		if err != nil {
			return err
		}
		if err := tx.Tell(ctx, post, true, now); err != nil {
			return err
		}
	}
	for _, question := range append(others, d.Question) {
		if err := tx.TellSubject(ctx, Subject{Kind: SubjectConsent, ID: question}, false, now); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, all[0].Person.MemberID, "celebration."+string(d.Choice), d.Question, now)
}

// lock returns the consents of a question of the actor, as they are with their
// badges locked: neither what the provider says of these nor whose they are
// changes meanwhile.
func (s *Celebrations) lock(ctx context.Context, tx Tx, actor Identity, question string) ([]Consent, error) {
	all, err := tx.Consents(ctx, question)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].Person.Identity != actor {
		return nil, ErrNotFound
	}
	badges := make([]string, 0, len(all))
	for _, c := range all {
		badges = append(badges, c.Badge.ID)
	}
	if err := tx.LockBadges(ctx, badges...); err != nil {
		return nil, err
	}
	all, err = tx.Consents(ctx, question)
	if err != nil {
		return nil, err
	}
	// What was added since is not locked, and nobody has seen it.
	all = slices.DeleteFunc(all, func(c Consent) bool { return !slices.Contains(badges, c.Badge.ID) })
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return all, nil
}

// Allow lets the actor be asked again. [ErrNotFound] for somebody unknown.
func (s *Celebrations) Allow(ctx context.Context, actor Identity) error {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.SetNeverAsk(ctx, actor, false); err != nil {
			return err
		}
		known, err := tx.EnsureAccount(ctx, Account{Identity: actor}, s.Clock.Now())
		if err != nil {
			return err
		}
		return tx.Audit(ctx, known.MemberID, "celebration.allowed", "", s.Clock.Now())
	})
	if err != nil {
		return fmt.Errorf("allow questions: %w", err)
	}
	return nil
}

// Moved has a team's badges looked at again whose owners were asked and that
// no channel shows, because the team celebrates in another channel from now
// on: what waited for one is shown there, unless that comes too late to be of
// use, and questions name it. It may be repeated.
func (s *Celebrations) Moved(ctx context.Context, team string) error {
	since := s.Clock.Now().Add(-celebrateUse)
	for after := ""; ; {
		badges, err := s.Store.Unshown(ctx, team, since, after, movedBatch)
		if err != nil {
			return fmt.Errorf("find badges to celebrate: %w", err)
		}
		for _, id := range badges {
			err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error { return s.moved(ctx, tx, id) })
			if err != nil {
				return fmt.Errorf("celebrate in another channel: %w", err)
			}
			after = id
		}
		if len(badges) < movedBatch {
			return nil
		}
	}
}

func (s *Celebrations) moved(ctx context.Context, tx Tx, badgeID string) error {
	if err := tx.LockBadges(ctx, badgeID); err != nil {
		return err
	}
	c, err := tx.Consent(ctx, badgeID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	if err := settle(ctx, tx, s.Provider, c, now); err != nil {
		return err
	}
	return tx.TellSubject(ctx, Subject{Kind: SubjectConsent, ID: c.Question}, false, now)
}
