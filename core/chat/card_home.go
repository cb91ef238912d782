package chat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// How much of each kind a home shows. All of it together stays within
// Discord's 40 components for one message
// (https://discord.com/developers/docs/components/reference): whoever has more
// finds it behind the button for all badges.
const (
	homeWaiting   = 3
	homeNamed     = 5
	homeAddresses = 3
)

// soonExpires is how long before its end a badge counts as expiring: since
// when reminders usually begin.
const soonExpires = 90 * 24 * time.Hour

// shareAny, in place of a badge, lets the person choose which to share.
const shareAny = "any"

// homeView is what a home shows.
type homeView struct {
	account   core.Account
	addresses []core.Address
	badges    []core.BadgeView
	// tasks are those for all badges.
	tasks  []core.Task
	wishes core.WishesView
	// kept says that it is brought up to date by itself.
	kept bool
}

// homeButton leads to everything at a glance from what a home shows.
func homeButton(w Words) Button {
	return Button{ID: ID(VerbHome, ""), Label: w.Plain("button.home", nil)}
}

// homeCard shows everything at a glance: what to do next, what waits, what
// others see, what ends soon, and what was settled.
func (c *Composer) homeCard(w Words, v homeView) (Card, error) {
	if len(v.addresses) == 0 {
		return greetingCard(w, c.Provider.Name()), nil
	}
	shelf := sortHome(v.badges, v.tasks, c.Clock.Now())
	card := Card{
		Title: w.Plain("home.title", nil), Summary: w.Plain("home.title", nil),
		Text: shelf.counts(w), Footer: w.Text("home.footer", nil),
	}
	if shelf.open > 0 {
		card.Summary = w.Plain("home.summary", Args{"Count": shelf.open})
	}
	if v.kept {
		card.Footer = w.Text("home.footer.kept", nil)
	}
	switch {
	case shelf.empty():
		card.Text = w.Text("list.empty.text", Args{"Addresses": clip(shownAddresses(v.addresses), 500)})
	case shelf.task != nil:
		card.Tone = ToneAction
		card.Items = append(card.Items, c.taskItem(w, *shelf.task))
	case shelf.next == nil:
		card.Tone = ToneGood
		card.Text = Join(shelf.done(w), shelf.counts(w))
	default:
		card.Tone = ToneAction
		item, err := c.nextItem(w, *shelf.next)
		if err != nil {
			return Card{}, err
		}
		item.Heading = w.Plain("home.next", nil)
		card.Items = append(card.Items, item)
	}
	card.Items = append(card.Items, shelf.items(w)...)
	card.Items = append(card.Items, settingsItem(w, v, c.Clock.Now()))
	card.Buttons = []Button{
		{ID: pageID(v.account.Identity, "new"), Label: w.Plain("button.my_badges", nil)},
		{ID: ID(VerbEmails, ""), Label: w.Plain("button.addresses", nil)},
		{ID: ID(VerbReminders, ""), Label: w.Plain("button.reminders", nil)},
		{ID: ID(VerbHelp, ""), Label: w.Plain("button.help", nil)},
	}
	if shelf.empty() {
		add := Button{ID: ID(VerbLink, "start"), Label: w.Plain("button.add_address", nil), Style: StylePrimary}
		card.Buttons = append([]Button{add}, card.Buttons...)
	}
	if !v.kept {
		refresh := Button{ID: ID(VerbHome, ownerMark(v.account.Identity)), Label: w.Plain("button.refresh", nil)}
		card.Buttons = append(card.Buttons, refresh)
	}
	return card, nil
}

// homeShelf is a person's badges by what there is to do about them.
type homeShelf struct {
	// next is the badge that the next step is about, task the one that is the
	// next step where that is something at the provider; either may be nil.
	next *core.BadgeView
	task *core.Task
	// chosen says that the person wants something not to be seen by others.
	chosen bool
	// open is how many wait to be claimed, hidden how many only their owner
	// sees.
	open, hidden int
	// waiting and private are without the next one.
	waiting, private, public, expiring []core.BadgeView
	now                                time.Time
}

