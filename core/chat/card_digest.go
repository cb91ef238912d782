package chat

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// maxDigestTemplates is how many templates a digest lists.
const maxDigestTemplates = 10

// chartName is the name of the file with a digest's chart.
const chartName = "chart.png"

// digest makes the card of a digest. What comes so late that the next one is
// due as well is not shown for the first time.
func (c *Composer) digest(ctx context.Context, p core.Post) (Card, error) {
	i, err := c.Store.DigestIssue(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	if i.Digest.Account.ID != p.Account.ID || !p.Place.Shown && !p.Tried && i.Overtaken(c.Clock.Now()) {
		return Card{}, core.ErrNotFound
	}
	facts, err := c.Store.DigestFacts(ctx, i.From, i.To)
	if err != nil {
		return Card{}, err
	}
	w := c.Catalog.For(i.Digest.Locale)
	if i.Digest.Audience == core.AudienceManagers {
		return c.managersDigest(w, i, facts), nil
	}
	return c.teamDigest(w, i, facts), nil
}

// digestCard is what digests for everybody have in common.
func digestCard(w Words, i core.DigestIssue, f core.DigestFacts) Card {
	return Card{
		Title: w.Plain("digest.title."+string(i.Digest.Audience)+"."+string(i.Digest.Every), nil),
		Summary: w.Plain("digest.summary", Args{
			"Count": int(f.Cohort.Granted), "Claimed": int(f.Claimed), "Accepted": int(f.Accepted), "Public": int(f.Public),
		}),
		Text:   w.Text("digest.period", Args{"From": Day(i.From), "To": Day(i.To)}),
		Footer: w.Text("status.footer", nil),
	}
}

// teamDigest tells what came so far in the period.
func (c *Composer) teamDigest(w Words, i core.DigestIssue, f core.DigestFacts) Card {
	card := digestCard(w, i, f)
	bars := func(earned, claimed, accepted, public int64) []Bar {
		return []Bar{
			{Label: w.Plain("digest.step.earned", nil), Value: earned},
			{Label: w.Plain("digest.step.claimed", nil), Value: claimed},
			{Label: w.Plain("digest.step.accepted", nil), Value: accepted},
			{Label: w.Plain("digest.step.public", nil), Value: public},
		}
	}
	count := func(id string, n int64) Text { return w.Text(id, Args{"Count": int(n)}) }
	card.Text = Join(card.Text, Plain(""), count("digest.earned", f.Cohort.Granted), count("digest.claimed", f.Claimed),
		count("digest.accepted", f.Accepted), count("digest.public", f.Public))
	if listed := templateLines(w, f.Templates); len(listed) > 0 {
		card.Text = Join(card.Text, Plain(""), listed)
	}
	card.Text = Join(card.Text, Plain(""), w.Text("digest.standing", Args{
		"Waiting": int(f.Standing.Waiting), "Accepted": int(f.Standing.Accepted), "Public": int(f.Standing.Public),
	}))
	card.Picture = c.chart(w, card.Title, bars(f.Cohort.Granted, f.Claimed, f.Accepted, f.Public))
	if card.Picture == nil {
		// A quiet time has no picture of its own: all badges have.
		card.Picture = c.chart(w, w.Plain("digest.all.title", nil), bars(f.All.Granted, f.All.Claimed, f.All.Accepted, f.All.Public))
	}
	return card
}

func templateLines(w Words, templates []core.TemplateFacts) Text {
	if len(templates) == 0 {
		return nil
	}
	out := w.Text("digest.templates", nil)
	for _, t := range templates[:min(len(templates), maxDigestTemplates)] {
		out = Join(out, w.Text("digest.template", Args{
			"Badge": badgeName(w, core.Badge{Template: core.Template{Name: clip(t.Name, 80)}}), "Count": int(t.Cohort.Granted), "Public": int(t.Cohort.Public),
		}))
	}
	if more := len(templates) - maxDigestTemplates; more > 0 {
		out = Join(out, w.Text("digest.templates_more", Args{"Count": more}))
	}
	return out
}

// managersDigest tells how far the badges of the period have come, and what
// stands in the way.
func (c *Composer) managersDigest(w Words, i core.DigestIssue, f core.DigestFacts) Card {
	card := digestCard(w, i, f)
	count := func(id string, n int64) Text { return w.Text(id, Args{"Count": int(n)}) }
	steps := funnelBars(w, f.Cohort)
	if f.Cohort.Granted == 0 {
		card.Text = Join(card.Text, Plain(""), w.Text("digest.nothing", nil))
		card.Picture = c.chart(w, w.Plain("digest.all.title", nil), funnelBars(w, f.All))
	} else {
		card.Text = Join(card.Text, Plain(""), count("digest.funnel", f.Cohort.Granted))
		for _, s := range steps {
			card.Text = Join(card.Text, Text{{Text: s.Label + ": "}, {Text: s.Note, Bold: true}})
		}
		card.Picture = c.chart(w, card.Title, steps)
		if listed := templateLines(w, f.Templates); len(listed) > 0 {
			card.Text = Join(card.Text, Plain(""), listed)
		}
	}
	if f.Claimed > 0 {
		card.Text = Join(card.Text, Plain(""), w.Text("digest.time", Args{"Time": span(w, f.TimeToClaim)}))
	}
	all := make([]string, 0, len(steps))
	for _, s := range funnelBars(w, f.All) {
		all = append(all, fmt.Sprintf("%s %d", s.Label, s.Value))
	}
	card.Text = Join(card.Text, Plain(""), w.Text("digest.all", Args{"Steps": strings.Join(all, ", ")}))
	if f.Unlinked > 0 {
		card.Text = Join(card.Text, count("digest.unlinked", f.Unlinked))
	}
	if f.Waiting > 0 {
		card.Text = Join(card.Text, count("status.unreachable", f.Waiting))
	}
	if f.Dead > 0 {
		card.Tone = ToneWarn
		card.Text = Join(card.Text, count("status.dead", f.Dead))
	}
	return card
}

// funnelBars are the steps of a funnel, each with its share of the first.
func funnelBars(w Words, f core.Funnel) []Bar {
	bars := []Bar{
		{Label: "granted", Value: f.Granted},
		{Label: "claimed", Value: f.Claimed},
		{Label: "handed_off", Value: f.HandedOff},
		{Label: "accepted", Value: f.Accepted},
		{Label: "public", Value: f.Public},
		{Label: "shared", Value: f.Shared},
	}
	for i := range bars {
		b := &bars[i]
		b.Label, b.Note = w.Plain("digest.step."+b.Label, nil), fmt.Sprint(b.Value)
		if i > 0 && f.Granted > 0 {
			b.Note += fmt.Sprintf(" (%.0f %%)", math.Round(100*float64(b.Value)/float64(f.Granted)))
		}
	}
	return bars
}

// chart draws bars, if there is anything to be seen in them.
func (c *Composer) chart(w Words, title string, bars []Bar) *Picture {
	said := make([]string, 0, len(bars))
	var sum int64
	for _, b := range bars {
		sum += b.Value
		said = append(said, fmt.Sprintf("%s %d", b.Label, b.Value))
	}
	if c.Charts == nil || sum == 0 {
		return nil
	}
	data, ok := c.Charts.Bars(BarChart{Title: title, Bars: bars})
	if !ok {
		return nil
	}
	return &Picture{PNG: data, Name: chartName, Alt: w.Plain("digest.alt", Args{"Title": title, "Bars": strings.Join(said, ", ")})}
}

// span says within what time something happened, a minute at least.
func span(w Words, d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return w.Plain("span.days", Args{"Count": int(math.Round(d.Hours() / 24))})
	case d >= 2*time.Hour:
		return w.Plain("span.hours", Args{"Count": int(math.Round(d.Hours()))})
	default:
		return w.Plain("span.minutes", Args{"Count": max(1, int(math.Ceil(d.Minutes())))})
	}
}
