package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// samplePayloads are Slack's sample payloads of a folder, by file name.
func samplePayloads(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(refdata.Path(t, "slack", "samples", folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = data
	}
	return all
}

// filled fills in the blanks of a sample: ids of the simulated workspace
// where they are looked at, made-up text elsewhere.
func (s *stage) filled(t *testing.T, sample []byte) map[string]any {
	t.Helper()
	var payload map[string]any
	if err := json.Unmarshal(sample, &payload); err != nil {
		t.Fatal(err)
	}
	fill(payload)
	// Requests of one trigger are one and the same.
	s.triggers++
	trigger := fmt.Sprintf("1.2.made-up-%d", s.triggers)
	at := func(path ...string) map[string]any {
		into := payload
		for _, name := range path {
			next, ok := into[name].(map[string]any)
			if !ok {
				return map[string]any{}
			}
			into = next
		}
		return into
	}
	team := s.slack.Config().TeamID
	response := s.slack.URL() + "/actions/T000000001/1/made-up"
	at("team")["id"] = team
	at("user")["id"] = ada().slackID
	at("channel")["id"] = generalChannel
	at("container")["type"], at("container")["channel_id"], at("container")["message_ts"] = "message", generalChannel, "1700000000.000100"
	at("message")["ts"] = "1700000000.000100"
	at("view")["callback_id"] = "link:"
	for name, value := range map[string]any{
		"trigger_id": trigger, "team_id": team, "user_id": ada().slackID, "channel_id": generalChannel, "response_url": response, "text": "",
		"command": "/badges", "enterprise_id": "",
	} {
		if _, has := payload[name]; has {
			payload[name] = value
		}
	}
	if actions, ok := payload["actions"].([]any); ok && len(actions) == 1 {
		if action, ok := actions[0].(map[string]any); ok {
			action["action_id"], action["value"] = "made-up", "help:"
		}
	}
	return payload
}

func fill(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner == "" {
				v[name] = "made-up"
			}
			fill(inner)
		}
	case []any:
		for i, inner := range v {
			if inner == "" {
				v[i] = "made-up"
			}
			fill(inner)
		}
	}
}

