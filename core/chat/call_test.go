package chat

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func (s *shelf) Call(context.Context, string) (core.Call, error) { return s.call, s.failure }

func (s *shelf) CallTemplates(context.Context, []string, int) ([]core.Template, error) {
	return s.templates, s.failure
}

// announced is a call to claim that is open.
func announced() core.Call {
	return core.Call{
		ID: "call-1", Team: "slack:T1", ChannelName: "general", State: core.CallOpen, Zone: "Europe/Berlin",
		Channel: core.Account{Identity: core.ChannelIdentity("slack", "T1", "C1")},
		Words:   "Congratulations to *everybody*!\n<@U2> see https://example.org", PictureURL: "https://example.org/party.png",
		Templates: []string{"t1"}, Edition: 1, Claimed: 17, Total: 40,
	}
}

// goldenCalls makes every card about calls to claim.
func goldenCalls(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	compose := func(name string, change func(*core.Call)) {
		call := announced()
		call.Locale = w.Lang()
		change(&call)
		c.Store = &shelf{call: call}
		card, err := c.Compose(t.Context(), core.Post{
			Account: call.Channel, Subject: core.CallSubject(call.ID, 1), Place: core.Place{Shown: true},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		put(name, readable(card))
	}
	compose("call", func(*core.Call) {})
	compose("call, nothing to count, no picture", func(c *core.Call) { c.Total, c.PictureURL = 0, "" })
	compose("call, closed", func(c *core.Call) { c.State, c.Claimed = core.CallClosed, 40 })
	compose("call, a newer one", func(c *core.Call) { c.Edition = 2 })

	d := core.CallDraft{ID: "draft-1", Team: "slack:T1", Zone: "Europe/Berlin", Fields: map[string]string{fieldWords: "Hello"}}
	entered := enteredCall{call: announced()}
	put("call, preview", readable(previewCard(w, d, entered)))
	entered.at, entered.call.Cron = noon.AddDate(0, 0, 7), "0 9 * * 1"
	put("call, preview, later and again", readable(previewCard(w, d, entered)))

	manage := func(name string, change func(*core.CallView)) core.CallView {
		v := core.CallView{Call: announced()}
		change(&v)
		put("call, managed, "+name, readable(c.managedCall(w, v)))
		return v
	}
	scheduled := manage("scheduled", func(v *core.CallView) {
		v.Call.State, v.Call.Edition, v.Call.NextAt = core.CallScheduled, 0, noon.AddDate(0, 0, 7)
	})
	open := manage("open, again", func(v *core.CallView) { v.Call.NextAt, v.Call.Cron = noon.AddDate(0, 0, 7), "0 9 * * 1" })
	manage("open, each month", func(v *core.CallView) { v.Call.NextAt, v.Call.Cron = noon.AddDate(0, 0, 7), "5 17 1 * *" })
	manage("open, by a rule", func(v *core.CallView) { v.Call.NextAt, v.Call.Cron = noon.AddDate(0, 0, 7), "0 9 1-7 * MON" })
	closed := manage("closed", func(v *core.CallView) { v.Call.State = core.CallClosed })
	gone := manage("bot is gone", func(v *core.CallView) { v.Trouble = "send direct message: target_dead (50001): discord answered 403" })
	manage("archived", func(v *core.CallView) { v.Trouble = "target_dead (is_archived): chat.postMessage" })
	manage("may not", func(v *core.CallView) { v.Trouble = "target_dead (50013): discord answered 403" })
	manage("refused", func(v *core.CallView) { v.Trouble = "invalid (invalid_blocks): chat.postMessage" })
	manage("other", func(v *core.CallView) { v.Trouble = "platform is not configured" })
	put("calls", readable(callsCard(w, []core.CallView{scheduled, open, gone, closed, closed, closed}, 2)))
	put("calls, none", readable(callsCard(w, nil, 1)))
	put("call, used up", readable(*callUsedUp(w).Card))

	p := goldenPerson("ada@example.org")
	put("called, nothing", readable(nothingToClaim(w, p, false)))
	put("called, held", readable(nothingToClaim(w, p, true)))

	entered.wrong = map[string]string{}
	for field, id := range map[string]string{
		fieldTemplates: "call.template", fieldChannel: "channel.absent", fieldWords: "call.empty", fieldPicture: "call.picture", fieldWhen: "call.when",
	} {
		entered.wrong[field] = w.Plain("trouble."+id, nil)
	}
	put("refusal, call", readable(*refusedCall(w, d, entered)))
	var sentences []string
	for _, id := range []string{
		"call.long", "call.past", "call.far", "call.never", "call.often", "channel.empty", "channel.unknown",
		"channel.archived", "channel.permission", "channel.foreign",
	} {
		sentences = append(sentences, w.Plain("trouble."+id, nil))
	}
	put("refusals of a call", strings.Join(sentences, "\n")+"\n")

	s := &Service{Store: &shelf{templates: []core.Template{{ID: "t1", Name: "Project Manager"}}}, Clock: fixed(noon)}
	form, err := s.callForm(t.Context(), w, d, core.CallScheduled)
	if err != nil {
		t.Fatal(err)
	}
	put("form, call", readableForm(form))
	d.CallID = "call-1"
	if form, err = s.callForm(t.Context(), w, d, core.CallOpen); err != nil {
		t.Fatal(err)
	}
	put("form, call, open", readableForm(form))
	answer, err := s.announce(t.Context(), w, Action{Actor: reader.Identity, Source: SourceCommand, Verb: VerbAnnounce, Manager: true})
	if err != nil {
		t.Fatal(err)
	}
	put("refusal, no team", readable(*answer.Card))
}

// A call that ended before anybody saw it is not shown any more; what may have
// been shown is brought up to date.
func TestCallThatEndedUnseen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*core.Call)
		post   core.Post
		shown  bool
	}{
		"open":                    {change: func(*core.Call) {}, shown: true},
		"closed":                  {change: func(c *core.Call) { c.State = core.CallClosed }},
		"closed, perhaps shown":   {change: func(c *core.Call) { c.State = core.CallClosed }, post: core.Post{Tried: true}, shown: true},
		"closed, shown":           {change: func(c *core.Call) { c.State = core.CallClosed }, post: core.Post{Place: core.Place{Shown: true}}, shown: true},
		"another edition":         {change: func(c *core.Call) { c.Edition = 2 }},
		"another edition, shown":  {change: func(c *core.Call) { c.Edition = 2 }, post: core.Post{Place: core.Place{Shown: true}}, shown: true},
		"subject without edition": {change: func(*core.Call) {}, post: core.Post{Subject: core.Subject{ID: "call-1"}}},
	} {
		call := announced()
		tc.change(&call)
		if tc.post.Subject.ID == "" {
			tc.post.Subject = core.CallSubject(call.ID, 1)
		}
		tc.post.Subject.Kind = core.SubjectCall
		card, err := goldenComposer(t, &shelf{call: call}).Compose(t.Context(), tc.post)
		if (err == nil) != tc.shown || !tc.shown && !errors.Is(err, ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
		open := slices.ContainsFunc(card.Buttons, func(b Button) bool { return b.ID == ID(VerbCalled, call.ID) })
		if open != (name == "open") {
			t.Errorf("%s: buttons %v", name, card.Buttons)
		}
	}
}

