package chat

import (
	"context"
	"strconv"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// consentAllow is behind the button of somebody who may be asked again.
const consentAllow = "allow"

// consentID makes the id of a button of a question. It carries the numbers of
// the badges that the card lists, because nothing else is decided by it.
func consentID(choice core.Choice, question string, numbers []int) string {
	texts := make([]string, 0, len(numbers))
	for _, n := range numbers {
		texts = append(texts, strconv.Itoa(n))
	}
	return ID(VerbConsent, string(choice)+"."+question+"."+strings.Join(texts, "-"))
}

// parseConsent reads what [consentID] made.
func parseConsent(opaque string) (core.Decision, bool) {
	parts := strings.Split(opaque, ".")
	if len(parts) != 3 || parts[1] == "" {
		return core.Decision{}, false
	}
	d := core.Decision{Choice: core.Choice(parts[0]), Question: parts[1]}
	for text := range strings.SplitSeq(parts[2], "-") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return core.Decision{}, false
		}
		d.Numbers = append(d.Numbers, n)
	}
	switch d.Choice {
	case core.ChooseShare, core.ChooseLater, core.ChooseNever, core.ChooseBack:
		return d, true
	default:
		return core.Decision{}, false
	}
}

// consent takes the answer to a question in, or lets somebody be asked again.
func (s *Service) consent(ctx context.Context, w Words, a Action) (Answer, error) {
	celebrations := core.Celebrations{Store: s.Store, Clock: s.Clock, Provider: s.Provider}
	if a.Arg == consentAllow {
		if err := celebrations.Allow(ctx, a.Actor); err != nil {
			return Answer{}, err
		}
		return s.wish(ctx, w, a, func(*core.Wishes) {})
	}
	d, ok := parseConsent(a.Arg)
	if !ok {
		return s.help(w, a), nil
	}
	if _, err := s.person(ctx, a); err != nil {
		return Answer{}, err
	}
	return Answer{Posted: true}, celebrations.Decide(ctx, a.Actor, d, a.Reply)
}
