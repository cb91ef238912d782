package chat

import (
	"context"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// named returns who acts, and those of their badges in such a stage that the
// command's argument names; without one all in such a stage.
func (s *Service) named(ctx context.Context, w Words, a Action, fits func(core.Stage) bool) (core.Person, []core.BadgeView, error) {
	p, err := s.person(ctx, a)
	if err != nil || p.Account == nil {
		return p, nil, err
	}
	badges, err := s.Store.BadgesOf(ctx, p.MemberID())
	if err != nil {
		return p, nil, err
	}
	var found []core.BadgeView
	for _, v := range badges {
		if fits(v.Badge.Stage) && (a.Arg == "" || matches(w, v.Badge, a.Arg)) {
			found = append(found, v)
		}
	}
	return p, found, nil
}

func matches(w Words, b core.Badge, text string) bool {
	return b.ID == text || strings.Contains(strings.ToLower(badgeName(w, b)), strings.ToLower(text))
}

// choices suggest badges while the argument is typed.
func choices(w Words, badges []core.BadgeView) []Choice {
	// Discord shows at most 25 choices of at most 100 characters
	// (https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure).
	const most, longest = 25, 100
	out := make([]Choice, 0, most)
	for _, b := range badges {
		if len(out) == most {
			break
		}
		out = append(out, Choice{Name: clip(badgeName(w, b.Badge), longest), Value: b.Badge.ID})
	}
	return out
}