func TestReadWhen(t *testing.T) {
	t.Parallel()
	berlin := zoneNamed("Europe/Berlin")
	c := goldenComposer(t, nil).Catalog
	for text, want := range map[string]struct {
		at            string
		rule, problem string
	}{
		"":                        {},
		" Now ":                   {},
		"jetzt":                   {},
		"weekly":                  {rule: "0 13 * * 1"},
		"wöchentlich":             {rule: "0 13 * * 1"},
		"monthly":                 {rule: "0 13 2 * *"},
		"2026-12-01 09:00":        {at: "2026-12-01T08:00:00Z"},
		" 2026-12-01T09:00 ":      {at: "2026-12-01T08:00:00Z"},
		"0 9 * * 1":               {at: "2026-11-09T08:00:00Z", rule: "0 9 * * 1"},
		"0  9  * * TUE":           {at: "2026-11-03T08:00:00Z", rule: "0 9 * * TUE"},
		"2026-11-02 12:59":        {problem: "past"},
		"2026-11-02 13:00":        {problem: "past"},
		"2026-11-02 13:01":        {at: "2026-11-02T12:01:00Z"},
		"2029-11-02 12:00":        {problem: "far"},
		"tomorrow":                {problem: "when"},
		"0 0 30 2 *":              {problem: "never"},
		"* * * * *":               {problem: "often"},
		"* * * * * *":             {problem: "often"},
		"@every 1s":               {problem: "often"},
		"0 0 9 * * 1":             {problem: "when"},
		strings.Repeat("0 ", 200): {problem: "when"},
	} {
		at, rule, problem := readWhen(c.For("de"), text, berlin, noon)
		got := ""
		if !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != want.at || rule != want.rule || problem != want.problem {
			t.Errorf("%q: %q, %q, %q", text, got, rule, problem)
		}
	}
}

