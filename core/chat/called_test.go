package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// announce makes an open call about templates and returns its id.
func (r *room) announce(templates ...string) string {
	r.t.Helper()
	draft := core.CallDraft{ID: core.NewID(), Team: "slack:T1"}
	r.must(r.db.SaveCallDraft(r.t.Context(), draft, r.now))
	calls := &core.Calls{Store: r.db, Clock: r}
	c, err := calls.Publish(r.t.Context(), "", draft.ID, core.Call{
		Team: "slack:T1", Words: "Hello", Templates: templates,
		Channel: core.Account{Identity: core.ChannelIdentity("slack", "T1", "C1")},
	}, time.Time{}, "")
	r.must(err)
	return c.ID
}

// Whatever a press on a message in a channel leads to, nothing of it stands
// in that message.
func TestPublicPressIsNeverAnsweredInPlace(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	r.badge("gopher", "ada@example.org", core.StagePending)
	r.badge("owl", "ada@example.org", core.StageAccepted)
	nobody := ada
	nobody.User = "U0NOBODY"
	for name, tc := range map[string]struct {
		who  core.Identity
		call string
		says string
	}{
		"own badge":           {ada, r.announce("template-gopher"), "gopher"},
		"all templates":       {ada, r.announce(), "gopher"},
		"claimed already":     {ada, r.announce("template-owl"), "You have it already"},
		"nothing of the kind": {ada, r.announce("template-cat"), "Nothing to claim"},
		"nobody":              {nobody, r.announce(), "Let’s get your badges"},
		"no such call":        {ada, "nothing", "gopher"},
	} {
		message := core.Place{Ref: "public", MessageKey: "C1:1.1", EditableUntil: r.now.Add(time.Hour), Shown: true}
		answer := r.do(chat.Action{
			Actor: tc.who, Source: chat.SourcePress, Verb: chat.VerbCalled, Arg: tc.call, MessageKey: message.MessageKey, Reply: message,
			Aside: core.Place{Ref: "aside", EditableUntil: r.now.Add(time.Hour)},
		})
		if answer.Where != chat.Aside || answer.Form != nil || answer.Posted || answer.Card == nil {
			t.Errorf("%s: %+v", name, answer)
			continue
		}
		text := answer.Card.Title + " " + answer.Card.Text.String()
		for _, item := range answer.Card.Items {
			text += " " + item.Text.String()
		}
		if !strings.Contains(text, tc.says) {
			t.Errorf("%s: %s", name, text)
		}
		if strings.Contains(text, "owl") {
			t.Errorf("%s: names what is not to be claimed: %s", name, text)
		}
	}
}

// Another team's calls and drafts are nobody's.
func TestCallsOfAnotherTeam(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	id := r.announce()
	r.must(r.db.SaveCallDraft(t.Context(), core.CallDraft{ID: "draft", Team: "slack:T1"}, r.now))
	for _, button := range []string{"call:" + id, "callend:" + id, "callform:c." + id, "callform:d.draft", "callpost:draft", "calldrop:draft"} {
		verb, arg, ok := chat.ParseID(button)
		if !ok {
			t.Fatal(button)
		}
		for name, a := range map[string]chat.Action{
			"another team's manager": {Team: "slack:T2", Manager: true},
			"no manager":             {Team: "slack:T1"},
			"no team":                {Manager: true},
		} {
			a.Source, a.Verb, a.Arg = chat.SourcePress, verb, arg
			answer := r.do(a)
			if answer.Form != nil || answer.Card == nil || strings.Contains(answer.Card.Text.String(), "Hello") {
				t.Errorf("%s, %s: %+v", button, name, answer)
			}
		}
	}
	c, err := r.db.Call(t.Context(), id)
	r.must(err)
	if _, err := r.db.CallDraft(t.Context(), "draft"); err != nil || c.State != core.CallOpen {
		t.Errorf("changed: %s, %v", c.State, err)
	}
}
