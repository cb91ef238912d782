package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func (s *shelf) DigestIssue(context.Context, string) (core.DigestIssue, error) {
	return s.issue, s.failure
}

func (s *shelf) DigestFacts(context.Context, time.Time, time.Time) (core.DigestFacts, error) {
	return s.facts, s.failure
}

func (s *shelf) Digests(_ context.Context, team string) ([]core.Digest, error) {
	if team != "slack:T1" {
		return nil, s.failure
	}
	return s.digests, s.failure
}

func (s *shelf) Customs(context.Context, string) (core.Customs, error) {
	return core.DefaultCustoms(), s.failure
}

// drawn are charts that say what would be drawn.
type drawn struct{}

func (drawn) Bars(c BarChart) ([]byte, bool) {
	out := c.Title
	for _, b := range c.Bars {
		out += fmt.Sprintf("; %s %d %s", b.Label, b.Value, b.Note)
	}
	return []byte(out), true
}

func goldenDigest(audience core.Audience, every core.Every) core.Digest {
	return core.Digest{
		ID: "digest-1", Team: "slack:T1", Account: core.Account{ID: "channel-1"}, ChannelName: "general <@U1> *x*",
		Audience: audience, Every: every, Zone: "Europe/Berlin", Next: time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC),
	}
}

func goldenFacts() core.DigestFacts {
	f := core.DigestFacts{
		Claimed: 31, Accepted: 24, Public: 1, TimeToClaim: 53 * time.Hour,
		Cohort:   core.Funnel{Granted: 40, Claimed: 20, HandedOff: 19, Accepted: 12, Public: 7, Shared: 1},
		Standing: core.Standing{Waiting: 70, Accepted: 30, Public: 200},
		All:      core.Funnel{Granted: 300, Claimed: 260, HandedOff: 250, Accepted: 230, Public: 200, Shared: 20},
		Unlinked: 1, Waiting: 2, Dead: 3,
	}
	for i := range 12 {
		f.Templates = append(f.Templates, core.TemplateFacts{
			Name: fmt.Sprintf("Certified *Gopher* %d", i+1), Cohort: core.Funnel{Granted: int64(12 - i), Public: int64(i)},
		})
	}
	f.Templates[1].Name = ""
	return f
}

func issueOf(d core.Digest) core.DigestIssue {
	return core.DigestIssue{ID: "issue-1", Digest: d, From: noon.Add(-171 * time.Hour), To: noon.Add(-3 * time.Hour)}
}