func sortHome(badges []core.BadgeView, tasks []core.Task, now time.Time) homeShelf {
	s := homeShelf{now: now}
	// toPublish are badges that are not kept private by choice, left is what
	// else there is to do at the provider.
	toPublish := map[string]bool{}
	var left []core.Task
	for _, t := range tasks {
		shows := t.Ref.Kind == core.TaskPublic || t.Ref.Kind == core.TaskProfile
		switch {
		case t.State == core.TaskSkipped && shows:
			s.chosen = true
		case !t.State.Open():
		case t.Ref.Kind == core.TaskPublic:
			toPublish[t.Ref.Scope] = true
		default:
			left = append(left, t)
		}
	}
	var unshared []core.BadgeView
	for _, v := range badges {
		switch {
		case v.Badge.Stage.Claimable():
			s.waiting = append(s.waiting, v)
		case v.Badge.Stage == core.StageAccepted:
			s.private = append(s.private, v)
		case v.Badge.Stage == core.StagePublic:
			s.public = append(s.public, v)
			if !v.Shared {
				unshared = append(unshared, v)
			}
		}
		if expires(v, badges, now) {
			s.expiring = append(s.expiring, v)
		}
	}
	s.open, s.hidden = len(s.waiting), len(s.private)
	// What was begun comes first.
	slices.SortStableFunc(s.waiting, func(x, y core.BadgeView) int { return begun(x, now) - begun(y, now) })
	slices.SortStableFunc(s.expiring, func(x, y core.BadgeView) int {
		return cmp.Compare(x.Badge.ExpiresAt.UnixMilli(), y.Badge.ExpiresAt.UnixMilli())
	})
	switch {
	case len(s.waiting) > 0:
		s.next, s.waiting = &s.waiting[0], s.waiting[1:]
	case slices.ContainsFunc(s.private, func(v core.BadgeView) bool { return toPublish[v.Badge.ID] }):
		i := slices.IndexFunc(s.private, func(v core.BadgeView) bool { return toPublish[v.Badge.ID] })
		next := s.private[i]
		s.next, s.private = &next, slices.Delete(s.private, i, i+1)
	case len(left) > 0 && (left[0].Ref.Kind == core.TaskProfile || len(unshared) == 0):
		// Nobody sees what is shared before the profile is public; what else is
		// left makes the next badge easier, and can wait.
		s.task = &left[0]
	case len(unshared) > 0:
		s.next = &unshared[0]
	}
	return s
}

// done says that nothing is left to do, and no more than is so.
func (s homeShelf) done(w Words) Text {
	if s.chosen || s.hidden > 0 {
		return w.Text("home.done.kept", nil)
	}
	return w.Text("home.done", nil)
}

// begun orders badges that wait by how far they are on their way.
func begun(v core.BadgeView, now time.Time) int {
	if v.Handoff == nil {
		return 2
	}
	switch v.Handoff.StateAt(now) {
	case core.HandoffOpen, core.HandoffPreparing:
		return 0
	case core.HandoffFollowed:
		return 1
	default:
		return 2
	}
}

// expires reports whether a badge that is held ends soon or has ended, and no
// other of its kind lasts longer.
func expires(v core.BadgeView, all []core.BadgeView, now time.Time) bool {
	b := v.Badge
	if !b.Stage.Held() || b.ExpiresAt.IsZero() || b.ExpiresAt.Sub(now) > soonExpires {
		return false
	}
	return !slices.ContainsFunc(all, func(other core.BadgeView) bool {
		o := other.Badge
		return o.ID != b.ID && o.Stage.Held() && o.Template.ID == b.Template.ID && o.Template.ID != "" &&
			(o.ExpiresAt.IsZero() || o.ExpiresAt.After(b.ExpiresAt))
	})
}

func (s homeShelf) empty() bool {
	return s.open == 0 && s.hidden == 0 && len(s.public) == 0
}

// counts says in one line how many there are of each kind.
func (s homeShelf) counts(w Words) Text {
	var line Text
	for _, kind := range []struct {
		id string
		n  int
	}{
		{"home.count.waiting", s.open},
		{"home.count.private", s.hidden},
		{"home.count.public", len(s.public)},
		{"home.count.expiring", len(s.expiring)},
	} {
		if kind.n == 0 {
			continue
		}
		if len(line) > 0 {
			line = append(line, Run{Text: "  ·  "})
		}
		line = append(line, w.Text(kind.id, Args{"Count": kind.n})...)
	}
	return line
}

// items are the sections behind the next step.
func (s homeShelf) items(w Words) []Item {
	var all []Item
	for i, v := range s.waiting[:min(len(s.waiting), homeWaiting)] {
		label := "button.claim"
		if v.Handoff != nil && v.Handoff.Live(s.now) {
			label = "button.show_link"
		}
		item := Item{
			Text:   Join(Text{{Text: badgeName(w, v.Badge), Bold: true}}, progress(w, v, s.now)),
			Button: &Button{ID: ID(VerbClaim, v.Badge.ID), Label: w.Plain(label, nil), Style: StylePrimary},
		}
		if i == 0 {
			item.Heading = w.Plain("home.waiting", nil)
		}
		if more := len(s.waiting) - homeWaiting; more > 0 && i == homeWaiting-1 {
			item.Text = Join(item.Text, w.Text("home.more", Args{"Count": more}))
		}
		all = append(all, item)
	}
	if len(s.private) > 0 {
		item := namedItem(w, "home.private", s.private, nil)
		item.Button = sharing(w, s.private, "button.make_public")
		all = append(all, item)
	}
	if len(s.public) > 0 {
		item := namedItem(w, "home.public", s.public, nil)
		item.Image, item.Button = badgeImage(w, s.public[0].Badge), sharing(w, s.public, "button.share")
		all = append(all, item)
	}
	if len(s.expiring) > 0 {
		all = append(all, namedItem(w, "home.expiring", s.expiring, func(b core.Badge) Text { return validity(w, b, s.now) }))
	}
	return all
}

