package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// maxSteps is how many steps a card shows: with a button on each they fit into
// Discord's 40 components
// (https://discord.com/developers/docs/components/reference).
const maxSteps = 8

// doneInWords is from how many public badges on they are counted instead of
// named.
const doneInWords = 3

// held shows a badge that its owner holds, with what follows.
func (c *Composer) held(ctx context.Context, w Words, v core.BadgeView, a core.Account) (Card, error) {
	f, err := c.Store.TaskFacts(ctx, a.MemberID)
	if err != nil {
		return Card{}, err
	}
	card, err := c.heldCard(w, v.Badge, a, f)
	return c.asking(ctx, w, card, v.Badge), err
}

// badgeCard shows how a badge stands, whatever that is.
func (c *Composer) badgeCard(ctx context.Context, w Words, v core.BadgeView, a core.Account) (Card, error) {
	if v.Badge.Stage.Held() {
		return c.held(ctx, w, v, a)
	}
	return c.asking(ctx, w, c.stageCard(w, v, a), v.Badge), nil
}

// tasks are those for one badge, or for all.
func (c *Composer) tasks(f core.TaskFacts, about string) []core.Task {
	return core.Tasks(f, about, core.ProvidedBy(c.Provider), c.Clock.Now())
}

// heldCard leads through what follows the acceptance of a badge, and is glad
// when nothing is left.
func (c *Composer) heldCard(w Words, b core.Badge, a core.Account, f core.TaskFacts) (Card, error) {
	tasks := c.tasks(f, b.ID)
	card := c.stageCard(w, core.BadgeView{Badge: b}, a)
	if len(tasks) == 0 {
		// It is not the person's any more.
		return card, nil
	}
	mine := card.Buttons[len(card.Buttons)-1]
	if core.AllDone(tasks) {
		return c.allSet(w, card, b, a, mine)
	}
	if b.Stage != core.StagePublic && tasks[1].State == core.TaskSkipped {
		card.Summary, card.Text = w.Plain("steps.kept", nil), w.Text("steps.kept", nil)
	}
	if b.Stage == core.StagePublic && profileOpen(tasks) {
		card.Text = w.Text("steps.profile.first", nil)
	}
	steps := c.stepRows(w, tasks, b.ID)
	card.Items, card.Buttons = steps.items, steps.buttons
	if b.Stage == core.StagePublic {
		card.Buttons = append(card.Buttons, shareButton(w, b, "button.share"))
	}
	card.Buttons = append(card.Buttons, mine)
	return card, nil
}

// profileOpen reports whether others may not see what is public, because of the
// profile.
func profileOpen(tasks []core.Task) bool {
	return slices.ContainsFunc(tasks, func(t core.Task) bool { return t.Ref.Kind == core.TaskProfile && t.State.Open() })
}

// allSet is the card of a badge for which nothing is left to do.
func (c *Composer) allSet(w Words, card Card, b core.Badge, a core.Account, mine Button) (Card, error) {
	args := c.badgeArgs(w, b)
	steps := Button{ID: stepsID(""), Label: w.Plain("button.steps", nil)}
	if b.Stage != core.StagePublic {
		card.Summary = w.Plain("steps.kept", nil)
		card.Text = Join(w.Text("steps.kept", nil), w.Text("steps.kept.done", nil))
		card.Buttons = []Button{steps, mine}
		return card, nil
	}
	token, err := c.Keys.SignatureToken(a.MemberID, c.Clock.Now())
	if err != nil {
		return Card{}, fmt.Errorf("link to signatures: %w", err)
	}
	card.Title, card.Summary, card.Text = w.Plain("steps.set.title", args), w.Plain("steps.set.summary", args), w.Text("steps.set.text", args)
	share := shareButton(w, b, "button.share")
	share.Style = StylePrimary
	card.Buttons = []Button{share, {URL: c.PublicURL + "/s/" + token, Label: w.Plain("button.signature", nil)}}
	if b.BadgeURL != "" && c.Provider.TrustedURL(b.BadgeURL) {
		card.Buttons = append(card.Buttons, Button{URL: b.BadgeURL, Label: w.Plain("button.open_badge", args)})
	}
	card.Buttons = append(card.Buttons, steps, mine)
	return card, nil
}