// goldenDigests makes every card about digests.
func goldenDigests(t *testing.T, c *Composer, w Words, put func(name, text string)) {
	t.Helper()
	c.Charts = drawn{}
	defer func() { c.Charts = nil }()
	compose := func(name string, audience core.Audience, every core.Every, f core.DigestFacts) {
		i := issueOf(goldenDigest(audience, every))
		i.Digest.Locale = w.Lang()
		c.Store = &shelf{issue: i, facts: f}
		card, err := c.Compose(t.Context(), core.Post{Account: i.Digest.Account, Subject: core.Subject{Kind: core.SubjectDigest, ID: i.ID}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := readable(card)
		if card.Picture != nil {
			text += fmt.Sprintf("\npicture: %s (%s)\n%s\n", card.Picture.Name, card.Picture.Alt, card.Picture.PNG)
		}
		put(name, text)
	}
	quiet := core.DigestFacts{Standing: core.Standing{Waiting: 1}, All: core.Funnel{Granted: 1}}
	one := core.DigestFacts{
		Claimed: 1, TimeToClaim: 40 * time.Minute, Cohort: core.Funnel{Granted: 1, Claimed: 1},
		Templates: []core.TemplateFacts{{Name: "Gopher", Cohort: core.Funnel{Granted: 1}}},
	}
	compose("digest, team", core.AudienceTeam, core.EveryWeek, goldenFacts())
	compose("digest, team, nothing", core.AudienceTeam, core.EveryMonth, quiet)
	compose("digest, team, one", core.AudienceTeam, core.EveryWeek, one)
	compose("digest, managers", core.AudienceManagers, core.EveryMonth, goldenFacts())
	compose("digest, managers, nothing", core.AudienceManagers, core.EveryWeek, quiet)
	compose("digest, managers, one", core.AudienceManagers, core.EveryWeek, one)

	all := []core.Digest{goldenDigest(core.AudienceTeam, core.EveryWeek), goldenDigest(core.AudienceManagers, core.EveryMonth)}
	put("digests, none", readable(digestsCard(w, nil, nil)))
	put("digests", readable(digestsCard(w, all, w.Text("digests.sent", Args{"Channel": "#general"}))))
	put("digests, as many as there can be", readable(digestsCard(w, append(all, all[0], all[1], all[0]), nil)))
	s := &Service{Store: &shelf{failure: nil}, Clock: fixed(noon), Catalog: c.Catalog}
	form, err := s.digestForm(t.Context(), w, Action{Team: "slack:T1"}, "C1.managers.month.Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	put("form, digest", readableForm(form))
	refused := refusedDigest(w, digestDraft{channel: "C1", audience: "team", every: "week", zone: "Europe/Nowhere"}, map[string]string{
		fieldChannel: w.Plain("trouble.channel.absent", nil), fieldZone: w.Plain("trouble.hours.zone", nil),
	})
	put("refusal, digest", readable(*refused.Card))
}

// What is overtaken, or not of this channel, is not sent.
func TestDigestIsNotShown(t *testing.T) {
	t.Parallel()
	i := issueOf(goldenDigest(core.AudienceTeam, core.EveryWeek))
	late := i
	late.To = noon.AddDate(0, 0, -7)
	here := core.Account{ID: "channel-1"}
	for name, tt := range map[string]struct {
		store *shelf
		post  core.Post
		want  bool
	}{
		"in time":                 {&shelf{issue: i}, core.Post{Account: here}, true},
		"overtaken":               {&shelf{issue: late}, core.Post{Account: here}, false},
		"overtaken, maybe shown":  {&shelf{issue: late}, core.Post{Account: here, Tried: true}, true},
		"overtaken, shown":        {&shelf{issue: late}, core.Post{Account: here, Place: core.Place{Shown: true}}, true},
		"of another channel":      {&shelf{issue: i}, core.Post{Account: core.Account{ID: "channel-2"}}, false},
		"of a digest that is not": {&shelf{failure: core.ErrNotFound}, core.Post{Account: here}, false},
	} {
		tt.post.Subject = core.Subject{Kind: core.SubjectDigest, ID: "issue-1"}
		_, err := goldenComposer(t, tt.store).Compose(t.Context(), tt.post)
		if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only managers get anything of digests, and only of their own team.
func TestDigestsAreForManagers(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	s := &Service{
		Store: &shelf{digests: []core.Digest{goldenDigest(core.AudienceTeam, core.EveryWeek)}}, Clock: fixed(noon), Catalog: c.Catalog,
		Composer: c, Log: slog.New(slog.DiscardHandler), Provider: provider{},
	}
	w := c.Catalog.For("en")
	for _, arg := range []string{"", "new", "remove.digest-1", "now.digest-1", "new.C1.team.week.UTC"} {
		for _, source := range []Source{SourceCommand, SourcePress, SourceSubmit} {
			answer, err := s.digests(t.Context(), w, Action{Actor: reads.Identity, Team: "slack:T1", Source: source, Arg: arg})
			if err != nil || answer.Form != nil || answer.Card == nil || answer.Card.Title != "This is for managers" {
				t.Errorf("%q: %+v, %v", arg, answer, err)
			}
		}
	}
	manager := Action{Actor: reads.Identity, Manager: true, Source: SourceCommand}
	if answer, err := s.digests(t.Context(), w, manager); err != nil || answer.Card.Title != "Please do this in your server" {
		t.Errorf("without a team: %+v, %v", answer, err)
	}
	for team, items := range map[string]int{"slack:T1": 2, "slack:T2": 0} {
		manager.Team = team
		if answer, err := s.digests(t.Context(), w, manager); err != nil || len(answer.Card.Items) != items {
			t.Errorf("%s: %+v, %v", team, answer, err)
		}
	}
}

// channelsThat say the same of every channel.
type channelsThat struct{ err error }

func (c channelsThat) Channel(context.Context, core.Identity) (ChannelInfo, error) {
	return ChannelInfo{Name: "general", Team: "slack:T1"}, c.err
}

// What is wrong is said at its field, and what was entered can be had again.
func TestDigestIsRefusedAtItsFields(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	good := map[string]string{fieldChannel: "C1", fieldAudience: "team", fieldEvery: "week", fieldZone: "Europe/Berlin"}
	for name, tt := range map[string]struct {
		field, value string
		err          error
		wrong        []string
	}{
		"no channel":       {fieldChannel, "", nil, []string{fieldChannel}},
		"archived":         {fieldChannel, "C1", ErrArchived, []string{fieldChannel}},
		"not in it":        {fieldChannel, "C1", ErrNoChannel, []string{fieldChannel}},
		"may not":          {fieldChannel, "C1", ErrMayNotPost, []string{fieldChannel}},
		"does not answer":  {fieldChannel, "C1", errors.New("away"), []string{fieldChannel}},
		"no audience":      {fieldAudience, "everybody", nil, []string{fieldAudience}},
		"no frequency":     {fieldEvery, "second", nil, []string{fieldEvery}},
		"no zone":          {fieldZone, "", nil, []string{fieldZone}},
		"own zone":         {fieldZone, "Local", nil, []string{fieldZone}},
		"a path":           {fieldZone, "../../etc/passwd", nil, []string{fieldZone}},
		"zone and channel": {fieldZone, "Mars", ErrArchived, []string{fieldChannel, fieldZone}},
		"a very long zone": {fieldZone, strings.Repeat("x", 200), nil, []string{fieldZone}},
	} {
		s := &Service{
			Store: &shelf{}, Clock: fixed(noon), Catalog: c.Catalog, Composer: c, Log: slog.New(slog.DiscardHandler),
			Channels: map[core.Platform]Channels{"slack": channelsThat{tt.err}},
		}
		fields := map[string]string{}
		for k, v := range good {
			fields[k] = v
		}
		fields[tt.field] = tt.value
		answer, err := s.digests(t.Context(), c.Catalog.For("en"), Action{
			Actor: reads.Identity, Team: "slack:T1", Manager: true, Source: SourceSubmit, Verb: VerbDigests, Arg: "new", Fields: fields,
		})
		var wrong []string
		for field, sentence := range answer.FieldErrors {
			if sentence == "" || strings.HasPrefix(sentence, "trouble.") {
				t.Errorf("%s: %s: %q", name, field, sentence)
			}
			wrong = append(wrong, field)
		}
		slices.Sort(wrong)
		if err != nil || !slices.Equal(wrong, tt.wrong) || answer.Card == nil {
			t.Errorf("%s: %+v, %v", name, answer, err)
			continue
		}
		again := answer.Card.Buttons[0].ID
		verb, arg, ok := ParseID(again)
		if !ok || verb != VerbDigests {
			t.Errorf("%s: %q is no id", name, again)
		}
		_, draft, _ := strings.Cut(arg, ".")
		form, err := s.digestForm(t.Context(), c.Catalog.For("en"), Action{Team: "slack:T1"}, draft)
		if err != nil || len(tt.value) < 60 && tt.value != "" && tt.field == fieldZone && form.Fields[3].Value != tt.value {
			t.Errorf("%s: the form begins with %+v, %v", name, form, err)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil).Catalog
	for d, want := range map[time.Duration][2]string{
		0:                     {"1 minute", "1 Minute"},
		time.Second:           {"1 minute", "1 Minute"},
		90 * time.Second:      {"2 minutes", "2 Minuten"},
		2 * time.Hour:         {"2 hours", "2 Stunden"},
		47 * time.Hour:        {"47 hours", "47 Stunden"},
		48 * time.Hour:        {"2 days", "2 Tagen"},
		1000 * 24 * time.Hour: {"1000 days", "1000 Tagen"},
	} {
		if got := [2]string{span(c.For("en"), d), span(c.For("de"), d)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
