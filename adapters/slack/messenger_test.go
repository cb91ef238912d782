package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func classAndCode(err error) string {
	var d *core.DeliveryError
	if !errors.As(err, &d) {
		return fmt.Sprint(err)
	}
	return string(d.Class) + " " + d.Code
}

func user() core.Identity { return core.Identity{Platform: Platform, Tenant: "T1", User: "U1"} }

// pressed returns the places of a press on an ephemeral message.
func pressed(b *bench) places {
	o := origin{URL: b.slack.hook(), Channel: "C1", TS: "1700000000.000100", Ephemeral: true, Tenant: "T1", User: "U1"}
	if err := b.stampURL(&o); err != nil {
		b.slack.tb.Fatal(err)
	}
	return o.places(b.clock.Now())
}

func TestResponseURLHasFiveUses(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	p := pressed(b)
	var err error
	for i := range responseURLUses - 1 {
		if !p.reply.Reachable(b.clock.Now()) {
			t.Fatalf("not reachable after %d uses", i)
		}
		if p.reply, err = b.Show(t.Context(), p.reply, *card("Ready"), "k"); err != nil {
			t.Fatal(err)
		}
		if c := b.slack.expect("hook"); c.json["replace_original"] != true {
			t.Errorf("got %v", c.json)
		}
	}
	// The place beside shares the count.
	aside, err := b.Show(t.Context(), p.aside, *card("Aside"), "k")
	if err != nil {
		t.Fatal(err)
	}
	if c := b.slack.expect("hook"); c.json["replace_original"] != false {
		t.Errorf("got %v", c.json)
	}
	if !aside.Shown || aside.Reachable(b.clock.Now()) {
		t.Errorf("aside: %+v", aside)
	}
	for _, place := range []core.Place{p.reply, p.aside} {
		if _, err := b.Show(t.Context(), place, *card("More"), "k"); classAndCode(err) != "place_gone used_url" {
			t.Errorf("got %v", err)
		}
	}
	b.slack.expectNothing()
}

// The count survives a restart in the place itself.
func TestUsesAreKeptInThePlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	p := pressed(b)
	var err error
	for range responseURLUses {
		if p.reply, err = b.Show(t.Context(), p.reply, *card("Ready"), "k"); err != nil {
			t.Fatal(err)
		}
	}
	if p.reply.Reachable(b.clock.Now()) {
		t.Error("still reachable")
	}
	b.Adapter.uses = newLRU[int](10)
	if _, err := b.Show(t.Context(), p.reply, *card("More"), "k"); classAndCode(err) != "place_gone used_url" {
		t.Errorf("got %v", err)
	}
}

