package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

// readyAgainWithin is how soon the bot works again after its database does.
const readyAgainWithin = 10 * time.Second

// outageSlack is added to what an answer may take while the database is
// silent: it comes after two and a half seconds, and is seen after a while on
// a busy machine.
const outageSlack = 2 * time.Second

// A database that is away, in either way, costs sentences and not the
// process: it is back without a restart.
func TestReadyFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]struct{ begin, end func(*testpg.Server) }{
		"stopped": {(*testpg.Server).Stop, (*testpg.Server).Start},
		"silent":  {(*testpg.Server).Suspend, (*testpg.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testpg.StartServer(t)
			s := newStage(t, server.NewDatabase())
			db := openDatabase(t, s.settings.DatabaseURL)
			who := s.linkSlack(ada())
			if status, body := s.get(s.settings.PublicURL + "/readyz"); status != http.StatusOK || body != "ready\n" {
				t.Fatalf("ready: %d %s", status, body)
			}
			who.Command("/badges", "")
			list := who.ExpectEphemeral("2 badges are waiting")
			list.Press("Claim")
			list.ExpectEdit("Ready")
			link := slackLink(t, s, ada().slackID)

			// What is under way when it begins waits for the end of its lease.
			s.settle(db)
			outage.begin(server)
			s.expectOutage(t, link)

			outage.end(server)
			begin := time.Now()
			s.waitFor("the bot to be ready again", func() bool {
				status, _ := s.get(s.settings.PublicURL + "/readyz")
				return status == http.StatusOK
			})
			if took := time.Since(begin); took > readyAgainWithin {
				t.Errorf("ready again after %s", took)
			}
			if status, where := s.follow(link); status != http.StatusSeeOther {
				t.Errorf("the link led to %d %s", status, where)
			}
			list.ExpectEdit("Now accept it")
		})
	}
}

// expectOutage looks at everything that can be asked while the database does
// not answer.
func (s *stage) expectOutage(t *testing.T, link string) {
	t.Helper()
	timed := func(what string, f func()) {
		t.Helper()
		begin := time.Now()
		f()
		if took := time.Since(begin); took > answerWithin+outageSlack {
			t.Errorf("%s took %s", what, took)
		}
	}
	timed("readyz", func() {
		if status, body := s.get(s.settings.PublicURL + "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "database") {
			t.Errorf("not ready: %d %s", status, body)
		}
	})
	timed("healthz", func() {
		if status, body := s.get(s.settings.PublicURL + "/healthz"); status != http.StatusOK || body != "ok\n" {
			t.Errorf("healthy: %d %s", status, body)
		}
	})
	timed("metrics", func() {
		if status, body := s.get(s.settings.PublicURL + "/metrics"); status != http.StatusOK || !strings.Contains(body, "go_goroutines") {
			t.Errorf("metrics: %d", status)
		}
	})
	sorry := word(ada(), "trouble.unavailable.title")
	timed("a command in Slack", func() {
		who := s.slackChat.As(ada().slackID)
		who.Command("/badges", "")
		who.ExpectEphemeral(sorry)
	})
	timed("a command in Discord", func() {
		s.discordChat.As(ada().discordID).Command("badges", "list", nil).ExpectEphemeral(sorry)
	})
	for _, request := range []func(string) (int, string){s.get, s.post} {
		timed("a page", func() {
			if status, body := request(link); status != http.StatusServiceUnavailable || !strings.Contains(body, sorry) {
				t.Errorf("page: %d %s", status, body)
			}
		})
	}
	timed("an event of Credly", func() {
		body := []byte(`{"id":"00000000-0000-4000-8000-0000000000ee","organization_id":"` + s.credly.OrganizationID() + `","event_type":"badge.state.changed"}`)
		if status, err := s.credly.PostRaw(t.Context(), body); err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("event of Credly: %d %v", status, err)
		}
	})
}

func TestMetricsHaveTheirNames(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.linkSlack(ada())
		s.discordChat.As(bruno().discordID).Command("badges", "list", nil).ExpectEphemeral("Holen wir deine Badges")
		s.pass(time.Second)
		s.get(s.settings.PublicURL + "/h/made-up")
		var missing []string
		s.waitFor("all metrics", func() bool {
			_, body := s.get(s.settings.PublicURL + "/metrics")
			missing = nil
			for _, name := range []string{
				"go_goroutines", "process_resident_memory_bytes",
				"laurel_badges", "laurel_members", "laurel_deliveries", "laurel_delivery_oldest_ready_seconds",
				"laurel_delivery_attempts_total", "laurel_delivery_attempt_seconds_count", "laurel_inbox_items",
				"laurel_job_last_duration_seconds", "laurel_job_last_run_age_seconds",
				"laurel_slack_requests_total", "laurel_slack_ack_seconds_count", "laurel_slack_retried_requests_total", "laurel_slack_lost_answers_total",
				"laurel_discord_interactions_total", "laurel_discord_refused_total", "laurel_discord_ack_seconds_count",
				"laurel_credly_requests_total", "laurel_credly_request_seconds_count", "laurel_credly_webhooks_total", "laurel_credly_unknown_events_total",
				"laurel_portal_webhooks_total", "laurel_web_requests_total",
			} {
				if !strings.Contains(body, "\n"+name+" ") && !strings.Contains(body, "\n"+name+"{") {
					missing = append(missing, name)
				}
			}
			for _, p := range seededPeople() {
				if strings.Contains(body, p.email) || strings.Contains(body, p.slackID) || strings.Contains(body, p.discordID) {
					t.Fatalf("rule 5: the metrics name a person:\n%s", body)
				}
			}
			return onlyEmpty(missing)
		})
	})
}

// onlyEmpty reports whether only gauges by state are missing, which exist
// while something is in that state.
func onlyEmpty(missing []string) bool {
	for _, name := range missing {
		if name != "laurel_deliveries" && name != "laurel_inbox_items" {
			return false
		}
	}
	return true
}
