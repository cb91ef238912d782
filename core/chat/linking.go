package chat

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/laurelbot/laurel/core"
)

func (s *Service) emails(ctx context.Context, w Words, a Action) (Answer, error) {
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	card := greetingCard(w, s.Provider.Name())
	if p.Account != nil && len(p.Addresses) > 0 {
		card = emailsCard(w, p, s.Provider.Name())
	}
	return Answer{Card: &card, Where: asideOfPress(a)}, nil
}

// link asks for an address, or mails a code to the one that was given.
func (s *Service) link(ctx context.Context, w Words, a Action) (Answer, error) {
	typed := a.Arg
	switch {
	case a.Source == SourceSubmit:
		typed = a.Fields[fieldAddress]
	case a.Source == SourcePress || typed == "":
		return Answer{Form: linkForm(w)}, nil
	}
	email, err := core.ParseEmail(typed)
	if err != nil {
		card := Card{
			Tone: ToneWarn, Title: w.Plain("trouble.address.title", nil), Summary: w.Plain("trouble.address.title", nil),
			Text: w.Text("trouble.address.text", nil),
			Buttons: []Button{
				{ID: ID(VerbLink, "start"), Label: w.Plain("button.try_again", nil), Style: StylePrimary},
			},
		}
		return Answer{
			Card: &card, Where: Aside,
			FieldErrors: map[string]string{fieldAddress: w.Plain("trouble.address.text", nil)},
		}, nil
	}
	return s.startLink(ctx, a, email)
}

func (s *Service) startLink(ctx context.Context, a Action, email core.Email) (Answer, error) {
	_, err := s.Links.Start(ctx, core.LinkRequest{
		Account: s.account(a), Workspace: a.Workspace, Email: email, At: a.Reply,
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Posted: true}, nil
}

// ownVerification returns a verification only to the account that asked.
func (s *Service) ownVerification(ctx context.Context, a Action) (core.Verification, error) {
	v, err := s.Store.Verification(ctx, a.Arg)
	if err != nil {
		return v, err
	}
	if v.Account.Identity != a.Actor {
		return v, core.ErrNotFound
	}
	return v, nil
}

// code opens the form for a code, or checks the one that was entered.
func (s *Service) code(ctx context.Context, w Words, a Action) (Answer, error) {
	v, err := s.ownVerification(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if a.Source == SourcePress {
		if v.Dead(s.Clock.Now()) {
			card := s.Composer.verificationCard(w, v)
			return Answer{Card: &card}, nil
		}
		return Answer{Form: codeForm(w, v.ID)}, nil
	}
	if err := s.follow(ctx, a, v); err != nil {
		return Answer{}, err
	}
	_, err = s.Links.EnterCode(ctx, a.Actor, v.ID, digits(a.Fields[fieldCode]))
	var wrong *core.WrongCodeError
	switch {
	case errors.As(err, &wrong) && wrong.Left == 0:
		v.State = core.VerificationExhausted
		card := s.Composer.verificationCard(w, v)
		return Answer{Card: &card}, nil
	case errors.As(err, &wrong):
		return wrongCode(w, v, wrong.Left), nil
	case errors.Is(err, core.ErrGone):
		// The state was read before the try was taken: what is shown must be
		// what made the try fail.
		if v, err = s.ownVerification(ctx, a); err != nil {
			return Answer{}, err
		}
		card := s.Composer.verificationCard(w, v)
		return Answer{Card: &card}, nil
	case err != nil:
		return Answer{}, err
	}
	return Answer{Posted: true}, nil
}

// follow makes the message in which the code was entered the one that shows
// what comes of it.
func (s *Service) follow(ctx context.Context, a Action, v core.Verification) error {
	if a.Reply.Ref == "" {
		return nil
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
		_, err := tx.AddPost(ctx, core.Post{
			ID: core.NewID(), Account: v.Account, Place: a.Reply,
			Subject: core.Subject{Kind: core.SubjectVerification, ID: v.ID},
		}, s.Clock.Now())
		return err
	})
}

func wrongCode(w Words, v core.Verification, left int) Answer {
	text := w.Text("trouble.code.text", Args{"Count": left})
	card := Card{
		Tone: ToneWarn, Title: w.Plain("trouble.code.title", nil), Summary: w.Plain("trouble.code.title", nil), Text: text,
		Buttons: []Button{
			{ID: ID(VerbCode, v.ID), Label: w.Plain("button.enter_code", nil), Style: StylePrimary},
			{ID: ID(VerbResend, v.ID), Label: w.Plain("button.new_code", nil)},
		},
	}
	return Answer{Card: &card, Where: Aside, FieldErrors: map[string]string{fieldCode: text.String()}}
}

// digits keeps the digits of what was typed, so that a code may be entered
// with spaces, and digits of other scripts count.
func digits(typed string) string {
	var b strings.Builder
	for _, r := range typed {
		if unicode.IsDigit(r) {
			b.WriteRune('0' + digitValue(r))
		}
	}
	return b.String()
}

// digitValue is the value of a decimal digit: Unicode keeps the ten digits
// of a script together, beginning with zero.
func digitValue(r rune) rune {
	zero := r
	for i := 0; i < 9 && unicode.IsDigit(zero-1); i++ {
		zero--
	}
	return (r - zero) % 10
}

func (s *Service) resend(ctx context.Context, _ Words, a Action) (Answer, error) {
	v, err := s.ownVerification(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	return s.startLink(ctx, a, v.Email)
}

func (s *Service) unlink(ctx context.Context, w Words, a Action) (Answer, error) {
	removed, err := s.Links.Unlink(ctx, a.Actor, a.Arg)
	if err != nil {
		return Answer{}, err
	}
	p, err := s.Store.Person(ctx, a.Actor)
	if err != nil {
		return Answer{}, err
	}
	card := greetingCard(w, s.Provider.Name())
	if p.Account != nil && len(p.Addresses) > 0 {
		card = emailsCard(w, p, s.Provider.Name())
	}
	card.Text = Join(w.Text("emails.removed", Args{"Address": Code(removed.Email.Shown)}), Plain(""), card.Text)
	return Answer{Card: &card}, nil
}