// allSteps shows what there is to do for all badges of a person.
func (c *Composer) allSteps(ctx context.Context, w Words, p core.Post) (Card, error) {
	f, err := c.Store.TaskFacts(ctx, p.Account.MemberID)
	if err != nil {
		return Card{}, err
	}
	mine := Button{ID: pageID(p.Account.Identity, "new"), Label: w.Plain("button.my_badges", nil)}
	tasks := c.tasks(f, "")
	if len(tasks) == 0 {
		return Card{
			Title: w.Plain("steps.title", nil), Summary: w.Plain("steps.none", nil), Text: w.Text("steps.none", nil),
			Buttons: []Button{mine},
		}, nil
	}
	open := 0
	for _, t := range tasks {
		if t.State.Open() {
			open++
		}
	}
	args := Args{"Count": open, "Provider": c.Provider.Name()}
	id := "steps.open"
	card := Card{Tone: ToneAction, Title: w.Plain("steps.title", nil)}
	if open == 0 {
		id, card.Tone = "steps.done", ToneGood
	}
	card.Summary, card.Text = w.Plain(id, args), w.Text(id, args)
	rows := c.stepRows(w, tasks, "")
	card.Items, card.Buttons = rows.items, append(rows.buttons, mine)
	if slices.ContainsFunc(f.Badges, func(b core.Badge) bool { return b.Stage == core.StagePublic }) {
		share := Button{ID: ID(VerbShare, shareAny), Label: w.Plain("button.share", nil)}
		card.Buttons = slices.Insert(card.Buttons, len(card.Buttons)-1, share)
	}
	return card, nil
}

// rows are steps as a card shows them.
type rows struct {
	items []Item
	// buttons are those of the step that is next.
	buttons []Button
}

// stepRows lists steps with what is done ticked off. What a person said can be
// taken back; the step that is next is explained, with its buttons.
func (c *Composer) stepRows(w Words, tasks []core.Task, about string) rows {
	var out rows
	var lines Text
	flush := func() {
		if len(lines) > 0 {
			out.items = append(out.items, Item{Text: lines})
		}
		lines = nil
	}
	tasks, public := summed(tasks, about)
	if public > 0 {
		lines = w.Text("steps.public.count", Args{"Count": public})
	}
	shown := tasks[:min(len(tasks), maxSteps)]
	for _, t := range shown {
		line := c.stepLine(w, t, about)
		switch t.State {
		case core.TaskSaid, core.TaskSkipped:
			flush()
			undo := &Button{ID: stepID(stepUndo, t.Ref, about), Label: w.Plain("button.undo", nil)}
			out.items = append(out.items, Item{Text: line, Button: undo})
		case core.TaskNext:
			flush()
			out.items = append(out.items, Item{Text: Join(line, w.Text("steps."+string(t.Ref.Kind)+".how", c.stepArgs(w, t)))})
			out.buttons = c.stepButtons(w, t, about)
		default:
			lines = Join(lines, line)
		}
	}
	if more := len(tasks) - len(shown); more > 0 {
		lines = Join(lines, w.Text("steps.more", Args{"Count": more}))
	}
	flush()
	return out
}

// summed leaves public badges out where they are many, and counts them.
func summed(tasks []core.Task, about string) ([]core.Task, int) {
	shown := func(t core.Task) bool { return t.Ref.Kind == core.TaskPublic && t.State == core.TaskSeen }
	n := 0
	for _, t := range tasks {
		if shown(t) {
			n++
		}
	}
	if about != "" || n < doneInWords {
		return tasks, 0
	}
	return slices.DeleteFunc(slices.Clone(tasks), shown), n
}

// stepLine is a step in one line, with how it stands.
func (c *Composer) stepLine(w Words, t core.Task, about string) Text {
	mark := map[core.TaskState]string{
		core.TaskSeen: "✓ ", core.TaskSaid: "✓ ", core.TaskSkipped: "– ", core.TaskNext: "▸ ", core.TaskLater: "○ ",
	}[t.State]
	id := "steps." + string(t.Ref.Kind)
	if t.Ref.Kind == core.TaskPublic && about == "" {
		id += ".named"
	}
	if !t.State.Open() && t.State != core.TaskSkipped {
		id += ".done"
	}
	line := w.Text(id, c.stepArgs(w, t))
	line = append(Text{{Text: mark}}, line...)
	if t.State == core.TaskNext {
		line = emphasized(line)
	}
	if t.State == core.TaskSaid || t.State == core.TaskSkipped {
		line = append(append(line, Run{Text: " · "}), w.Text("steps."+string(t.State), nil)...)
	}
	return line
}