// raw sends a body to one of the bot's addresses for Slack, as Slack would.
func (s *stage) raw(t *testing.T, to slacksim.Endpoint, body string) *slacksim.Result {
	t.Helper()
	got, err := s.slack.SendRaw(t.Context(), to, []byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status == 0 {
		t.Fatalf("no answer: %v", got.Err)
	}
	return got
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Slack's sample payloads, once with their blanks and once filled in, go
// through the running bot.
func TestSlackSamplesReachTheBot(t *testing.T) {
	t.Parallel()
	samples := samplePayloads(t, "app-backend")
	forEachStore(t, func(t *testing.T, s *stage) {
		for name, sample := range samples {
			payload := s.filled(t, sample)
			if name == "SlashCommandPayload" {
				form, blank := url.Values{}, url.Values{}
				for field, value := range payload {
					form.Set(field, fmt.Sprint(value))
					blank.Set(field, "")
				}
				if got := s.raw(t, slacksim.EndpointCommands, blank.Encode()); got.Status != http.StatusBadRequest {
					t.Errorf("blank %s: status %d", name, got.Status)
				}
				got := s.raw(t, slacksim.EndpointCommands, form.Encode())
				if got.Status != http.StatusOK || !strings.Contains(string(got.Body), word(ada(), "button.link")) {
					t.Errorf("%s: status %d: %s", name, got.Status, got.Body)
				}
				continue
			}
			// What nobody here asked for is acknowledged, blank or not; what
			// is for the bot and names nobody is refused.
			want := http.StatusBadRequest
			if name == "ViewClosedPayload" {
				want = http.StatusOK
			}
			if got := s.raw(t, slacksim.EndpointInteractions, url.Values{"payload": {string(sample)}}.Encode()); got.Status != want {
				t.Errorf("blank %s: status %d, want %d", name, got.Status, want)
			}
			got := s.raw(t, slacksim.EndpointInteractions, url.Values{"payload": {encoded(t, payload)}}.Encode())
			if got.Status != http.StatusOK {
				t.Errorf("%s: status %d: %s", name, got.Status, got.Body)
			}
			if name == "ViewSubmissionPayload" && !strings.Contains(string(got.Body), "response_action") {
				t.Errorf("%s: a form without an address was taken: %s", name, got.Body)
			}
		}
		s.waitFor("the press to be counted as answered", func() bool {
			return s.metric(`laurel_slack_requests_total{kind="press",outcome="answered"}`) == 1
		})
	})
}

func TestSlackEventsReachTheBot(t *testing.T) {
	t.Parallel()
	samples := samplePayloads(t, "events")
	forEachStore(t, func(t *testing.T, s *stage) {
		db := openDatabase(t, s.settings.DatabaseURL)
		for name, sample := range samples {
			got := s.raw(t, slacksim.EndpointEvents, string(sample))
			if got.Status != http.StatusBadRequest && (got.Status != http.StatusOK || name != "MemberJoinedChannelPayload") {
				t.Errorf("blank %s: status %d", name, got.Status)
			}
			payload := s.filled(t, sample)
			payload["type"], payload["event_id"] = "event_callback", "Ev-"+name
			if got := s.raw(t, slacksim.EndpointEvents, encoded(t, payload)); got.Status != http.StatusOK {
				t.Errorf("%s: status %d: %s", name, got.Status, got.Body)
			}
		}
		s.waitFor("the end of the installation", func() bool {
			return countRows(t, db, `SELECT count(*) FROM installations WHERE platform = 'slack' AND dead <> ''`) == 1
		})
		if n := countRows(t, db, `SELECT count(*) FROM inbox WHERE source = 'slack'`); n != 2 {
			t.Errorf("%d events were stored, want the two that end an installation", n)
		}
	})
}

// The examples of deliveries by Credly are taken as they are, but for the
// organization, which must be ours.
func TestCredlyDeliveriesReachTheBot(t *testing.T) {
	t.Parallel()
	delivery := refdata.Read(t, "credly", "docs-examples", "webhook_delivery.json")
	var fetched struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(refdata.Read(t, "credly", "docs-examples", "event_fetch_badge_template_changed.json"), &fetched); err != nil {
		t.Fatal(err)
	}
	forEachStore(t, func(t *testing.T, s *stage) {
		db := openDatabase(t, s.settings.DatabaseURL)
		const stored = `SELECT count(*) FROM inbox WHERE source = 'credly' AND event_key = '00000000-0000-4000-8000-000000000001'`
		if status, err := s.credly.PostRaw(t.Context(), delivery); err != nil || status != http.StatusNotFound {
			t.Errorf("a delivery about another organization: %d, %v", status, err)
		}
		if n := countRows(t, db, stored); n != 0 {
			t.Errorf("it was stored")
		}
		var ours map[string]any
		if err := json.Unmarshal(delivery, &ours); err != nil {
			t.Fatal(err)
		}
		ours["organization_id"] = s.credly.OrganizationID()
		for range 2 {
			if status, err := s.credly.PostRaw(t.Context(), []byte(encoded(t, ours))); err != nil || status != http.StatusOK {
				t.Errorf("delivery: %d, %v", status, err)
			}
		}
		if n := countRows(t, db, stored); n != 1 {
			t.Errorf("it was stored %d times", n)
		}
		whole := map[string]any{}
		for name, value := range fetched.Data {
			whole[name] = value
		}
		whole["id"], whole["organization_id"] = "00000000-0000-4000-8000-0000000000dd", s.credly.OrganizationID()
		if status, err := s.credly.PostRaw(t.Context(), []byte(encoded(t, whole))); err != nil || status != http.StatusOK {
			t.Errorf("delivery with everything in it: %d, %v", status, err)
		}
		s.settle(db)
		if n := countRows(t, db, `SELECT count(*) FROM inbox WHERE source = 'credly' AND state <> 'done'`); n != 0 {
			t.Errorf("%d events were not worked off", n)
		}
	})
}
