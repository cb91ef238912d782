package chat

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Names of the fields of the form for a call.
const (
	fieldTemplates = "templates"
	fieldChannel   = "channel"
	fieldWords     = "words"
	fieldPicture   = "picture"
	fieldWhen      = "when"
)

// What the opaque part of the form's id begins with: a draft, or a call that
// is changed.
const (
	draftArg = "d."
	callArg  = "c."
)

// maxTemplates is how many options a menu has on every platform, see
// [Field.Options].
const maxTemplates = 25

// editCall opens the form for a call, or looks at what was entered and shows
// what will become of it.
func (s *Service) editCall(ctx context.Context, w Words, a Action) (Answer, error) {
	d, state, err := s.callDraft(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if state != core.CallScheduled && state != core.CallOpen {
		a.Arg = d.CallID
		return s.showCall(ctx, w, a)
	}
	if a.Source != SourceSubmit {
		form, err := s.callForm(ctx, w, d, state)
		return Answer{Form: form}, err
	}
	d.Fields = map[string]string{}
	for _, name := range []string{fieldTemplates, fieldChannel, fieldWords, fieldPicture, fieldWhen} {
		d.Fields[name] = clip(a.Fields[name], 2*core.MaxCallWords)
	}
	entered, err := s.readCall(ctx, w, a, d, state)
	if err != nil {
		return Answer{}, err
	}
	// What was refused is kept as well, so that it need not be typed again.
	if err := s.Store.SaveCallDraft(ctx, d, s.Clock.Now()); err != nil {
		return Answer{}, err
	}
	if len(entered.wrong) > 0 {
		return Answer{Card: refusedCall(w, d, entered), Where: Aside, FieldErrors: entered.wrong}, nil
	}
	if d.CallID != "" {
		return s.changeCall(ctx, w, a, d, state, entered)
	}
	card := previewCard(w, d, entered)
	return Answer{Card: &card}, nil
}

// callDraft finds what the form is about: something new, a draft, or a call,
// of which it returns how it stands.
func (s *Service) callDraft(ctx context.Context, a Action) (core.CallDraft, core.CallState, error) {
	if id, ok := strings.CutPrefix(a.Arg, callArg); ok {
		v, err := s.Store.CallViewOf(ctx, id, a.Team)
		if err != nil {
			return core.CallDraft{}, "", err
		}
		c := v.Call
		channel, _ := c.Channel.Identity.Channel()
		d := core.CallDraft{ID: core.NewID(), Team: a.Team, CallID: id, Zone: c.Zone, Fields: map[string]string{
			fieldTemplates: strings.Join(c.Templates, ","), fieldChannel: channel, fieldWords: c.Words,
			fieldPicture: c.PictureURL, fieldWhen: c.Cron,
		}}
		if c.Cron == "" && !c.NextAt.IsZero() {
			d.Fields[fieldWhen] = core.WriteMoment(c.NextAt, zoneNamed(c.Zone))
		}
		return d, c.State, nil
	}
	id, ok := strings.CutPrefix(a.Arg, draftArg)
	if !ok || id == "" {
		id = core.NewID()
	}
	d, err := s.Store.CallDraft(ctx, id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		// The form has its id from the beginning: to send it twice makes one
		// draft.
		zone, err := s.zone(ctx, a)
		return core.CallDraft{ID: id, Team: a.Team, Zone: zone}, core.CallScheduled, err
	case err != nil:
		return d, "", err
	case d.Team != a.Team:
		return d, "", core.ErrNotFound
	case d.CallID == "":
		return d, core.CallScheduled, nil
	}
	v, err := s.Store.CallViewOf(ctx, d.CallID, a.Team)
	return d, v.Call.State, err
}

// zone is the time zone by which a manager writes times.
func (s *Service) zone(ctx context.Context, a Action) (string, error) {
	v, err := s.Store.WishesOf(ctx, a.Actor)
	if err == nil {
		return v.Hours.Zone.String(), nil
	}
	if !errors.Is(err, core.ErrNotFound) {
		return "", err
	}
	customs, err := s.Store.Customs(ctx, a.Team)
	if err != nil {
		return "", err
	}
	return customs.HoursFor(core.Wishes{}, a.TimeZone).Zone.String(), nil
}

func zoneNamed(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.UTC
}

// callForm asks for everything of a call that can be changed as it stands.
func (s *Service) callForm(ctx context.Context, w Words, d core.CallDraft, state core.CallState) (*Form, error) {
	arg := draftArg + d.ID
	if d.CallID != "" {
		arg = callArg + d.CallID
	}
	form := &Form{
		ID: ID(VerbCallForm, arg), Title: w.Plain("form.call.title", nil), Submit: w.Plain("form.call.submit", nil),
		Cancel: w.Plain("form.cancel", nil),
	}
	templates, err := s.Store.CallTemplates(ctx, templatesOf(d.Fields[fieldTemplates]), maxTemplates)
	if err != nil {
		return nil, err
	}
	if len(templates) > 0 {
		field := Field{
			Name: fieldTemplates, Label: w.Plain("form.call.templates", nil), Hint: w.Plain("form.call.templates_hint", nil),
			Kind: FieldChoices, Optional: true, Value: d.Fields[fieldTemplates],
		}
		for _, t := range templates {
			field.Options = append(field.Options, Choice{Name: t.Name, Value: t.ID})
		}
		form.Fields = append(form.Fields, field)
	}
	if state == core.CallScheduled {
		form.Fields = append(form.Fields, Field{
			Name: fieldChannel, Label: w.Plain("form.call.channel", nil), Hint: w.Plain("form.call.channel_hint", nil),
			Kind: FieldChannel, Value: d.Fields[fieldChannel],
		})
	}
	form.Fields = append(form.Fields, Field{
		Name: fieldWords, Label: w.Plain("form.call.words", nil), Kind: FieldLong, Value: d.Fields[fieldWords],
		Placeholder: w.Plain("form.call.words_example", nil), MinLen: 1, MaxLen: core.MaxCallWords,
	}, Field{
		Name: fieldPicture, Label: w.Plain("form.call.picture", nil), Hint: w.Plain("form.call.picture_hint", nil),
		Placeholder: "https://example.org/badge.png", Value: d.Fields[fieldPicture], Optional: true, MaxLen: maxPictureURL,
	})
	if state == core.CallScheduled {
		form.Fields = append(form.Fields, Field{
			Name: fieldWhen, Label: w.Plain("form.call.when", nil), Hint: w.Plain("form.call.when_hint", Args{"Zone": d.Zone}),
			Placeholder: w.Plain("form.call.when_example", nil), Value: d.Fields[fieldWhen], Optional: true, MaxLen: 100,
		})
	}
	return form, nil
}

func templatesOf(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
}

// refusedCall tells what is wrong with what was entered, where the form itself
// cannot.
func refusedCall(w Words, d core.CallDraft, e enteredCall) *Card {
	card := Card{
		Tone: ToneWarn, Title: w.Plain("trouble.call.title", nil), Summary: w.Plain("trouble.call.title", nil),
		Buttons: []Button{{ID: ID(VerbCallForm, draftArg+d.ID), Label: w.Plain("button.try_again", nil), Style: StylePrimary}},
		Footer:  w.Text("trouble.call.kept", nil),
	}
	for _, name := range []string{fieldTemplates, fieldChannel, fieldWords, fieldPicture, fieldWhen} {
		if why := e.wrong[name]; why != "" {
			label := Text{{Text: w.Plain("form.call."+name, nil) + ":", Bold: true}}
			card.Text = Join(card.Text, append(label, Plain(" "+why)...))
		}
	}
	return &card
}

// changeCall applies what was entered to a call as it stood when it was read.
func (s *Service) changeCall(
	ctx context.Context, w Words, a Action, d core.CallDraft, state core.CallState, e enteredCall,
) (Answer, error) {
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if state == core.CallOpen {
		_, err = s.Calls.Reword(ctx, who, a.Team, d.CallID, e.call)
	} else {
		_, err = s.Calls.Reschedule(ctx, who, a.Team, d.CallID, e.call, e.at, e.call.Cron)
	}
	switch {
	case errors.Is(err, core.ErrUnmet):
		// It was posted or ended meanwhile: what can be changed now is another
		// thing, and what was entered is kept.
		card := Card{
			Tone: ToneWarn, Title: w.Plain("trouble.call.moved.title", nil), Summary: w.Plain("trouble.call.moved.title", nil),
			Text:    w.Text("trouble.call.moved.text", nil),
			Buttons: []Button{{ID: ID(VerbCall, d.CallID), Label: w.Plain("button.show", nil), Style: StylePrimary}},
		}
		return Answer{Card: &card}, nil
	case err != nil:
		return Answer{}, err
	}
	if err := s.Store.DropCallDraft(ctx, d.ID, a.Team); err != nil {
		return Answer{}, err
	}
	s.Wake()
	a.Arg = d.CallID
	return s.showCall(ctx, w, a)
}
