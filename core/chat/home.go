package chat

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// lingers is how long a home goes on showing the end of something, such as a
// link that nobody followed in time, before it shows everything again.
const lingers = 10 * time.Minute

// home shows everything at a glance: as an answer, or as the home of the
// person, which is followed from then on. Of somebody unknown who only looks
// nothing is stored.
func (s *Service) home(ctx context.Context, w Words, a Action) (Answer, error) {
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	where := Here
	if a.Source == SourcePress && !a.atHome() && a.Arg != ownerMark(a.Actor) {
		// It may be somebody else's message.
		where = Aside
	}
	if p.Account == nil {
		card := greetingCard(w, s.Provider.Name())
		return Answer{Card: &card, Where: where}, nil
	}
	if !a.atHome() {
		card, err := s.Composer.overview(ctx, w, *p.Account, false)
		return Answer{Card: &card, Where: where}, err
	}
	post := core.Post{
		ID: core.NewID(), Account: *p.Account, Place: a.Reply, Subject: core.Subject{Kind: core.SubjectHome, ID: p.Account.ID},
	}
	followed := false
	if a.Source == SourceOpen {
		// What it shows may be something that the person is in the midst of.
		homes, err := s.Store.HomesOf(ctx, p.MemberID())
		if err != nil {
			return Answer{}, err
		}
		i := slices.IndexFunc(homes, func(h core.Post) bool { return h.Account.ID == p.Account.ID })
		if i >= 0 && !strings.HasPrefix(homes[i].Subject.ID, elsewhere) {
			post, followed = homes[i], true
			if err := s.Store.RenewHome(ctx, post.ID, s.Clock.Now()); err != nil {
				return Answer{}, err
			}
		}
	}
	if !followed {
		// It is followed before it is read: what changes meanwhile is told.
		err := s.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
			_, err := tx.AddPost(ctx, post, s.Clock.Now())
			return err
		})
		if err != nil {
			return Answer{}, err
		}
	}
	post.Account.Locale = w.Lang()
	card, err := s.Composer.Compose(ctx, post)
	return Answer{Card: &card}, err
}

// atHome reports whether an action stands on the person's home.
func (a Action) atHome() bool { return a.MessageKey == core.HomeKey }

// keepHome has a home show what follows a press there, with the way back, and
// leaves it so for a while. What changes something is told to the home, and
// shows in everything at a glance: the delivery is the answer.
func (s *Service) keepHome(ctx context.Context, a Action, answer Answer) Answer {
	if !a.atHome() || answer.Card == nil || answer.Form != nil || len(answer.FieldErrors) > 0 || a.Verb == VerbHome {
		return answer
	}
	if a.changes() && answer.Card.Tone != ToneWarn {
		return Answer{Posted: true}
	}
	since := strconv.FormatInt(s.Clock.Now().Unix(), 10)
	s.showingHome(ctx, a, func(core.Account) core.Subject { return core.Subject{Kind: core.SubjectHome, ID: elsewhere + since} })
	card := atHome(s.words(ctx, a), *answer.Card)
	return Answer{Card: &card, Where: Here}
}

// elsewhere begins the id of a home's subject while the person looks at
// something else there; behind it stands since when, in Unix seconds.
const elsewhere = "elsewhere."

// looksElsewhere reports whether what a home shows is to be left as it is.
func looksElsewhere(s core.Subject, now time.Time) bool {
	since, found := strings.CutPrefix(s.ID, elsewhere)
	seconds, err := strconv.ParseInt(since, 10, 64)
	return s.Kind == core.SubjectHome && found && err == nil && now.Before(time.Unix(seconds, 0).Add(lingers))
}

// showingHome notes what the home of the actor shows from now on. Where that
// fails the home shows everything a little too soon, or a little too late.
func (s *Service) showingHome(ctx context.Context, a Action, subject func(core.Account) core.Subject) {
	p, err := s.Store.Person(ctx, a.Actor)
	if err == nil && p.Account != nil {
		err = s.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
			_, err := tx.AddPost(ctx, core.Post{
				ID: core.NewID(), Account: *p.Account, Place: a.Reply, Subject: subject(*p.Account),
			}, s.Clock.Now())
			return err
		})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "note what a home shows", "verb", a.Verb, "err", err)
	}
}

// changes reports whether an action changes what a home shows, and tells it.
func (a Action) changes() bool {
	switch a.Verb {
	case VerbSnooze, VerbStop, VerbResume, VerbUnlink, VerbShared:
		return true
	case VerbHours:
		return a.Source == SourceSubmit
	default:
		return false
	}
}

