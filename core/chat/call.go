package chat

import (
	"context"
	"errors"
	"strconv"

	"github.com/laurelbot/laurel/core"
)

// callsPerPage is how many calls a list shows at once.
const callsPerPage = 5

// announce is everything about calls to claim that is for managers only.
func (s *Service) announce(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Team == "" {
		return forTeams(w, a), nil
	}
	if !s.manages(a) {
		return forManagers(w, a), nil
	}
	switch a.Verb {
	case VerbCall:
		return s.showCall(ctx, w, a)
	case VerbCallForm:
		return s.editCall(ctx, w, a)
	case VerbCallPost:
		return s.postCall(ctx, w, a)
	case VerbCallDrop:
		if err := s.Store.DropCallDraft(ctx, a.Arg, a.Team); err != nil {
			return Answer{}, err
		}
		return s.listCalls(ctx, w, a, 1)
	case VerbCallEnd:
		return s.endCall(ctx, w, a)
	default:
		page, err := strconv.Atoi(a.Arg)
		if err != nil {
			page = 1
		}
		return s.listCalls(ctx, w, a, page)
	}
}

func (s *Service) listCalls(ctx context.Context, w Words, a Action, page int) (Answer, error) {
	page = min(max(page, 1), 1000)
	calls, err := s.Store.CallsOf(ctx, a.Team, (page-1)*callsPerPage, callsPerPage+1)
	if err != nil {
		return Answer{}, err
	}
	card := callsCard(w, calls, page)
	return Answer{Card: &card}, nil
}

func (s *Service) showCall(ctx context.Context, w Words, a Action) (Answer, error) {
	v, err := s.Store.CallViewOf(ctx, a.Arg, a.Team)
	if err != nil {
		return Answer{}, err
	}
	card := s.Composer.managedCall(w, v)
	return Answer{Card: &card}, nil
}

// who is how the actor is named in the audit.
func (s *Service) who(ctx context.Context, a Action) (string, error) {
	p, err := s.person(ctx, a)
	return p.MemberID(), err
}

func (s *Service) endCall(ctx context.Context, w Words, a Action) (Answer, error) {
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if _, err := s.Calls.End(ctx, who, a.Team, a.Arg); err != nil {
		return Answer{}, err
	}
	s.Wake()
	return s.showCall(ctx, w, a)
}

// postCall makes the call of a draft. What was right when it was entered is
// looked at again: time has passed since.
func (s *Service) postCall(ctx context.Context, w Words, a Action) (Answer, error) {
	d, err := s.Store.CallDraft(ctx, a.Arg)
	if err == nil && d.Team != a.Team {
		err = core.ErrNotFound
	}
	if errors.Is(err, core.ErrNotFound) {
		return callUsedUp(w), nil
	}
	if err != nil {
		return Answer{}, err
	}
	entered, err := s.readCall(ctx, w, a, d, core.CallScheduled)
	if err != nil {
		return Answer{}, err
	}
	if len(entered.wrong) > 0 {
		return Answer{Card: refusedCall(w, d, entered)}, nil
	}
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	made, err := s.Calls.Publish(ctx, who, d.ID, entered.call, entered.at, entered.call.Cron)
	if errors.Is(err, core.ErrGone) {
		return callUsedUp(w), nil
	}
	if err != nil {
		return Answer{}, err
	}
	s.Wake()
	card := s.Composer.managedCall(w, core.CallView{Call: made})
	card.Tone = ToneGood
	return Answer{Card: &card}, nil
}

// callUsedUp answers a second press on a preview.
func callUsedUp(w Words) Answer {
	return Answer{Card: &Card{
		Title: w.Plain("call.used.title", nil), Summary: w.Plain("call.used.title", nil), Text: w.Text("call.used.text", nil),
		Buttons: []Button{allCalls(w)},
	}}
}

// called begins the journey of somebody who answers a call, which nobody else
// sees: their own badges of the call, or a friendly word.
func (s *Service) called(ctx context.Context, w Words, a Action) (Answer, error) {
	c, err := s.Store.Call(ctx, a.Arg)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return Answer{}, err
	}
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if p.Account == nil || len(p.Addresses) == 0 {
		card := greetingCard(w, s.Provider.Name())
		return Answer{Card: &card, Where: Aside}, nil
	}
	badges, err := s.Store.BadgesOf(ctx, p.MemberID())
	if err != nil {
		return Answer{}, err
	}
	var open []core.BadgeView
	held := false
	for _, b := range badges {
		if !c.About(b.Badge.Template.ID) {
			continue
		}
		held = held || b.Badge.Stage.Held()
		if b.Badge.Stage.Claimable() {
			open = append(open, b)
		}
	}
	card := nothingToClaim(w, p, held)
	if len(open) > 0 {
		card = listCard(w, p, open, 1, s.Clock.Now())
	}
	return Answer{Card: &card, Where: Aside}, nil
}