// sharing leads to the ways to show one badge, or to a choice of several.
func sharing(w Words, of []core.BadgeView, label string) *Button {
	button := Button{ID: ID(VerbShare, shareAny), Label: w.Plain(label, nil)}
	if len(of) == 1 {
		button = shareButton(w, of[0].Badge, label)
	}
	return &button
}

// namedItem names some badges, one below the other, with a note about each.
func namedItem(w Words, heading string, of []core.BadgeView, note func(core.Badge) Text) Item {
	var lines []Text
	for _, v := range of[:min(len(of), homeNamed)] {
		line := Text{{Text: badgeName(w, v.Badge), Bold: true}}
		if len(of) > 1 {
			line = append(Plain("• "), line...)
		}
		if note != nil {
			line = append(append(line, Run{Text: "  ·  "}), note(v.Badge)...)
		}
		lines = append(lines, line)
	}
	if more := len(of) - homeNamed; more > 0 {
		lines = append(lines, w.Text("home.more", Args{"Count": more}))
	}
	return Item{Heading: w.Plain(heading, nil), Text: Join(lines...)}
}

// nextItem is the next step with its button.
func (c *Composer) nextItem(w Words, v core.BadgeView) (Item, error) {
	b, now := v.Badge, c.Clock.Now()
	args := c.badgeArgs(w, b)
	step := "claim"
	button := &Button{ID: ID(VerbClaim, b.ID), Label: w.Plain("button.claim", nil), Style: StylePrimary}
	switch {
	case b.Stage == core.StageAccepted:
		step = "publish"
		button = sharing(w, []core.BadgeView{v}, "button.make_public")
	case b.Stage == core.StagePublic:
		step = "share"
		button = sharing(w, []core.BadgeView{v}, "button.share")
	case v.Handoff == nil:
	case v.Handoff.StateAt(now) == core.HandoffPreparing:
		step, button = "prepare", nil
	case v.Handoff.StateAt(now) == core.HandoffFollowed:
		step = "accept"
		button.Label = w.Plain("button.new_link", nil)
	case v.Handoff.Live(now):
		token, err := c.Keys.Token(core.PurposeHandoff, v.Handoff.ID)
		if err != nil {
			return Item{}, fmt.Errorf("link to handoff: %w", err)
		}
		step, args["Until"] = "follow", Live(v.Handoff.ExpiresAt)
		button = &Button{URL: c.PublicURL + "/h/" + token, Label: w.Plain("button.continue", args)}
	}
	if button != nil {
		button.Style = StylePrimary
	}
	return Item{
		Text:  Join(Text{{Text: badgeName(w, b), Bold: true}}, w.Text("home.next."+step, args)),
		Image: badgeImage(w, b), Button: button,
	}, nil
}

// taskItem is the next step where that is something at the provider, with the
// way to all of them.
func (c *Composer) taskItem(w Words, t core.Task) Item {
	kind := string(t.Ref.Kind)
	return Item{
		Heading: w.Plain("home.next", nil),
		Text:    Join(emphasized(w.Text("steps."+kind, c.stepArgs(w, t))), w.Text("home.next."+kind, nil)),
		Button:  &Button{ID: stepsID(""), Label: w.Plain("button.show_how", nil), Style: StylePrimary},
	}
}

// settingsItem says what a person settled, or what is usual.
func settingsItem(w Words, v homeView, now time.Time) Item {
	args := Args{
		"Days": dayNames(w, v.wishes.Hours.Days), "From": clockTime(v.wishes.Hours.From), "To": clockTime(v.wishes.Hours.To),
		"Zone": v.wishes.Hours.Zone.String(), "Until": Day(v.wishes.Wishes.SnoozedUntil),
	}
	reminders := "home.reminders.on"
	switch {
	case v.wishes.Wishes.Stopped:
		reminders = "home.reminders.stopped"
	case now.Before(v.wishes.Wishes.SnoozedUntil):
		reminders = "home.reminders.snoozed"
	}
	return Item{Heading: w.Plain("home.settings", nil), Text: Join(
		w.Text(reminders, args),
		w.Text("home.addresses", Args{"Count": len(v.addresses), "Addresses": shownAddresses(v.addresses)}),
		w.Text("home.language", Args{"Platform": w.Plain("platform."+string(v.account.Identity.Platform), nil)}),
	)}
}

// shownAddresses names some of a person's addresses.
func shownAddresses(all []core.Address) string {
	names := make([]string, 0, len(all))
	for _, a := range all[:min(len(all), homeAddresses)] {
		names = append(names, a.Email.Shown)
	}
	text := strings.Join(names, ", ")
	if more := len(all) - homeAddresses; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}