// atHome adds the way back to a card that a home shows for a while.
func atHome(w Words, c Card) Card {
	c.Buttons = append(slices.Clone(c.Buttons), homeButton(w))
	return c
}

// home makes the card of a home: what the person is in the midst of there,
// otherwise everything at a glance.
func (c *Composer) home(ctx context.Context, w Words, p core.Post) (Card, error) {
	if looksElsewhere(p.Subject, c.Clock.Now()) {
		return Card{}, ErrNothing
	}
	var midst *Card
	var news Text
	var err error
	switch p.Subject.Kind {
	case core.SubjectHandoff:
		midst, news, err = c.handoffAtHome(ctx, w, p)
	case core.SubjectVerification:
		midst, err = c.verificationAtHome(ctx, w, p)
	}
	switch {
	case err != nil && !errors.Is(err, core.ErrNotFound):
		return Card{}, err
	case err == nil && midst != nil:
		return atHome(w, *midst), nil
	}
	card, err := c.overview(ctx, w, p.Account, true)
	if len(news) > 0 {
		card.Text = Join(news, Plain(""), card.Text)
	}
	return card, err
}

// handoffAtHome is the card of a claim that was begun in a home and goes on or
// came to its end just now, or the good news that stand above everything else.
func (c *Composer) handoffAtHome(ctx context.Context, w Words, p core.Post) (*Card, Text, error) {
	v, err := c.Store.HandoffView(ctx, p.Subject.ID)
	if err != nil || !c.Clock.Now().Before(v.Handoff.ExpiresAt.Add(lingers)) {
		return nil, nil, err
	}
	mine := v.Owned && v.Handoff.MemberID == p.Account.MemberID
	switch {
	case mine && v.Badge.Stage.Held():
		return nil, w.Text("home.yours", c.badgeArgs(w, v.Badge)), nil
	case mine && !v.Badge.Stage.Claimable():
		return nil, nil, nil
	}
	card, err := c.handoffAs(w, p, v)
	return &card, nil, err
}

// verificationAtHome is the card of an address that is being proven, or nil.
func (c *Composer) verificationAtHome(ctx context.Context, w Words, p core.Post) (*Card, error) {
	v, err := c.Store.Verification(ctx, p.Subject.ID)
	if err != nil || v.Account.ID != p.Account.ID || v.State == core.VerificationUsed ||
		!c.Clock.Now().Before(v.ExpiresAt.Add(lingers)) {
		return nil, err
	}
	card := c.verificationCard(w, v)
	return &card, nil
}

// overview reads what a person's home shows, and makes its card.
func (c *Composer) overview(ctx context.Context, w Words, a core.Account, kept bool) (Card, error) {
	p, err := c.Store.Person(ctx, a.Identity)
	if err != nil {
		return Card{}, err
	}
	v := homeView{account: a, addresses: p.Addresses, kept: kept}
	if len(v.addresses) > 0 {
		if v.badges, err = c.Store.BadgesOf(ctx, p.MemberID()); err != nil {
			return Card{}, err
		}
		facts, err := c.Store.TaskFacts(ctx, p.MemberID())
		if err != nil {
			return Card{}, err
		}
		v.tasks = c.tasks(facts, "")
		if v.wishes, err = c.Store.WishesOf(ctx, a.Identity); err != nil {
			return Card{}, err
		}
	}
	return c.homeCard(w, v)
}

// homesOf returns where the homes of the actor's person stand, so that they
// can be emptied when the person is forgotten.
func (s *Service) homesOf(ctx context.Context, actor core.Identity) []core.Post {
	p, err := s.Store.Person(ctx, actor)
	if err != nil || p.Account == nil {
		return nil
	}
	homes, err := s.Store.HomesOf(ctx, p.MemberID())
	if err != nil {
		s.Log.WarnContext(ctx, "find homes of somebody to be forgotten", "err", err)
	}
	return homes
}

// emptyWithin bounds the emptying of homes.
const emptyWithin = 5 * time.Second

// empty has homes greet whoever opens them: the platform keeps what was shown
// there last. Where that fails they greet when they are opened.
func (s *Service) empty(ctx context.Context, homes []core.Post) {
	ctx, cancel := context.WithTimeout(ctx, emptyWithin)
	defer cancel()
	for _, h := range homes {
		m := s.Messengers[h.Account.Identity.Platform]
		if m == nil || h.Place.Ref == "" {
			continue
		}
		card := greetingCard(s.Catalog.For(h.Account.Locale), s.Provider.Name())
		if _, err := m.Show(ctx, h.Place, card, core.NewID()); err != nil {
			s.Log.WarnContext(ctx, "empty home", "class", core.ClassOf(err))
		}
	}
}
