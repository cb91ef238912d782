package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// snoozeFor is how long "next week" is.
const snoozeFor = 7 * 24 * time.Hour

// Names of the fields of the form for hours.
const (
	fieldZone = "zone"
	fieldFrom = "from"
	fieldTo   = "to"
	fieldDays = "days"
)

// reminders shows what a person wants of reminders.
func (s *Service) reminders(ctx context.Context, w Words, a Action) (Answer, error) {
	v, err := s.wishes(ctx, a)
	if errors.Is(err, core.ErrNotFound) && a.Team != "" && s.manages(a) {
		// Who has nothing to be reminded of here wants to see the team's.
		answer, err := s.showSettings(ctx, w, a)
		answer.Where = asideOfPress(a)
		return answer, err
	}
	if errors.Is(err, core.ErrNotFound) {
		card := greetingCard(w, s.Provider.Name())
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	card := s.wishesFor(w, v, a)
	return Answer{Card: &card, Where: asideOfPress(a)}, nil
}

// wishesFor shows what a person wants of reminders, and to who runs the team
// the way to what counts for everybody in it.
func (s *Service) wishesFor(w Words, v core.WishesView, a Action) Card {
	card := wishesCard(w, v, a.Actor, s.Clock.Now())
	if a.Team != "" && s.manages(a) {
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbSettings, ""), Label: w.Plain("button.team_settings", nil)})
	}
	return card
}

func (s *Service) wishes(ctx context.Context, a Action) (core.WishesView, error) {
	if _, err := s.person(ctx, a); err != nil {
		return core.WishesView{}, err
	}
	return s.Store.WishesOf(ctx, a.Actor)
}

