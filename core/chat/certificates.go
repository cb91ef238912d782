package chat

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// certificates shows a person what they earned, with the way to the page.
func (s *Service) certificates(ctx context.Context, w Words, a Action) (Answer, error) {
	page, where := 1, Here
	if a.Source == SourcePress {
		wanted, owner := parsePage(a.Arg)
		if n, err := strconv.Atoi(wanted); err == nil {
			page = n
		}
		if owner != ownerMark(a.Actor) {
			page, where = 1, Aside
		}
	}
	return s.keptCard(ctx, w, a, page, where)
}

func (s *Service) keptCard(ctx context.Context, w Words, a Action, page int, where Where) (Answer, error) {
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if p.Account == nil || len(p.Addresses) == 0 {
		card := greetingCard(w, s.Provider.Name())
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	if where == Here && a.MessageKey != "" {
		if err := s.Store.ForgetPost(ctx, a.Actor, a.MessageKey); err != nil {
			return Answer{}, err
		}
	}
	kept, err := s.Certificates.Of(ctx, p.MemberID())
	if err != nil {
		return Answer{}, err
	}
	card := s.Composer.certificatesCard(w, kept, a.Actor, page)
	return Answer{Card: &card, Where: where}, nil
}

// elsewhere switches the listing of badges from elsewhere. Only the button of
// the person's own card does.
func (s *Service) elsewhere(ctx context.Context, w Words, a Action) (Answer, error) {
	wanted, owner, _ := strings.Cut(a.Arg, ".")
	if owner != ownerMark(a.Actor) || wanted != "on" && wanted != "off" {
		return Answer{}, core.ErrNotFound
	}
	if err := s.Store.ListElsewhere(ctx, a.Actor, wanted == "on", s.Clock.Now()); err != nil {
		return Answer{}, err
	}
	return s.keptCard(ctx, w, a, 1, Here)
}

// endLinks ends every link to a person's certificates.
func (s *Service) endLinks(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Arg != ownerMark(a.Actor) {
		return Answer{}, core.ErrNotFound
	}
	if a.MessageKey != "" {
		if err := s.Store.ForgetPost(ctx, a.Actor, a.MessageKey); err != nil && !errors.Is(err, core.ErrNotFound) {
			return Answer{}, err
		}
	}
	if err := s.Store.EndCertificateLinks(ctx, a.Actor, s.Clock.Now()); err != nil {
		return Answer{}, err
	}
	card := Card{
		Tone: ToneGood, Title: w.Plain("certificates.ended.title", nil), Summary: w.Plain("certificates.ended.title", nil),
		Text: w.Text("certificates.ended.text", nil),
		Buttons: []Button{
			certificatesButton(w, a.Actor), {ID: pageID(a.Actor, "new"), Label: w.Plain("button.my_badges", nil)},
		},
	}
	return Answer{Card: &card, Where: Here}, nil
}
