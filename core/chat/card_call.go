package chat

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// call makes the card of a call's message, which everybody in the channel
// sees: it names nobody. A call that ended before its message got out is not
// shown.
func (c *Composer) call(ctx context.Context, p core.Post) (Card, error) {
	id, edition, ok := core.ParseCallSubject(p.Subject.ID)
	if !ok {
		return Card{}, core.ErrNotFound
	}
	call, err := c.Store.Call(ctx, id)
	if err != nil {
		return Card{}, err
	}
	over := call.State != core.CallOpen || call.Edition != edition
	if over && !p.Place.Shown && !p.Tried {
		return Card{}, core.ErrNotFound
	}
	w := c.Catalog.For(call.Locale)
	card := callCard(w, call)
	switch {
	case call.Edition != edition:
		card.Tone, card.Footer = ToneNeutral, w.Text("call.newer", nil)
	case over:
		card.Tone, card.Footer = ToneNeutral, Join(countText(w, call), w.Text("call.closed", nil))
	default:
		card.Footer = countText(w, call)
		card.Buttons = []Button{{ID: ID(VerbCalled, call.ID), Label: w.Plain("button.claim_yours", nil), Style: StylePrimary}}
	}
	return card, nil
}

// callCard is what a call shows in every state.
func callCard(w Words, c core.Call) Card {
	card := Card{
		Tone: ToneAction, Title: w.Plain("call.title", nil), Summary: clip(oneLine(c.Words), 150), Text: Plain(c.Words),
	}
	if c.PictureURL != "" {
		card.Image = Image{URL: c.PictureURL, Alt: w.Plain("call.picture", nil)}
	}
	return card
}

