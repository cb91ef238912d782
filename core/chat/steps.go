package chat

import (
	"context"
	"errors"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// What the buttons of steps do, see [stepID].
const (
	// stepShow shows the steps, beside the pressed message.
	stepShow = "show"
	// stepLook looks at the provider again.
	stepLook = "look"
	stepDone = "done"
	stepSkip = "skip"
	stepUndo = "undo"
)

// stepID makes the id of a button that says something of a task. The card it
// stands on is about one badge, or about all where that is empty.
func stepID(what string, ref core.TaskRef, about string) string {
	scope := ref.Scope
	if ref.Kind == core.TaskAuto {
		// A person has it once, and the issuer's id may be of any length.
		scope = ""
	}
	return ID(VerbSteps, strings.Join([]string{what, string(ref.Kind), scope, about}, "."))
}

// stepsID makes the id of a button that shows the steps.
func stepsID(about string) string { return ID(VerbSteps, stepShow+"."+about) }

// pressedStep is what a button of steps asks for.
type pressedStep struct {
	what string
	// word is what is said, or which task it is about.
	word  core.Word
	about string
}

// parseStep reads what [stepID] and [stepsID] made.
func parseStep(opaque string) (pressedStep, bool) {
	parts := strings.Split(opaque, ".")
	p := pressedStep{what: parts[0], about: parts[len(parts)-1]}
	if len(parts) == 2 {
		return p, p.what == stepShow
	}
	says := map[string]core.Saying{stepLook: "", stepDone: core.SaidDone, stepSkip: core.SaidSkipped, stepUndo: ""}
	what, known := says[p.what]
	if len(parts) != 4 || !known {
		return pressedStep{}, false
	}
	p.word = core.Word{Kind: core.TaskKind(parts[1]), Scope: parts[2], What: what}
	return p, true
}

// steps shows what follows the acceptance of badges, and takes in what
// somebody says of it.
func (s *Service) steps(ctx context.Context, w Words, a Action) (Answer, error) {
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if a.Source != SourcePress {
		return s.stepsCommand(ctx, w, a, p)
	}
	pressed, ok := parseStep(a.Arg)
	if !ok {
		return s.help(w, a), nil
	}
	if p.Account == nil {
		return Answer{}, core.ErrNotFound
	}
	activation := core.Activation{Store: s.Store, Clock: s.Clock, Provider: s.Provider}
	switch pressed.what {
	case stepShow:
		if a.atHome() {
			return s.stepsAtHome(ctx, w, pressed.about, *p.Account)
		}
		at := a.Aside
		if at.Ref == "" {
			at = a.Reply
		}
		return Answer{Posted: true}, activation.Show(ctx, a.Actor, pressed.about, at)
	case stepLook:
		v, err := s.Store.BadgeViewFor(ctx, pressed.word.Scope, p.MemberID())
		if err != nil {
			return Answer{}, err
		}
		if v = s.current(ctx, v, *p.Account); v.Badge.Stage == core.StageAccepted {
			card := s.Composer.stillPrivateCard(w, v.Badge, pressed.about)
			return Answer{Card: &card, Where: Aside}, nil
		}
		return Answer{Posted: true}, activation.Show(ctx, a.Actor, pressed.about, a.Reply)
	default:
		return Answer{Posted: true}, activation.Say(ctx, a.Actor, pressed.word, pressed.about, a.Reply)
	}
}

// stepsAtHome shows the steps where the button was pressed: a home has room for
// what somebody wants to read, and nothing beside it.
func (s *Service) stepsAtHome(ctx context.Context, w Words, about string, who core.Account) (Answer, error) {
	post := core.Post{Account: who, Subject: core.Subject{Kind: core.SubjectBadge, ID: about}}
	show := s.Composer.badge
	if about == "" {
		show = s.Composer.allSteps
	}
	card, err := show(ctx, w, post)
	return Answer{Card: &card}, err
}

// stepsCommand shows the steps for all badges, and the list to who holds none.
func (s *Service) stepsCommand(ctx context.Context, w Words, a Action, p core.Person) (Answer, error) {
	if p.Account != nil {
		activation := core.Activation{Store: s.Store, Clock: s.Clock, Provider: s.Provider}
		err := activation.Show(ctx, a.Actor, "", a.Reply)
		if !errors.Is(err, core.ErrNotFound) {
			return Answer{Posted: true}, err
		}
	}
	card, err := s.overview(ctx, w, p, 1)
	return Answer{Card: &card}, err
}
