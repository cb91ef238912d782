package chat

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// share offers the ways to show one badge by its id.
func (s *Service) share(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Source == SourcePress && a.Arg == shareAny {
		a.Arg = ""
		answer, err := s.shareCommand(ctx, w, a)
		answer.Where = Aside
		return answer, err
	}
	if a.Source != SourcePress {
		return s.shareCommand(ctx, w, a)
	}
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if p.Account == nil {
		return Answer{}, core.ErrNotFound
	}
	v, err := s.Store.BadgeViewFor(ctx, a.Arg, p.MemberID())
	if err != nil {
		return Answer{}, err
	}
	return s.shareOne(ctx, w, v, *p.Account, Aside)
}

// Limits of reading a badge again while somebody waits for the answer: without
// webhooks it may be a day until it would be read by itself.
const (
	readAgainWithin = 3 * time.Second
	readAgainAfter  = 5 * time.Second
)

// current returns a private badge as the provider has it now; as it is known
// where the provider does not answer.
func (s *Service) current(ctx context.Context, v core.BadgeView, a core.Account) core.BadgeView {
	b := v.Badge
	if s.Observer == nil || b.Stage != core.StageAccepted || b.ProviderID == "" || s.Clock.Now().Sub(b.ReadAt) < readAgainAfter {
		return v
	}
	read, cancel := context.WithTimeout(ctx, readAgainWithin)
	defer cancel()
	if err := s.Observer.Read(read, b.ProviderID); err != nil {
		s.Log.WarnContext(ctx, "read badge to be shared", "err", err)
		return v
	}
	s.Wake()
	if now, err := s.Store.BadgeViewFor(ctx, b.ID, a.MemberID); err == nil {
		return now
	}
	return v
}

func (s *Service) shareOne(ctx context.Context, w Words, v core.BadgeView, a core.Account, where Where) (Answer, error) {
	var card Card
	var err error
	v = s.current(ctx, v, a)
	switch b := v.Badge; {
	case b.Stage == core.StageAccepted:
		card, err = s.Composer.publishCard(ctx, w, v, a)
	case b.Stage == core.StagePublic && b.BadgeURL != "" && s.Provider.TrustedURL(b.BadgeURL):
		card, err = s.Composer.showing(ctx, w, b, a)
	default:
		card, err = s.Composer.badgeCard(ctx, w, v, a)
	}
	return Answer{Card: &card, Where: where}, err
}

// shareCommand shares the badge that is named, or the only one there is.
func (s *Service) shareCommand(ctx context.Context, w Words, a Action) (Answer, error) {
	p, held, err := s.named(ctx, w, a, core.Stage.Held)
	if err != nil {
		return Answer{}, err
	}
	// What can be shown at once comes first.
	slices.SortStableFunc(held, func(x, y core.BadgeView) int { return rank(x) - rank(y) })
	switch {
	case a.Source == SourceComplete:
		return Answer{Choices: choices(w, held)}, nil
	case len(held) == 1:
		return s.shareOne(ctx, w, held[0], *p.Account, asideOfPress(a))
	case len(held) > 1:
		card := s.Composer.chooseCard(w, held, *p.Account)
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	card, err := s.overview(ctx, w, p, 1)
	return Answer{Card: &card, Where: asideOfPress(a)}, err
}

func rank(v core.BadgeView) int {
	if v.Badge.Stage == core.StagePublic {
		return 0
	}
	return 1
}