// countText tells how many claimed, and nothing where there is nothing to
// claim.
func countText(w Words, c core.Call) Text {
	if c.Total == 0 {
		return nil
	}
	return w.Text("call.count", Args{"Claimed": c.Claimed, "Total": c.Total})
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// previewCard is the very card of a call that is about to be made, with what
// will become of it.
func previewCard(w Words, d core.CallDraft, e enteredCall) Card {
	card := callCard(w, e.call)
	post := Button{ID: ID(VerbCallPost, d.ID), Label: w.Plain("button.post_now", nil), Style: StylePrimary}
	args := Args{"Channel": channelName(e.call), "Button": w.Plain("button.claim_yours", nil)}
	id := "call.preview.now"
	if !e.at.IsZero() {
		id, args["At"] = "call.preview.at", e.at
		post.Label = w.Plain("button.schedule", nil)
	}
	card.Footer = w.Text(id, args)
	if e.call.Cron != "" {
		card.Footer = Join(card.Footer, repeatText(w, e.call))
	}
	card.Buttons = []Button{
		post,
		{ID: ID(VerbCallForm, draftArg+d.ID), Label: w.Plain("button.change", nil)},
		{ID: ID(VerbCallDrop, d.ID), Label: w.Plain("button.discard", nil), Style: StyleDanger},
	}
	return card
}

// eachWeek and eachMonth are the rules that can be told in words: a time of
// day on one day of the week, or of the month.
var (
	eachWeek  = regexp.MustCompile(`^(\d{1,2}) (\d{1,2}) \* \* ([0-6])$`)
	eachMonth = regexp.MustCompile(`^(\d{1,2}) (\d{1,2}) (\d{1,2}) \* \*$`)
)

// repeatText says when a call is repeated, in words where these are simple.
func repeatText(w Words, c core.Call) Text {
	id, args := "call.repeats", Args{"Rule": Code(c.Cron), "Zone": c.Zone}
	at := func(minute, hour string) string {
		// Both are digits.
		m, _ := strconv.Atoi(minute)
		h, _ := strconv.Atoi(hour)
		return clockTime(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
	}
	if m := eachWeek.FindStringSubmatch(c.Cron); m != nil {
		id, args = "call.repeats.week", Args{"At": at(m[1], m[2]), "Day": w.Plain("day."+m[3], nil), "Zone": c.Zone}
	} else if m := eachMonth.FindStringSubmatch(c.Cron); m != nil {
		id, args = "call.repeats.month", Args{"At": at(m[1], m[2]), "Day": m[3], "Zone": c.Zone}
	}
	return w.Text(id, args)
}

func channelName(c core.Call) string { return "#" + c.ChannelName }

// managedCall shows a call to those who can change it.
func (c *Composer) managedCall(w Words, v core.CallView) Card {
	card := callCard(w, v.Call)
	card.Tone, card.Footer = ToneNeutral, callState(w, v)
	change := Button{ID: ID(VerbCallForm, callArg+v.Call.ID), Label: w.Plain("button.change", nil)}
	switch v.Call.State {
	case core.CallScheduled:
		card.Buttons = []Button{change, {
			ID: ID(VerbCallEnd, v.Call.ID), Label: w.Plain("button.cancel_call", nil), Style: StyleDanger,
			Confirm: w.Plain("call.confirm.cancel", nil),
		}}
	case core.CallOpen:
		card.Buttons = []Button{change, {
			ID: ID(VerbCallEnd, v.Call.ID), Label: w.Plain("button.close_call", nil), Style: StyleDanger,
			Confirm: w.Plain("call.confirm.close", nil),
		}}
	case core.CallClosed, core.CallCancelled:
	}
	card.Buttons = append(card.Buttons, allCalls(w))
	return card
}

// callState says in some lines how a call stands.
func callState(w Words, v core.CallView) Text {
	args := Args{"Channel": channelName(v.Call)}
	lines := []Text{w.Text("call.state."+string(v.Call.State), args)}
	if !v.Call.NextAt.IsZero() {
		lines = append(lines, w.Text("call.next", Args{"At": v.Call.NextAt}))
	}
	if v.Call.Cron != "" && !v.Call.NextAt.IsZero() {
		lines = append(lines, repeatText(w, v.Call))
	}
	if v.Call.Edition > 0 {
		lines = append(lines, countText(w, v.Call))
	}
	if v.Trouble != "" {
		lines = append(lines, w.Text("call.trouble."+callTrouble(v.Trouble), args))
	}
	return Join(lines...)
}

// callTrouble names why a message could not be posted, by the platforms' own
// words for it, which stand within the cause.
func callTrouble(cause string) string {
	for _, t := range []struct{ code, id string }{
		{"not_in_channel", "gone"},
		{"channel_not_found", "gone"},
		{"(10003)", "gone"},
		{"(50001)", "gone"},
		{"is_archived", "archived"},
		{"restricted_action", "permission"},
		{"missing_scope", "permission"},
		{"(50013)", "permission"},
		{"invalid (", "refused"},
	} {
		if strings.Contains(cause, t.code) {
			return t.id
		}
	}
	return "other"
}

func allCalls(w Words) Button {
	return Button{ID: ID(VerbAnnounce, "1"), Label: w.Plain("button.all_calls", nil)}
}

// callsCard lists the calls of a team; one more than a page holds says that
// there are more.
func callsCard(w Words, calls []core.CallView, page int) Card {
	more := len(calls) > callsPerPage
	calls = calls[:min(len(calls), callsPerPage)]
	card := Card{
		Title: w.Plain("calls.title", nil), Summary: w.Plain("calls.title", nil), Text: w.Text("calls.text", nil),
		Buttons: []Button{{ID: ID(VerbCallForm, ""), Label: w.Plain("button.new_call", nil), Style: StylePrimary}},
	}
	if len(calls) == 0 {
		card.Text = w.Text("calls.none", nil)
	}
	for _, v := range calls {
		card.Items = append(card.Items, Item{
			Text:   Join(Text{{Text: clip(oneLine(v.Call.Words), 80), Bold: true}}, callState(w, v)),
			Button: &Button{ID: ID(VerbCall, v.Call.ID), Label: w.Plain("button.show", nil)},
		})
	}
	if page > 1 {
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbAnnounce, strconv.Itoa(page-1)), Label: w.Plain("button.previous", nil)})
	}
	if more {
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbAnnounce, strconv.Itoa(page+1)), Label: w.Plain("button.next", nil)})
	}
	return card
}

// nothingToClaim tells somebody kindly that a call is not about them.
func nothingToClaim(w Words, p core.Person, held bool) Card {
	id := "called.nothing"
	if held {
		id = "called.held"
	}
	return Card{
		Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil),
		Buttons: []Button{
			{ID: pageID(p.Account.Identity, "new"), Label: w.Plain("button.my_badges", nil)},
			{ID: ID(VerbLink, "start"), Label: w.Plain("button.add_address", nil)},
		},
	}
}
