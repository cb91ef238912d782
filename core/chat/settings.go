package chat

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/laurelbot/laurel/core"
)

// What the opaque part of an id says is to be changed of a team's settings.
// Behind a colon may follow what was typed before, see [typedID].
const (
	settingsPlan      = "plan"
	settingsHours     = "hours"
	settingsCelebrate = "celebrations"
	settingsUsual     = "usual"
)

// fieldTeamChannel is the name of the field of the form for celebrations.
const fieldTeamChannel = "channel"

// settings shows managers what counts for their team, and changes it.
func (s *Service) settings(ctx context.Context, w Words, a Action) (Answer, error) {
	switch {
	case a.Team == "":
		return forTeams(w, a), nil
	case !s.manages(a):
		return forManagers(w, a), nil
	case a.Source == SourceCommand:
		return s.showSettings(ctx, w, a)
	}
	what, typed, again := strings.Cut(a.Arg, ":")
	submitted := a.Source == SourceSubmit
	switch what {
	case settingsPlan:
		if submitted {
			return s.changePlan(ctx, w, a)
		}
		return s.settingsForm(ctx, a, func(c core.Customs) *Form {
			return planForm(w, typedOr(typed, again, planFields(), writtenPlan(c.Plan)))
		})
	case settingsHours:
		if submitted {
			return s.changeHours(ctx, w, a)
		}
		return s.settingsForm(ctx, a, func(c core.Customs) *Form {
			return teamHoursForm(w, typedOr(typed, again, hoursFieldNames(), writtenHours(c.Hours)))
		})
	case settingsCelebrate:
		if submitted {
			return s.changeCelebrations(ctx, w, a)
		}
		return s.celebrationsForm(ctx, w, a, typed)
	case settingsUsual:
		return s.changeSettings(ctx, w, a, "usual", func(ctx context.Context, tx core.Tx, now time.Time) error {
			return tx.DropCustoms(ctx, a.Team, now)
		})
	default:
		return s.showSettings(ctx, w, a)
	}
}

// showSettings shows what counts for the actor's team now.
func (s *Service) showSettings(ctx context.Context, w Words, a Action) (Answer, error) {
	c, err := s.Store.Customs(ctx, a.Team)
	if err != nil {
		return Answer{}, err
	}
	channel, err := s.celebrateIn(ctx, c)
	card := settingsCard(w, c, channel)
	return Answer{Card: &card}, err
}

// celebrateIn returns the account of the channel in which a team celebrates;
// a zero one for none, also where the channel is gone.
func (s *Service) celebrateIn(ctx context.Context, c core.Customs) (core.Account, error) {
	if c.CelebrateIn == "" {
		return core.Account{}, nil
	}
	account, err := s.Store.Account(ctx, c.CelebrateIn)
	if errors.Is(err, core.ErrNotFound) {
		return core.Account{}, nil
	}
	return account, err
}

func (s *Service) settingsForm(ctx context.Context, a Action, form func(core.Customs) *Form) (Answer, error) {
	c, err := s.Store.Customs(ctx, a.Team)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Form: form(c)}, nil
}

// changeSettings makes a change and shows what counts from now on.
func (s *Service) changeSettings(
	ctx context.Context, w Words, a Action, what string, change func(context.Context, core.Tx, time.Time) error,
) (Answer, error) {
	now := s.Clock.Now()
	err := s.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
		manager, err := tx.EnsureAccount(ctx, s.account(a), now)
		if err != nil {
			return err
		}
		if err := change(ctx, tx, now); err != nil {
			return err
		}
		return tx.Audit(ctx, manager.MemberID, "team."+what, a.Team, now)
	})
	if err != nil {
		return Answer{}, err
	}
	return s.showSettings(ctx, w, a)
}

func (s *Service) changePlan(ctx context.Context, w Words, a Action) (Answer, error) {
	plan, wrong := parsePlan(w, a.Fields)
	if len(wrong) > 0 {
		again := typedID(VerbSettings, settingsPlan, typedFields(planFields(), a.Fields))
		return refused(w, "trouble.plan", again, planFields(), wrong), nil
	}
	return s.changeSettings(ctx, w, a, settingsPlan, func(ctx context.Context, tx core.Tx, now time.Time) error {
		return tx.SaveCustoms(ctx, a.Team, core.CustomsChange{Plan: plan}, now)
	})
}

func (s *Service) changeHours(ctx context.Context, w Words, a Action) (Answer, error) {
	hours, wrong := parseHours(w, a.Fields)
	if len(wrong) > 0 {
		again := typedID(VerbSettings, settingsHours, typedFields(hoursFieldNames(), a.Fields))
		return refused(w, "trouble.hours", again, hoursFieldNames(), wrong), nil
	}
	return s.changeSettings(ctx, w, a, settingsHours, func(ctx context.Context, tx core.Tx, now time.Time) error {
		return tx.SaveCustoms(ctx, a.Team, core.CustomsChange{Hours: &hours}, now)
	})
}

func (s *Service) celebrationsForm(ctx context.Context, w Words, a Action, typed string) (Answer, error) {
	if typed != "" {
		return Answer{Form: celebrationsForm(w, typed)}, nil
	}
	c, err := s.Store.Customs(ctx, a.Team)
	if err != nil {
		return Answer{}, err
	}
	account, err := s.celebrateIn(ctx, c)
	channel, _ := account.Identity.Channel()
	return Answer{Form: celebrationsForm(w, channel)}, err
}

