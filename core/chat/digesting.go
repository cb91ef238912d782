package chat

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Names of the fields of the form for a digest, beside the channel and the
// zone.
const (
	fieldAudience = "audience"
	fieldEvery    = "every"
)

// What the opaque part of an id says is to be done with digests, before a
// point and what it is done with.
const (
	digestForm   = "new"
	digestRemove = "remove"
	digestNow    = "now"
)

// digests lets managers see, make, remove and try the digests of their team.
func (s *Service) digests(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Team == "" {
		return forTeams(w, a), nil
	}
	if !s.manages(a) {
		return forManagers(w, a), nil
	}
	if a.Source == SourceCommand {
		return s.listDigests(ctx, w, a, nil)
	}
	what, arg, _ := strings.Cut(a.Arg, ".")
	switch {
	case what == digestForm && a.Source == SourceSubmit:
		return s.addDigest(ctx, w, a)
	case what == digestForm:
		form, err := s.digestForm(ctx, w, a, arg)
		return Answer{Form: form}, err
	case what == digestRemove:
		return s.removeDigest(ctx, w, a, arg)
	case what == digestNow:
		return s.digestNow(ctx, w, a, arg)
	default:
		return s.listDigests(ctx, w, a, nil)
	}
}

// listDigests shows the digests of a team, below what has just been done.
func (s *Service) listDigests(ctx context.Context, w Words, a Action, done Text) (Answer, error) {
	all, err := s.Store.Digests(ctx, a.Team)
	if err != nil {
		return Answer{}, err
	}
	card := digestsCard(w, all, done)
	return Answer{Card: &card}, nil
}

// digestsCard lists digests, each as two rows, because a row has one button.
func digestsCard(w Words, all []core.Digest, done Text) Card {
	many := "digests.summary"
	if len(all) == 0 {
		many = "digests.none"
	}
	there := w.Text(many, Args{"Count": len(all)})
	card := Card{
		Title: w.Plain("digests.title", nil), Summary: there.String(), Text: Join(done, there, w.Text("digests.text", nil)),
	}
	if len(done) > 0 {
		card.Tone, card.Summary = ToneGood, done.String()
	}
	for _, d := range all[:min(len(all), core.MaxDigests)] {
		card.Items = append(card.Items,
			Item{
				Text: Join(Text{{Text: "#" + d.ChannelName, Bold: true}}, w.Text("digests.item."+string(d.Audience)+"."+string(d.Every), nil)),
				Button: &Button{
					ID: ID(VerbDigests, digestNow+"."+d.ID), Label: w.Plain("button.digest_now", nil),
				},
			},
			Item{
				Text: w.Text("digests.next", Args{"Next": d.Next, "Zone": d.Zone}),
				Button: &Button{
					ID: ID(VerbDigests, digestRemove+"."+d.ID), Label: w.Plain("button.unlink", nil), Style: StyleDanger,
					Confirm: w.Plain("digests.confirm", Args{"Channel": "#" + d.ChannelName}),
				},
			},
		)
	}
	if len(all) >= core.MaxDigests {
		card.Footer = w.Text("digests.full", Args{"Count": core.MaxDigests})
		return card
	}
	card.Buttons = []Button{{ID: ID(VerbDigests, digestForm), Label: w.Plain("button.digest_new", nil), Style: StylePrimary}}
	return card
}

// digestDraft is what was entered into the form, short enough for the id of
// the button that opens it again.
type digestDraft struct{ channel, audience, every, zone string }

func (d digestDraft) arg() string {
	for _, parts := range [][]string{
		{digestForm, d.channel, d.audience, d.every, d.zone}, {digestForm, d.channel, d.audience, d.every},
	} {
		if arg := strings.Join(parts, "."); len(ID(VerbDigests, arg)) <= MaxID {
			return arg
		}
	}
	return digestForm
}

func parseDigestDraft(arg string) digestDraft {
	parts := append(strings.SplitN(arg, ".", 4), "", "", "", "")
	return digestDraft{channel: parts[0], audience: parts[1], every: parts[2], zone: parts[3]}
}

