package chat

import (
	"context"
	"slices"

	"github.com/laurelbot/laurel/core"
)

// share offers the ways to show one badge by its id.
func (s *Service) share(ctx context.Context, w Words, a Action) (Answer, error) {
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
	return s.shareOne(w, v, *p.Account, Aside)
}

func (s *Service) shareOne(w Words, v core.BadgeView, a core.Account, where Where) (Answer, error) {
	var card Card
	var err error
	switch b := v.Badge; {
	case b.Stage == core.StageAccepted:
		card = s.Composer.publishCard(w, v, a)
	case b.Stage == core.StagePublic && b.BadgeURL != "" && s.Provider.TrustedURL(b.BadgeURL):
		card, err = s.Composer.shareCard(w, b, a)
	default:
		card = s.Composer.stageCard(w, v, a)
	}
	return Answer{Card: &card, Where: where}, err
}

// shareCommand shares the badge that is named, or the only one there is.
func (s *Service) shareCommand(ctx context.Context, w Words, a Action) (Answer, error) {
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	var badges []core.BadgeView
	if p.Account != nil {
		if badges, err = s.Store.BadgesOf(ctx, p.MemberID()); err != nil {
			return Answer{}, err
		}
	}
	var held []core.BadgeView
	for _, v := range badges {
		if v.Badge.Stage.Held() && (a.Arg == "" || matches(w, v.Badge, a.Arg)) {
			held = append(held, v)
		}
	}
	// What can be shown at once comes first.
	slices.SortStableFunc(held, func(x, y core.BadgeView) int { return rank(x) - rank(y) })
	switch {
	case a.Source == SourceComplete:
		return Answer{Choices: choices(w, held)}, nil
	case len(held) == 1:
		return s.shareOne(w, held[0], *p.Account, Here)
	case len(held) > 1:
		card := s.Composer.chooseCard(w, held, *p.Account)
		return Answer{Card: &card}, nil
	}
	card, err := s.overview(ctx, w, p, 1)
	return Answer{Card: &card}, err
}

func rank(v core.BadgeView) int {
	if v.Badge.Stage == core.StagePublic {
		return 0
	}
	return 1
}
