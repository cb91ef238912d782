package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

// openedEvent is what Slack sends when somebody opens a tab of the app
// (https://docs.slack.dev/reference/events/app_home_opened).
func openedEvent(user, tab, more string) string {
	return fmt.Sprintf(`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"app_home_opened","user":%q,"channel":"D1","tab":%q%s}}`, user, tab, more)
}

// homePress is a pressed button of the home tab: without a message, a channel
// or a response URL.
func homePress(id, hash string) string {
	return fmt.Sprintf(`{"type":"block_actions","trigger_id":"1.2.a","team":{"id":"T1"},"user":{"id":"U1","username":"ada"},
		"container":{"type":"view","view_id":"V1"},"view":{"id":"V1","type":"home","hash":%q,"blocks":[]},
		"actions":[{"action_id":%q,"value":%q,"type":"button"}]}`, hash, id, id)
}

// published returns the next view that was published.
func (b *bench) published(t *testing.T) (user, hash, blocks string) {
	t.Helper()
	c := b.slack.expect("views.publish")
	view, _ := c.json["view"].(map[string]any)
	raw, err := json.Marshal(view)
	if err != nil || view["type"] != "home" {
		t.Fatalf("published %v, %v", c.json, err)
	}
	if problems := blockkit.Validate(blockkit.KindHome, raw); len(problems) > 0 {
		t.Errorf("Slack would refuse it: %v", problems)
	}
	user, _ = c.json["user_id"].(string)
	hash, _ = c.json["hash"].(string)
	return user, hash, string(raw)
}

func TestHomeIsOpened(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("At a glance")})
	w := b.serve(b.request(EventsPath, jsonType, openedEvent("U1", "home", `,"view":{"type":"home","hash":"17.ab"}`)))
	if w.Code != http.StatusOK {
		t.Fatalf("got status %d", w.Code)
	}
	a := b.handler.got(t)
	if a.Verb != chat.VerbHome || a.Source != chat.SourceOpen || a.Key != "slack:Ev1" || a.Actor != user() || a.Team != "slack:T1" ||
		a.MessageKey != core.HomeKey || !a.Reply.Shown || !a.Reply.Reachable(b.clock.Now().AddDate(1, 0, 0)) || a.Locale != "de-DE" {
		t.Errorf("got %+v", a)
	}
	who, hash, blocks := b.published(t)
	if who != "U1" || hash != "17.ab" || !strings.Contains(blocks, "At a glance") {
		t.Errorf("%s, %s: %s", who, hash, blocks)
	}
}

// Another tab is nobody's business, and what is malformed is refused.
func TestHomeIsNotOpened(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		openedEvent("U1", "messages", ""):                            http.StatusOK,
		openedEvent("U1", "", ""):                                    http.StatusOK,
		openedEvent("", "home", ""):                                  http.StatusBadRequest,
		openedEvent("U1:x", "home", ""):                              http.StatusBadRequest,
		openedEvent("U1", "home", `,"view":{"hash":"a b"}`):          http.StatusBadRequest,
		openedEvent("U1", "home", `,"view":[]`):                      http.StatusBadRequest,
		strings.Replace(openedEvent("U1", "home", ""), "Ev1", "", 1): http.StatusBadRequest,
		// Others have other things under the same name.
		`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"team_join","user":{"id":"U1"},"tab":7,"view":true}}`: http.StatusOK,
	} {
		b := newBench(t, chat.Answer{Card: card("At a glance")})
		if w := b.serve(b.request(EventsPath, jsonType, body)); w.Code != want {
			t.Errorf("%s: status %d, want %d", body, w.Code, want)
		}
		b.slack.expectNothing()
	}
}

func TestHomeOfAnOrganisation(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	body := strings.Replace(openedEvent("U1", "home", ""), `"event_id"`, `"enterprise_id":"E1","authorizations":[{"enterprise_id":"E1","is_enterprise_install":true}],"event_id"`, 1)
	b.serve(b.request(EventsPath, jsonType, body))
	if a := b.handler.got(t); a.Actor.Tenant != "E1" || a.Team != "slack:T1" {
		t.Errorf("got %+v", a)
	}
}