func TestShowRefusesWithoutAsking(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	until := b.clock.Now().Add(time.Minute).Unix()
	tests := []struct {
		name  string
		place core.Place
		want  string
	}{
		{"empty", core.Place{}, "place_gone unreadable_place"},
		{"foreign", core.Place{Ref: "C1:123"}, "place_gone unreadable_place"},
		{"foreign URL", core.Place{Ref: placeRef{URL: "https://evil.example.org/", Until: until}.secret()}, "place_gone foreign_url"},
		{"expired", core.Place{Ref: placeRef{URL: b.slack.hook(), Until: b.clock.Now().Unix()}.secret()}, "place_gone expired_url"},
		{"answer of a command", core.Place{Ref: placeRef{URL: b.slack.hook(), Until: until}.secret(), Shown: true}, "place_gone not_editable"},
		{"ephemeral", core.Place{Ref: placeRef{Channel: "C1", User: "U1"}.secret(), Shown: true}, "place_gone not_editable"},
	}
	for _, tt := range tests {
		if _, err := b.Show(t.Context(), tt.place, *card("x"), "k"); classAndCode(err) != tt.want {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	b.slack.expectNothing()
}

func TestAllowedURL(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	for link, want := range map[string]bool{
		"https://hooks.slack.com/actions/T1/1/x":                         true,
		b.slack.server.URL + "/anything":                                 true,
		"https://hooks.slack.com:444/x":                                  false,
		"https://hooks.slack.com.example.org/x":                          false,
		"https://user:pw@hooks.slack.com/x":                              false,
		"http://hooks.slack.com/x":                                       false,
		"https://example.org/hooks.slack.com":                            false,
		"//hooks.slack.com/x":                                            false,
		"https:hooks.slack.com":                                          false,
		"https://hooks.slack.com/" + strings.Repeat("x", maxResponseURL): false,
	} {
		if got := b.allowedURL(link); got != want {
			t.Errorf("%.60s: got %v", link, got)
		}
	}
}

func TestShowUpdatesAMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	p, err := b.Show(t.Context(), messagePlace("T1", "D1", "1.2"), *card("Expired"), "k")
	if err != nil {
		t.Fatal(err)
	}
	c := b.slack.expect("chat.update")
	if c.form.Get("channel") != "D1" || c.form.Get("ts") != "1.2" || c.form.Get("text") != "Expired" || !strings.Contains(c.form.Get("blocks"), "header") {
		t.Errorf("got %v", c.form)
	}
	if p.MessageKey != "D1:1.2" || !p.Reachable(b.clock.Now().AddDate(1, 0, 0)) {
		t.Errorf("got %+v", p)
	}
}

func TestDirect(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	p, err := b.Direct(t.Context(), user(), *card("Good news"), "key-1", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	// A message to the person opens the conversation by itself.
	c := b.slack.expect("chat.postMessage")
	var metadata struct {
		EventType    string            `json:"event_type"`
		EventPayload map[string]string `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(c.form.Get("metadata")), &metadata); err != nil {
		t.Fatal(err)
	}
	if metadata.EventType != metadataType || metadata.EventPayload["key"] != "key-1" {
		t.Errorf("got %+v", metadata)
	}
	if c.form.Get("unfurl_links") != "false" || c.form.Get("unfurl_media") != "false" || c.form.Get("channel") != "U1" {
		t.Errorf("got %v", c.form)
	}
	if p.MessageKey != "D1:1700000000.000100" || !p.Shown {
		t.Errorf("got %+v", p)
	}
	// The conversation is remembered.
	if _, err := b.Direct(t.Context(), user(), *card("More"), "key-2", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if c := b.slack.expect("chat.postMessage"); c.form.Get("channel") != "D1" {
		t.Errorf("got %v", c.form)
	}
	// Unless it is gone.
	b.slack.once("chat.postMessage", says(http.StatusOK, `{"ok":false,"error":"channel_not_found"}`))
	if _, err := b.Direct(t.Context(), user(), *card("More"), "key-3", time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.slack.expect("chat.postMessage")
	b.slack.expect("conversations.open")
	b.slack.expect("chat.postMessage")
	if b.Pause() != time.Second {
		t.Error("pause")
	}
}

func TestDirectFindsWhatWasSent(t *testing.T) {
	t.Parallel()
	found := `{"ok":true,"messages":[{"ts":"9.1","blocks":[{"type":"context","elements":[{"type":"hologram"}]}]},
		{"ts":"9.2","metadata":{"event_type":"laurel_delivery","event_payload":{"key":"key-2"}}},
		{"ts":"9.3","metadata":{"event_type":"laurel_delivery","event_payload":{"key":"key-1"}}}]}`
	tests := []struct {
		name    string
		answers []string
		status  int
		want    string
		posts   bool
	}{
		{"found", []string{found}, 200, "D1:9.3", false},
		{"found on the second page", []string{`{"ok":true,"messages":[],"response_metadata":{"next_cursor":"c2"}}`, found}, 200, "D1:9.3", false},
		{"not found", []string{`{"ok":true,"messages":[]}`}, 200, "D1:1700000000.000100", true},
		{"not allowed to look", []string{`{"ok":false,"error":"missing_scope","needed":"im:history"}`}, 200, "D1:1700000000.000100", true},
		{"limited", []string{""}, 429, "retry_later ratelimited", false},
		{"broken", []string{"<html>"}, 200, "temporary unreadable_answer", false},
		{"server error", []string{""}, 503, "temporary http_503", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			for _, answer := range tt.answers {
				b.slack.once("conversations.history", says(tt.status, answer))
			}
			firstTry := b.clock.Now().Add(-time.Minute)
			p, err := b.Direct(t.Context(), user(), *card("Good news"), "key-1", firstTry)
			got := p.MessageKey
			if err != nil {
				got = classAndCode(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			b.slack.expect("conversations.open")
			for i := range tt.answers {
				c := b.slack.expect("conversations.history")
				if c.form.Get("include_all_metadata") != "true" || c.auth != "Bearer "+testToken.Reveal() || (i > 0) != (c.form.Get("cursor") != "") {
					t.Errorf("got %v", c.form)
				}
			}
			if tt.posts {
				b.slack.expect("chat.postMessage")
			}
			b.slack.expectNothing()
		})
	}
}

func TestDirectRefusesOtherPlatforms(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	if _, err := b.Direct(t.Context(), core.Identity{Platform: "discord", User: "1"}, *card("x"), "k", time.Time{}); core.ClassOf(err) != core.TargetDead {
		t.Errorf("got %v", err)
	}
}

func TestEphemeralFallsBackToTheNextWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	b.slack.once("chat.postEphemeral", says(http.StatusOK, `{"ok":false,"error":"user_not_in_channel"}`))
	place := core.Place{Ref: placeRef{Channel: "C1", User: "U1", Tenant: "T1"}.secret()}
	if _, err := b.Show(t.Context(), place, *card("x"), "k"); classAndCode(err) != "place_gone user_not_in_channel" {
		t.Errorf("got %v", err)
	}
	p, err := b.Show(t.Context(), place, *card("x"), "k")
	if err != nil || !p.Shown || p.Reachable(b.clock.Now()) {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ answer, want string }{
		"removed":         {`{"ok":true,"channel":"C1","ts":"1.2"}`, "<nil>"},
		"gone already":    {`{"ok":false,"error":"message_not_found"}`, "<nil>"},
		"may not go":      {`{"ok":false,"error":"compliance_exports_prevent_deletion"}`, "invalid compliance_exports_prevent_deletion"},
		"channel is gone": {`{"ok":false,"error":"channel_not_found"}`, "target_dead channel_not_found"},
	} {
		b := newBench(t, chat.Answer{})
		b.slack.once("chat.delete", says(http.StatusOK, tt.answer))
		if err := b.Remove(t.Context(), messagePlace("T1", "C1", "1.2")); classAndCode(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		if c := b.slack.expect("chat.delete"); c.form.Get("channel") != "C1" || c.form.Get("ts") != "1.2" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	b := newBench(t, chat.Answer{})
	for _, p := range []core.Place{{}, {Ref: "nonsense"}, pressed(b).reply} {
		if err := b.Remove(t.Context(), p); core.ClassOf(err) != core.PlaceGone {
			t.Errorf("%+v: %v", p, err)
		}
	}
	b.slack.expectNothing()
}