// changeCelebrations keeps where badges are celebrated, or that they are not.
func (s *Service) changeCelebrations(ctx context.Context, w Words, a Action) (Answer, error) {
	channel := strings.TrimSpace(a.Fields[fieldTeamChannel])
	if channel == "" {
		return s.changeSettings(ctx, w, a, settingsCelebrate, func(ctx context.Context, tx core.Tx, now time.Time) error {
			nowhere := ""
			return tx.SaveCustoms(ctx, a.Team, core.CustomsChange{CelebrateIn: &nowhere}, now)
		})
	}
	account, name, problem := s.readChannel(ctx, a, channel)
	if problem != "" {
		wrong := map[string]string{fieldTeamChannel: w.Plain("trouble.channel."+problem, nil)}
		again := typedID(VerbSettings, settingsCelebrate, []string{channel})
		return refused(w, "trouble.channel", again, []string{fieldTeamChannel}, wrong), nil
	}
	account.DisplayName = clip(name, 80)
	answer, err := s.changeSettings(ctx, w, a, settingsCelebrate, func(ctx context.Context, tx core.Tx, now time.Time) error {
		known, err := tx.EnsureAccount(ctx, account, now)
		if err != nil {
			return err
		}
		if err := tx.SaveCustoms(ctx, a.Team, core.CustomsChange{CelebrateIn: &known.ID}, now); err != nil {
			return err
		}
		return tx.QueueWork(ctx, "team", core.NewID(), core.WorkCelebrate, a.Team, now)
	})
	s.Wake()
	return answer, err
}

// refused refuses what was entered, at the fields where the platform can, and
// otherwise by a card that says what is wrong with each and leads to the form
// again, by a button with this id.
func refused(w Words, trouble, again string, names []string, wrong map[string]string) Answer {
	text := w.Text("trouble.unchanged", nil)
	var told []string
	for _, name := range names {
		line := wrong[name]
		if line == "" || slices.Contains(told, line) {
			continue
		}
		told = append(told, line)
		if slices.Contains(planFields(), name) {
			line = w.Plain("settings.policy."+name, nil) + ": " + line
		}
		text = Join(text, Plain("• "+line))
	}
	card := Card{
		Tone: ToneWarn, Title: w.Plain(trouble+".title", nil), Summary: w.Plain(trouble+".title", nil), Text: text,
		Buttons: []Button{{ID: again, Label: w.Plain("button.try_again", nil), Style: StylePrimary}},
	}
	return Answer{Card: &card, Where: Aside, FieldErrors: wrong}
}

// typedBetween stands between the values of fields in an id.
const typedBetween = ";"

// typedID is the id of a button that opens a form with what was typed there
// before, or, where that is too long, with what counts.
func typedID(v Verb, what string, typed []string) string {
	before := what
	if what != "" {
		before += ":"
	}
	if id := ID(v, before+strings.Join(typed, typedBetween)); len(id) <= MaxID {
		return id
	}
	return ID(v, what)
}

// typedFields returns the values of fields in their order, without what
// stands between them in an id.
func typedFields(names []string, fields map[string]string) []string {
	var out []string
	for _, name := range names {
		out = append(out, strings.ReplaceAll(fields[name], typedBetween, ","))
	}
	return out
}

// typedOr returns what was typed, by the names of the fields, or what counts.
func typedOr(typed string, again bool, names []string, counts map[string]string) map[string]string {
	values := strings.Split(typed, typedBetween)
	if !again || len(values) != len(names) {
		return counts
	}
	out := make(map[string]string, len(names))
	for i, name := range names {
		out[name] = values[i]
	}
	return out
}

// policiesInForm returns the policies in the order of a badge's way.
func policiesInForm() []core.Policy {
	return []core.Policy{
		core.PolicyPending, core.PolicyFollowed, core.PolicyPrivate, core.PolicyUnshared, core.PolicyExpiring,
	}
}

// planFields are the names of the fields of the form for a plan.
func planFields() []string {
	var out []string
	for _, p := range policiesInForm() {
		out = append(out, string(p))
	}
	return out
}

// writtenPlan writes a plan as it is entered.
func writtenPlan(p core.Plan) map[string]string {
	out := map[string]string{}
	for policy, days := range p {
		out[string(policy)] = writtenDays(days)
	}
	return out
}

func writtenDays(days []int) string {
	var out []string
	for _, d := range days {
		out = append(out, strconv.Itoa(d))
	}
	return strings.Join(out, ", ")
}

// parsePlan reads the form for a plan; for each field that is wrong it returns
// a sentence by the field's name. An empty field is a policy without
// reminders.
func parsePlan(w Words, fields map[string]string) (core.Plan, map[string]string) {
	plan, wrong := core.Plan{}, map[string]string{}
	for _, policy := range policiesInForm() {
		days, ok := parseDays(fields[string(policy)])
		if !ok {
			wrong[string(policy)] = w.Plain("trouble.plan.number", nil)
			continue
		}
		fault := policy.Fault(days)
		switch {
		case fault == core.DaysOutOfOrder && policy == core.PolicyExpiring:
			wrong[string(policy)] = w.Plain("trouble.plan.order_down", nil)
		case fault != "":
			wrong[string(policy)] = w.Plain("trouble.plan."+string(fault), Args{
				"Steps": core.MaxPlanSteps, "Days": core.MaxPlanDays,
			})
		}
		plan[policy] = days
	}
	return plan, wrong
}

// parseDays reads numbers with commas, semicolons or spaces between.
func parseDays(text string) ([]int, bool) {
	days := []int{}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }) {
		n, err := strconv.Atoi(word)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, false
		}
		days = append(days, n)
	}
	return days, true
}