func TestPressAtHome(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	if in, err := b.decodeInteraction([]byte(homePress("home:", "17.ab"))); err != nil || in.seen != "17.ab" {
		t.Fatalf("%+v, %v", in, err)
	}
	in, err := b.decodeInteraction([]byte(homePress("claim:1", "17.ab")))
	if err != nil || in.silent != "" || in.seen != "" || in.trigger != "1.2.a" {
		t.Fatalf("%+v, %v", in, err)
	}
	a := in.action
	if a.Verb != chat.VerbClaim || a.Arg != "1" || a.Source != chat.SourcePress || a.MessageKey != core.HomeKey || a.Reply != homePlace("T1", "U1") {
		t.Errorf("got %+v", a)
	}
	// Beside the tab there is only a direct message.
	if _, err := b.Show(t.Context(), a.Aside, *card("Aside"), "k"); err != nil {
		t.Fatal(err)
	}
	if c := b.slack.expect("chat.postMessage"); c.form.Get("channel") != "U1" {
		t.Errorf("sent to %v", c.form)
	}
	// A form that is opened from the tab leads back to it.
	if o := b.openOrigin(b.sealOrigin(in.origin), user()); o.places(b.clock.Now()).reply != homePlace("T1", "U1") {
		t.Errorf("a form leads to %+v", o)
	}
	for body, want := range map[string]string{
		strings.Replace(homePress("claim:1", ""), `"type":"home"`, `"type":"modal"`, 1):                             "ignored",
		strings.Replace(homePress("claim:1", ""), `"view":{"id":"V1","type":"home","hash":"","blocks":[]},`, "", 1): "ignored",
		homePress("open:0", ""):   "link",
		homePress("nonsense", ""): "unknown",
	} {
		if in, err := b.decodeInteraction([]byte(body)); err != nil || in.silent != want {
			t.Errorf("%s: %q, %v", body, in.silent, err)
		}
	}
	for _, body := range []string{homePress("claim:1", "a b"), strings.Replace(homePress("claim:1", ""), "1.2.a", "", 1)} {
		if in, err := b.decodeInteraction([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, in)
		}
	}
}

// What is told later takes the place of whatever the tab shows; an answer is
// left out where something newer stands there.
func TestPublishing(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	place := homePlace("T1", "U1")
	conflict := says(200, `{"ok":false,"error":"hash_conflict"}`)
	got, err := b.Show(t.Context(), place, *card("Told"), "k")
	if err != nil || got != place {
		t.Errorf("%+v, %v", got, err)
	}
	if _, hash, _ := b.published(t); hash != "" {
		t.Errorf("a delivery is about %q", hash)
	}
	b.slack.once("views.publish", conflict)
	if got, err := b.Show(withSeen(t.Context(), "17.ab"), place, *card("Answer"), "k"); err != nil || got != place {
		t.Errorf("%+v, %v", got, err)
	}
	if _, hash, _ := b.published(t); hash != "17.ab" {
		t.Errorf("an answer is about %q", hash)
	}
	b.slack.once("views.publish", conflict)
	if _, err := b.Show(t.Context(), place, *card("Told"), "k"); core.ClassOf(err) != core.PlaceGone {
		t.Errorf("a conflict without a hash: %v", err)
	}
	b.published(t)
	b.slack.once("views.publish", says(200, `{"ok":false,"error":"not_enabled"}`))
	if _, err := b.Show(t.Context(), place, *card("Told"), "k"); core.ClassOf(err) != core.PlaceGone || !strings.Contains(err.Error(), "not_enabled") {
		t.Errorf("without a home tab: %v", err)
	}
	b.published(t)
	if err := b.Remove(t.Context(), place); core.ClassOf(err) != core.PlaceGone {
		t.Errorf("a home was removed: %v", err)
	}
}