// emphasized makes words bold and joins them, so that they are marked once,
// without the spaces at their ends, with which nothing is marked.
func emphasized(t Text) Text {
	var joined, out Text
	for _, r := range t {
		if last := len(joined) - 1; !r.Code && last >= 0 && !joined[last].Code {
			joined[last].Text += r.Text
			continue
		}
		joined = append(joined, r)
	}
	for _, r := range joined {
		words := strings.TrimSpace(r.Text)
		if r.Code || words == "" {
			out = append(out, r)
			continue
		}
		before, after, _ := strings.Cut(r.Text, words)
		for _, part := range []Run{{Text: before}, {Text: words, Bold: true}, {Text: after}} {
			if part.Text != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// stepsInLine are all steps in one line.
func (c *Composer) stepsInLine(w Words, tasks []core.Task, about string) Text {
	var out Text
	for i, t := range tasks[:min(len(tasks), maxSteps)] {
		if i > 0 {
			out = append(out, Run{Text: "  ·  "})
		}
		out = append(out, c.stepLine(w, t, about)...)
	}
	return out
}

func (c *Composer) stepArgs(w Words, t core.Task) Args {
	return Args{"Provider": c.Provider.Name(), "Badge": badgeName(w, t.Badge), "Address": Code(t.Address.Shown)}
}

// stepButtons are those of the step that is next: where it is done, and how to
// say that it is.
func (c *Composer) stepButtons(w Words, t core.Task, about string) []Button {
	var out []Button
	if page := c.taskURL(t); page != "" {
		label := "button.open_provider"
		if t.Ref.Kind == core.TaskPublic {
			label = "button.make_public"
		}
		out = append(out, Button{URL: page, Label: w.Plain(label, c.stepArgs(w, t)), Style: StylePrimary})
	}
	if t.Ref.Kind == core.TaskPublic && c.Provider.Capabilities().Has(core.TellsVisibility) {
		return append(out,
			Button{ID: stepID(stepLook, t.Ref, about), Label: w.Plain("button.share_again", nil)},
			Button{ID: stepID(stepSkip, t.Ref, about), Label: w.Plain("button.keep_private", nil)},
		)
	}
	return append(out,
		Button{ID: stepID(stepDone, t.Ref, about), Label: w.Plain("button.done", nil)},
		Button{ID: stepID(stepSkip, t.Ref, about), Label: w.Plain("button.skip", nil)},
	)
}

// stillPrivateCard says to who made a badge public that the provider does not
// show it so, or does not answer.
func (c *Composer) stillPrivateCard(w Words, b core.Badge, about string) Card {
	id, args := "steps.still", c.badgeArgs(w, b)
	if !c.lookedAt(b) {
		id = "steps.unread"
	}
	card := Card{
		Tone: ToneWarn, Title: w.Plain(id+".title", args), Summary: w.Plain(id+".title", args), Text: w.Text(id+".text", args),
	}
	if page := c.publishURL(b); page != "" {
		card.Buttons = append(card.Buttons, Button{URL: page, Label: w.Plain("button.make_public", nil), Style: StylePrimary})
	}
	ref := core.TaskRef{Kind: core.TaskPublic, Scope: b.ID}
	card.Buttons = append(card.Buttons, Button{ID: stepID(stepLook, ref, about), Label: w.Plain("button.share_again", nil)})
	return card
}

// lookedAt reports whether what is known of a badge was read just now.
func (c *Composer) lookedAt(b core.Badge) bool {
	return c.Clock.Now().Sub(b.ReadAt) <= readAgainAfter+readAgainWithin
}

// taskURL is the provider's page for a step, or "".
func (c *Composer) taskURL(t core.Task) string {
	page := ""
	if s, ok := c.Provider.(core.Signposts); ok {
		page = s.TaskURL(t.Ref.Kind, t.Badge)
	}
	if page == "" && t.Ref.Kind == core.TaskPublic {
		page = t.Badge.BadgeURL
	}
	if page == "" || !c.Provider.TrustedURL(page) {
		return ""
	}
	return page
}

// publishURL is the page on which the owner makes a badge public, or "".
func (c *Composer) publishURL(b core.Badge) string {
	return c.taskURL(core.Task{Ref: core.TaskRef{Kind: core.TaskPublic, Scope: b.ID}, Badge: b})
}