// pictures takes one address.
type pictures struct{}

func (pictures) Picture(_ context.Context, url string) error {
	if url != "https://example.org/party.png" {
		return errors.New("no picture")
	}
	return nil
}

// channels has one channel for each answer.
type channels struct{}

func (channels) Channel(_ context.Context, id core.Identity) (ChannelInfo, error) {
	channel, _ := id.Channel()
	switch channel {
	case "good":
		return ChannelInfo{Name: "general", Team: "discord:1"}, nil
	case "foreign":
		return ChannelInfo{Name: "general", Team: "discord:2"}, nil
	case "archived":
		return ChannelInfo{}, ErrArchived
	case "forbidden":
		return ChannelInfo{}, ErrMayNotPost
	case "away":
		return ChannelInfo{}, errors.New("connection lost")
	default:
		return ChannelInfo{}, ErrNoChannel
	}
}

// Every field that does not go is refused at the field.
func TestReadCall(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	s := &Service{
		Store: &shelf{templates: []core.Template{{ID: "t1"}}}, Clock: fixed(noon), Log: slog.New(slog.DiscardHandler), Pictures: pictures{},
		Channels: map[core.Platform]Channels{"discord": channels{}},
	}
	w := c.Catalog.For("en")
	good := map[string]string{
		fieldTemplates: "t1", fieldChannel: "good", fieldWords: " Hello ", fieldPicture: "https://example.org/party.png", fieldWhen: "0 9 * * 1",
	}
	read := func(field, value string, state core.CallState) enteredCall {
		d := core.CallDraft{Zone: "Europe/Berlin", Fields: map[string]string{}}
		for name, v := range good {
			d.Fields[name] = v
		}
		d.Fields[field] = value
		e, err := s.readCall(t.Context(), w, Action{Actor: core.Identity{Platform: "discord", User: "1"}, Team: "discord:1"}, d, state)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := read(fieldWords, " Hello ", core.CallScheduled)
	if len(e.wrong) > 0 || e.call.Words != "Hello" || e.call.ChannelName != "general" || e.call.Cron != "0 9 * * 1" || e.at.IsZero() ||
		e.call.Channel.Identity != core.ChannelIdentity("discord", "", "good") || !slices.Equal(e.call.Templates, []string{"t1"}) {
		t.Errorf("got %+v", e)
	}
	for name, tc := range map[string]struct{ field, value, says string }{
		"no text":               {fieldWords, " \n ", "Write what"},
		"too long":              {fieldWords, strings.Repeat("ü", core.MaxCallWords+1), "too long"},
		"no channel":            {fieldChannel, "", "Choose a channel"},
		"without the bot":       {fieldChannel, "elsewhere", "I am not in this channel"},
		"archived":              {fieldChannel, "archived", "archived"},
		"may not":               {fieldChannel, "forbidden", "not allowed"},
		"of another server":     {fieldChannel, "foreign", "another server"},
		"platform away":         {fieldChannel, "away", "just now"},
		"past":                  {fieldWhen, "2026-01-01 09:00", "passed"},
		"every minute":          {fieldWhen, "* * * * *", "more than once a day"},
		"never":                 {fieldWhen, "0 0 31 2 *", "never"},
		"unreadable":            {fieldWhen, "soon", "do not understand"},
		"template gone":         {fieldTemplates, "t1,t9", "not there any more"},
		"not a picture":         {fieldPicture, "https://example.org/index.html", "not a picture"},
		"picture without https": {fieldPicture, "http://example.org/party.png", "not a picture"},
		"picture with password": {fieldPicture, "https://ada:secret@example.org/party.png", "not a picture"},
		"no address":            {fieldPicture, "party.png", "not a picture"},
		"long address":          {fieldPicture, "https://example.org/" + strings.Repeat("x", maxPictureURL), "not a picture"},
	} {
		e := read(tc.field, tc.value, core.CallScheduled)
		if len(e.wrong) != 1 || !strings.Contains(e.wrong[tc.field], tc.says) {
			t.Errorf("%s: %v", name, e.wrong)
		}
	}
	// Of an open call neither channel nor time are looked at.
	if e := read(fieldChannel, "elsewhere", core.CallOpen); len(e.wrong) > 0 {
		t.Errorf("open: %v", e.wrong)
	}
	if e := read(fieldPicture, "", core.CallScheduled); len(e.wrong) > 0 || e.call.PictureURL != "" {
		t.Errorf("no picture: %v", e.wrong)
	}
}