// digestForm asks for a new digest; it begins with what was entered before.
func (s *Service) digestForm(ctx context.Context, w Words, a Action, arg string) (*Form, error) {
	d := parseDigestDraft(arg)
	if d.zone == "" {
		var err error
		if d.zone, err = s.zone(ctx, a); err != nil {
			return nil, err
		}
	}
	choice := func(name string, values ...string) []Choice {
		out := make([]Choice, 0, len(values))
		for _, v := range values {
			out = append(out, Choice{Name: w.Plain("form.digest."+name+"."+v, nil), Value: v})
		}
		return out
	}
	pick := func(value string, options []Choice) string {
		for _, o := range options {
			if o.Value == value {
				return value
			}
		}
		return options[0].Value
	}
	audiences := choice("audience", string(core.AudienceTeam), string(core.AudienceManagers))
	frequencies := choice("every", string(core.EveryWeek), string(core.EveryMonth))
	return &Form{
		ID: ID(VerbDigests, digestForm), Title: w.Plain("form.digest.title", nil), Submit: w.Plain("form.digest.submit", nil),
		Cancel: w.Plain("form.cancel", nil),
		Fields: []Field{
			{
				Name: fieldChannel, Label: w.Plain("form.digest.channel", nil), Hint: w.Plain("form.digest.channel_hint", nil),
				Kind: FieldChannel, MinLen: 1, Value: d.channel,
			},
			{
				Name: fieldAudience, Label: w.Plain("form.digest.audience", nil), Kind: FieldChoice, MinLen: 1,
				Options: audiences, Value: pick(d.audience, audiences),
			},
			{
				Name: fieldEvery, Label: w.Plain("form.digest.every", nil), Kind: FieldChoice, MinLen: 1,
				Options: frequencies, Value: pick(d.every, frequencies),
			},
			{
				Name: fieldZone, Label: w.Plain("form.hours.zone", nil), Hint: w.Plain("form.hours.zone_hint", nil),
				Placeholder: "Europe/Berlin", Value: d.zone, MinLen: 1, MaxLen: 60,
			},
		},
	}, nil
}

// addDigest makes what was entered, or says at each field what is wrong.
func (s *Service) addDigest(ctx context.Context, w Words, a Action) (Answer, error) {
	entered := digestDraft{
		channel: a.Fields[fieldChannel], audience: a.Fields[fieldAudience], every: a.Fields[fieldEvery],
		zone: strings.TrimSpace(a.Fields[fieldZone]),
	}
	d := core.Digest{
		Team: a.Team, Audience: core.Audience(entered.audience), Every: core.Every(entered.every), Zone: entered.zone,
		Locale: w.Lang(),
	}
	wrong := map[string]string{}
	if zone, err := time.LoadLocation(entered.zone); err != nil || entered.zone == "" || zone == time.Local || entered.zone == "Local" {
		wrong[fieldZone] = w.Plain("trouble.hours.zone", nil)
	}
	if d.Audience != core.AudienceTeam && d.Audience != core.AudienceManagers {
		wrong[fieldAudience] = w.Plain("trouble.digest.choice", nil)
	}
	if d.Every != core.EveryWeek && d.Every != core.EveryMonth {
		wrong[fieldEvery] = w.Plain("trouble.digest.choice", nil)
	}
	var problem string
	if d.Account, d.ChannelName, problem = s.readChannel(ctx, a, entered.channel); problem != "" {
		wrong[fieldChannel] = w.Plain("trouble.channel."+problem, nil)
	}
	if len(wrong) > 0 {
		return refusedDigest(w, entered, wrong), nil
	}
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	d, err = s.Digests.Add(ctx, who, d)
	if errors.Is(err, core.ErrTooManyDigests) {
		return refusedDigest(w, entered, map[string]string{fieldChannel: w.Plain("digests.full", Args{"Count": core.MaxDigests})}), nil
	}
	if err != nil {
		return Answer{}, err
	}
	return s.listDigests(ctx, w, a, w.Text("digests.added", Args{"Channel": "#" + d.ChannelName, "Next": d.Next}))
}

// refusedDigest says what is wrong, where a platform can at the field; what
// was entered is not lost.
func refusedDigest(w Words, entered digestDraft, wrong map[string]string) Answer {
	card := Card{
		Tone: ToneWarn, Title: w.Plain("trouble.digest.title", nil), Summary: w.Plain("trouble.digest.title", nil),
		Buttons: []Button{{ID: ID(VerbDigests, entered.arg()), Label: w.Plain("button.try_again", nil), Style: StylePrimary}},
	}
	for _, field := range []string{fieldChannel, fieldAudience, fieldEvery, fieldZone} {
		if sentence := wrong[field]; sentence != "" {
			card.Text = Join(card.Text, Plain(sentence))
		}
	}
	return Answer{Card: &card, Where: Aside, FieldErrors: wrong}
}

func (s *Service) removeDigest(ctx context.Context, w Words, a Action, id string) (Answer, error) {
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	// Who presses twice sees the list as it is.
	if err := s.Digests.Remove(ctx, who, a.Team, id); err != nil && !errors.Is(err, core.ErrNotFound) {
		return Answer{}, err
	}
	return s.listDigests(ctx, w, a, w.Text("digests.removed", nil))
}

func (s *Service) digestNow(ctx context.Context, w Words, a Action, id string) (Answer, error) {
	who, err := s.who(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	d, err := s.Digests.SendNow(ctx, who, a.Team, id)
	switch {
	case errors.Is(err, core.ErrTooMany):
		card := Card{
			Tone: ToneWarn, Title: w.Plain("trouble.digest_soon.title", nil), Summary: w.Plain("trouble.digest_soon.title", nil),
			Text: w.Text("trouble.digest_soon.text", nil),
		}
		return Answer{Card: &card, Where: Aside}, nil
	case errors.Is(err, core.ErrNotFound):
		return s.listDigests(ctx, w, a, nil)
	case err != nil:
		return Answer{}, err
	}
	s.Wake()
	return s.listDigests(ctx, w, a, w.Text("digests.sent", Args{"Channel": "#" + d.ChannelName}))
}
