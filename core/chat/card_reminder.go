package chat

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// reminder makes the card of what a person is reminded of. Nothing is shown
// for the first time outside the person's hours, or to somebody who wants
// none: that is decided here, at the moment of sending. What somebody who died
// over it may have shown already is not taken back.
func (c *Composer) reminder(ctx context.Context, w Words, p core.Post) (Card, error) {
	v, err := c.Store.ReminderView(ctx, p.Subject.ID)
	if err == nil && v.MemberID != p.Account.MemberID {
		err = core.ErrNotFound
	}
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return Card{}, err
	}
	now := c.Clock.Now()
	if !p.Place.Shown {
		reason := unsentGone
		if err == nil {
			reason = unsent(v, p.Tried, now)
		}
		if reason == unsentUntimely {
			if err := c.Store.PostponeReminder(ctx, p.Subject.ID, p.Gone, now); err != nil {
				return Card{}, err
			}
		}
		if reason != "" {
			if c.Unsent != nil {
				c.Unsent(reason)
			}
			return Card{}, core.ErrNotFound
		}
	}
	if err != nil {
		return Card{}, err
	}
	switch {
	case v.Wishes.Stopped:
		return reminderNote(w, p.Account, "reminder.stopped", nil, Button{ID: ID(VerbResume, ""), Label: w.Plain("button.resume", nil)}), nil
	case now.Before(v.Wishes.SnoozedUntil):
		return reminderNote(w, p.Account, "reminder.snoozed", Args{"Until": Day(v.Wishes.SnoozedUntil)},
			Button{ID: ID(VerbResume, ""), Label: w.Plain("button.resume", nil)}), nil
	case v.Later:
		return reminderNote(w, p.Account, "reminder.later", nil), nil
	case len(v.Items) == 0:
		return reminderNote(w, p.Account, "reminder.done", nil), nil
	}
	var f core.TaskFacts
	if slices.ContainsFunc(v.Items, func(i core.ReminderItem) bool { return i.Policy == core.PolicyPrivate }) {
		if f, err = c.Store.TaskFacts(ctx, v.MemberID); err != nil {
			return Card{}, err
		}
	}
	return c.reminderCard(w, p.Account, v, f, now), nil
}

// Why a reminder that was queued is not sent.
const (
	// unsentGone: the person is not there any more.
	unsentGone    = "gone"
	unsentStopped = "stopped"
	// unsentNewer: there is a newer one.
	unsentNewer = "newer"
	// unsentDone: nothing of what it was about holds any more.
	unsentDone = "done"
	// unsentUntimely: it comes outside the person's hours, on another day, or
	// while the person wants quiet; it comes back when it is time.
	unsentUntimely = "untimely"
)

// UnsentReasons are why a reminder that was queued is not sent.
func UnsentReasons() []string {
	return []string{unsentGone, unsentStopped, unsentNewer, unsentDone, unsentUntimely}
}

// unsent says why a reminder that nobody has seen yet is not sent; empty for
// one that is. What an earlier attempt may have shown is not late.
func unsent(v core.ReminderView, tried bool, now time.Time) string {
	switch {
	case v.Wishes.Stopped:
		return unsentStopped
	case v.Later:
		return unsentNewer
	case len(v.Items) == 0:
		return unsentDone
	case !tried && (now.Before(v.Wishes.SnoozedUntil) || !v.Hours.Open(now) || v.Hours.Day(now) != v.Day):
		return unsentUntimely
	default:
		return ""
	}
}

// reminderNote stands where a reminder was that has nothing more to say.
func reminderNote(w Words, a core.Account, id string, args Args, more ...Button) Card {
	return Card{
		Title: w.Plain(id+".title", args), Summary: w.Plain(id+".title", args), Text: w.Text(id+".text", args),
		Buttons: append(more, Button{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)}),
	}
}

func (c *Composer) reminderCard(w Words, a core.Account, v core.ReminderView, f core.TaskFacts, now time.Time) Card {
	count := Args{"Count": len(v.Items)}
	card := Card{
		Tone: ToneAction, Title: w.Plain("reminder.title", count),
		Summary: w.Plain("reminder.summary", Args{"Count": len(v.Items), "Badge": badgeName(w, v.Items[0].View.Badge)}),
		Footer:  w.Text("reminder.footer", nil),
		Buttons: []Button{
			{ID: ID(VerbSnooze, ""), Label: w.Plain("button.snooze", nil)},
			{ID: ID(VerbStop, ""), Label: w.Plain("button.stop", nil)},
		},
	}
	shown := v.Items[:min(len(v.Items), pageSize)]
	for i, item := range shown {
		card.Items = append(card.Items, c.reminderItem(w, item, f, now))
		if item.Policy == core.PolicyFollowed && !followed(shown[i+1:]) {
			// Once for all that went the same way.
			card.Items = append(card.Items, Item{Text: w.Text("reminder.answers", Args{"Provider": c.Provider.Name()})})
		}
	}
	if date, err := time.ParseInLocation(time.DateOnly, v.Day, v.Hours.Zone); err == nil {
		// Noon, because the platform shows the day in the zone of who reads.
		card.Text = w.Text("reminder.day", Args{"Date": Day(date.Add(12 * time.Hour))})
	}
	if more := len(v.Items) - len(shown); more > 0 {
		card.Text = Join(card.Text, w.Text("reminder.more", Args{"Count": more}))
		card.Buttons = append(card.Buttons, Button{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)})
	}
	if v.AskZone {
		card.Footer = Join(w.Text("reminder.ask_zone", Args{"Zone": v.Hours.Zone.String()}), card.Footer)
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbHours, ""), Label: w.Plain("button.hours", nil)})
	}
	return card
}

// followed reports whether somebody went to the provider for one of these.
func followed(items []core.ReminderItem) bool {
	return slices.ContainsFunc(items, func(i core.ReminderItem) bool { return i.Policy == core.PolicyFollowed })
}

// reminderItem says why a badge is called to mind, with the step's own
// button.
func (c *Composer) reminderItem(w Words, item core.ReminderItem, f core.TaskFacts, now time.Time) Item {
	b := item.View.Badge
	args := c.badgeArgs(w, b)
	if !b.ExpiresAt.IsZero() {
		args["Expires"] = Day(b.ExpiresAt)
	}
	out := Item{Text: Join(Text{{Text: badgeName(w, b), Bold: true}}, w.Text("reminder.why."+string(item.Policy), args))}
	switch item.Policy {
	case core.PolicyPending, core.PolicyFollowed:
		label := "button.claim"
		if item.View.Handoff != nil && item.View.Handoff.Live(now) {
			label = "button.show_link"
		}
		out.Button = &Button{ID: ID(VerbClaim, b.ID), Label: w.Plain(label, nil), Style: StylePrimary}
	case core.PolicyPrivate:
		out.Text = Join(out.Text, c.stepsInLine(w, c.tasks(f, b.ID), b.ID))
		out.Button = &Button{ID: stepsID(b.ID), Label: w.Plain("button.next_step", nil), Style: StylePrimary}
	case core.PolicyUnshared:
		button := shareButton(w, b, "button.share")
		out.Button = &button
	default:
		if b.BadgeURL != "" && c.Provider.TrustedURL(b.BadgeURL) {
			out.Button = &Button{URL: b.BadgeURL, Label: w.Plain("button.open_badge", args), Style: StylePrimary}
		}
	}
	return out
}