// wish changes what a person wants, and shows what counts from now on in
// place of the message whose button was pressed.
func (s *Service) wish(ctx context.Context, w Words, a Action, change func(*core.Wishes)) (Answer, error) {
	v, err := s.wishes(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	change(&v.Wishes)
	if err := s.Store.SaveWishes(ctx, a.Actor, v.Wishes, s.Clock.Now()); err != nil {
		return Answer{}, err
	}
	if a.MessageKey != "" {
		if err := s.Store.ForgetPost(ctx, a.Actor, a.MessageKey); err != nil {
			return Answer{}, err
		}
	}
	if v, err = s.Store.WishesOf(ctx, a.Actor); err != nil {
		return Answer{}, err
	}
	card := s.wishesFor(w, v, a)
	return Answer{Card: &card}, nil
}

func (s *Service) snooze(ctx context.Context, w Words, a Action) (Answer, error) {
	return s.wish(ctx, w, a, func(p *core.Wishes) { p.SnoozedUntil = s.Clock.Now().Add(snoozeFor) })
}

func (s *Service) stop(ctx context.Context, w Words, a Action) (Answer, error) {
	return s.wish(ctx, w, a, func(p *core.Wishes) { p.Stopped, p.SnoozedUntil = true, time.Time{} })
}

func (s *Service) resume(ctx context.Context, w Words, a Action) (Answer, error) {
	return s.wish(ctx, w, a, func(p *core.Wishes) { p.Stopped, p.SnoozedUntil = false, time.Time{} })
}

// shared notes that a badge was shown to somebody.
func (s *Service) shared(ctx context.Context, w Words, a Action) (Answer, error) {
	if err := s.Store.MarkShared(ctx, a.Actor, a.Arg, s.Clock.Now()); err != nil {
		return Answer{}, err
	}
	card := Card{
		Tone: ToneGood, Title: w.Plain("shared.title", nil), Summary: w.Plain("shared.title", nil),
		Text:    w.Text("shared.text", nil),
		Buttons: []Button{{ID: pageID(a.Actor, "new"), Label: w.Plain("button.my_badges", nil)}},
	}
	return Answer{Card: &card, Where: Aside}, nil
}

// hours opens the form for the hours, or keeps what was entered.
func (s *Service) hours(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Source != SourceSubmit {
		v, err := s.wishes(ctx, a)
		if err != nil {
			return Answer{}, err
		}
		return Answer{Form: hoursForm(w, typedOr(a.Arg, a.Arg != "", hoursFieldNames(), writtenHours(v.Hours)))}, nil
	}
	chosen, wrong := parseHours(w, a.Fields)
	if len(wrong) > 0 {
		again := typedID(VerbHours, "", typedFields(hoursFieldNames(), a.Fields))
		return refused(w, "trouble.hours", again, hoursFieldNames(), wrong), nil
	}
	return s.wish(ctx, w, a, func(p *core.Wishes) {
		p.Zone, p.From, p.To, p.Days, p.AskedZone = chosen.Zone.String(), chosen.From, chosen.To, chosen.Days, true
	})
}

// hoursForm asks when a person may be reminded.
func hoursForm(w Words, values map[string]string) *Form {
	return &Form{
		ID: ID(VerbHours, ""), Title: w.Plain("form.hours.title", nil), Submit: w.Plain("form.hours.submit", nil),
		Cancel: w.Plain("form.cancel", nil), Fields: hoursFields(w, values),
	}
}

// hoursFieldNames are the names of the fields for hours.
func hoursFieldNames() []string { return []string{fieldZone, fieldFrom, fieldTo, fieldDays} }

// writtenHours writes hours as they are entered.
func writtenHours(h core.Hours) map[string]string {
	var days []string
	for _, d := range weekdays() {
		if h.Days.Has(d) {
			days = append(days, strconv.Itoa(int(d)))
		}
	}
	return map[string]string{
		fieldZone: h.Zone.String(), fieldFrom: strconv.Itoa(int(h.From / time.Hour)), fieldTo: strconv.Itoa(int(h.To / time.Hour)),
		fieldDays: strings.Join(days, ","),
	}
}

// hoursFields ask for hours.
func hoursFields(w Words, values map[string]string) []Field {
	clock := func(from, to int) []Choice {
		var out []Choice
		for hour := from; hour <= to; hour++ {
			out = append(out, Choice{Name: fmt.Sprintf("%02d:00", hour), Value: strconv.Itoa(hour)})
		}
		return out
	}
	var days []Choice
	for _, d := range weekdays() {
		value := strconv.Itoa(int(d))
		days = append(days, Choice{Name: w.Plain("day."+value, nil), Value: value})
	}
	return []Field{
		{
			Name: fieldZone, Label: w.Plain("form.hours.zone", nil), Hint: w.Plain("form.hours.zone_hint", nil),
			Placeholder: "Europe/Berlin", Value: values[fieldZone], MinLen: 1, MaxLen: 60,
		},
		{
			Name: fieldFrom, Label: w.Plain("form.hours.from", nil), Kind: FieldChoice, MinLen: 1,
			Options: clock(0, 23), Value: values[fieldFrom],
		},
		{
			Name: fieldTo, Label: w.Plain("form.hours.to", nil), Kind: FieldChoice, MinLen: 1,
			Options: clock(1, 24), Value: values[fieldTo],
		},
		{
			Name: fieldDays, Label: w.Plain("form.hours.days", nil), Kind: FieldChoices, MinLen: 1,
			Options: days, Value: values[fieldDays],
		},
	}
}

// weekdays returns the days of the week from Monday on.
func weekdays() []time.Weekday {
	return []time.Weekday{
		time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday,
	}
}

// parseHours reads the form for hours; for each field that is wrong it
// returns a sentence by the field's name.
func parseHours(w Words, fields map[string]string) (core.Hours, map[string]string) {
	wrong := map[string]string{}
	var h core.Hours
	var err error
	name := strings.TrimSpace(fields[fieldZone])
	if h.Zone, err = time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		wrong[fieldZone] = w.Plain("trouble.hours.zone", nil)
	}
	clock := func(field string) time.Duration {
		hour, err := strconv.Atoi(fields[field])
		if err != nil || hour < 0 || hour > 24 {
			wrong[field] = w.Plain("trouble.hours.order", nil)
		}
		return time.Duration(hour) * time.Hour
	}
	h.From, h.To = clock(fieldFrom), clock(fieldTo)
	if h.From >= h.To {
		wrong[fieldTo] = w.Plain("trouble.hours.order", nil)
	}
	for _, value := range strings.Split(fields[fieldDays], ",") {
		if d, err := strconv.Atoi(value); err == nil && d >= 0 && d <= 6 {
			h.Days |= 1 << d
		}
	}
	if h.Days == 0 {
		wrong[fieldDays] = w.Plain("trouble.hours.days", nil)
	}
	return h, wrong
}

