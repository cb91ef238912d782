package chat

import (
	"slices"

	"github.com/laurelbot/laurel/core"
)

// settingsCard shows what counts for a team.
func settingsCard(w Words, c core.Customs, channel core.Account) Card {
	celebrations := w.Text("settings.celebrations.nowhere", nil)
	if _, ok := channel.Identity.Channel(); ok {
		celebrations = w.Text("settings.celebrations.in", Args{"Channel": "#" + channel.DisplayName})
	}
	text := w.Text("settings.reminders", nil)
	for _, p := range policiesInForm() {
		text = Join(text, planLine(w, p, c.Plan[p]))
	}
	// The same hours as a person's, with the zone of those who told none.
	text = Join(text, Plain(""), w.Text("settings.hours", Args{
		"Days": dayNames(w, c.Hours.Days), "From": clockTime(c.Hours.From), "To": clockTime(c.Hours.To),
		"Zone": c.Hours.Zone.String(),
	}), Plain(""), celebrations)
	card := Card{
		Title: w.Plain("settings.title", nil), Summary: w.Plain("settings.summary", nil), Text: text,
		Footer: w.Text("settings.footer", nil),
		Buttons: []Button{
			{ID: ID(VerbSettings, settingsPlan), Label: w.Plain("button.plan", nil)},
			{ID: ID(VerbSettings, settingsHours), Label: w.Plain("button.hours", nil)},
			{ID: ID(VerbSettings, settingsCelebrate), Label: w.Plain("button.celebrations", nil)},
			{ID: ID(VerbDigests, ""), Label: w.Plain("digests.title", nil)},
		},
	}
	if !c.Usual() {
		card.Buttons = append(card.Buttons, Button{
			ID: ID(VerbSettings, settingsUsual), Label: w.Plain("button.usual", nil), Confirm: w.Plain("settings.confirm", nil),
		})
	}
	return card
}

// planLine says when a policy reminds.
func planLine(w Words, p core.Policy, days []int) Text {
	args := Args{"What": w.Plain("settings.policy."+string(p), nil), "Days": writtenDays(days), "Count": 2}
	id := "settings.plan.after"
	switch {
	case len(days) == 0:
		id = "settings.plan.never"
	case p == core.PolicyExpiring:
		id = "settings.plan.before"
	}
	if slices.Equal(days, []int{1}) {
		args["Count"] = 1
	}
	return w.Text(id, args)
}

// maxDaysTyped is room for the most days that a policy can have.
const maxDaysTyped = 60

// planForm asks when each policy reminds.
func planForm(w Words, values map[string]string) *Form {
	form := &Form{
		ID: ID(VerbSettings, settingsPlan), Title: w.Plain("form.plan.title", nil), Submit: w.Plain("form.hours.submit", nil),
		Cancel: w.Plain("form.cancel", nil),
	}
	for _, p := range policiesInForm() {
		hint := "form.plan.hint"
		if p == core.PolicyExpiring {
			hint = "form.plan.hint_before"
		}
		form.Fields = append(form.Fields, Field{
			Name: string(p), Label: w.Plain("settings.policy."+string(p), nil), Hint: w.Plain(hint, nil),
			Placeholder: w.Plain("form.plan.off", nil), Value: values[string(p)], Optional: true, MaxLen: maxDaysTyped,
		})
	}
	return form
}

// teamHoursForm asks when those may be reminded who chose no hours of their
// own.
func teamHoursForm(w Words, values map[string]string) *Form {
	return &Form{
		ID: ID(VerbSettings, settingsHours), Title: w.Plain("form.team_hours.title", nil),
		Submit: w.Plain("form.hours.submit", nil), Cancel: w.Plain("form.cancel", nil), Fields: hoursFields(w, values),
	}
}

// celebrationsForm asks where badges are celebrated.
func celebrationsForm(w Words, channel string) *Form {
	return &Form{
		ID: ID(VerbSettings, settingsCelebrate), Title: w.Plain("form.celebrations.title", nil),
		Submit: w.Plain("form.hours.submit", nil), Cancel: w.Plain("form.cancel", nil),
		Fields: []Field{{
			Name: fieldTeamChannel, Label: w.Plain("form.celebrations.channel", nil), Hint: w.Plain("form.celebrations.hint", nil),
			Kind: FieldChannel, Value: channel, Optional: true,
		}},
	}
}