// wishesCard shows what a person wants of reminders.
func wishesCard(w Words, v core.WishesView, actor core.Identity, now time.Time) Card {
	args := Args{
		"Days": dayNames(w, v.Hours.Days), "From": clockTime(v.Hours.From), "To": clockTime(v.Hours.To),
		"Zone": v.Hours.Zone.String(),
	}
	card := Card{Title: w.Plain("wishes.title", nil), Footer: w.Text("wishes.footer", nil)}
	change := Button{ID: ID(VerbHours, ""), Label: w.Plain("button.hours", nil)}
	badges := Button{ID: pageID(actor, "new"), Label: w.Plain("button.my_badges", nil)}
	resume := Button{ID: ID(VerbResume, ""), Label: w.Plain("button.resume", nil), Style: StylePrimary}
	stop := Button{ID: ID(VerbStop, ""), Label: w.Plain("button.stop", nil)}
	state := "on"
	switch {
	case v.Wishes.Stopped:
		state = "stopped"
		card.Buttons = []Button{resume, change, badges}
	case now.Before(v.Wishes.SnoozedUntil):
		state = "snoozed"
		args["Until"] = Day(v.Wishes.SnoozedUntil)
		card.Buttons = []Button{resume, stop, change, badges}
	default:
		card.Buttons = []Button{{ID: ID(VerbSnooze, ""), Label: w.Plain("button.snooze", nil)}, stop, change, badges}
	}
	card.Summary, card.Text = w.Plain("wishes."+state+".summary", args), w.Text("wishes."+state+".text", args)
	if !v.ZoneKnown && !v.Wishes.Stopped {
		card.Text = Join(card.Text, Plain(""), w.Text("wishes.zone", args))
	}
	if v.Plan != nil && !v.Wishes.Stopped {
		card.Text = Join(card.Text, Plain(""), w.Text("wishes.plan", nil))
		for _, p := range policiesInForm() {
			card.Text = Join(card.Text, planLine(w, p, v.Plan[p]))
		}
	}
	if v.NeverAsk {
		card.Text = Join(card.Text, Plain(""), w.Text("wishes.never_ask", nil))
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbConsent, consentAllow), Label: w.Plain("button.ask_again", nil)})
	}
	return card
}

func clockTime(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d/time.Hour), int(d/time.Minute)%60)
}

// dayNames names days of the week, those that follow one another by the first
// and the last.
func dayNames(w Words, days core.Weekdays) string {
	name := func(d time.Weekday) string { return w.Plain("day.short."+strconv.Itoa(int(d)), nil) }
	week := weekdays()
	var out []string
	for i := 0; i < len(week); i++ {
		if !days.Has(week[i]) {
			continue
		}
		first := i
		for i+1 < len(week) && days.Has(week[i+1]) {
			i++
		}
		switch i - first {
		case 0:
			out = append(out, name(week[first]))
		case 1:
			out = append(out, name(week[first]), name(week[i]))
		default:
			out = append(out, name(week[first])+"–"+name(week[i]))
		}
	}
	return strings.Join(out, ", ")
}
