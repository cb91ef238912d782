package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// What comes twice works once: platforms repeat, and so does whoever
// overheard them.
func TestDoubledRequestsWorkOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		db := openDatabase(t, s.settings.DatabaseURL)
		s.settle(db)
		const verifications = `SELECT count(*) FROM verifications`
		const mails = `SELECT count(*) FROM outbox WHERE kind = 'mail'`

		first, err := s.slack.Command(t.Context(), ada().slackID, generalChannel, "/badges", "link "+ada().email)
		if err != nil || !first.OK() {
			t.Fatalf("%v: %+v", err, first)
		}
		times(8, func(i int) {
			again, err := s.slack.Redeliver(t.Context(), first, slacksim.WithRetry(i%3+1, "http_timeout"))
			if err != nil || again.Status != http.StatusOK {
				t.Errorf("repeated Slack command: %v, %+v", err, again)
			}
		})
		if n, m := countRows(t, db, verifications), countRows(t, db, mails); n != 1 || m != 1 {
			t.Errorf("a command of Slack came nine times: %d codes, %d mails", n, m)
		}

		asked, err := s.discord.Command(t.Context(), bruno().discordID, s.discord.DM(bruno().discordID), "badges", "link", map[string]any{"address": bruno().email})
		if err != nil || asked.Failed {
			t.Fatalf("%v: %+v", err, asked)
		}
		times(8, func(int) {
			again, err := s.discord.Redeliver(t.Context(), asked)
			if err != nil || again.Status != http.StatusOK {
				t.Errorf("replayed Discord interaction: %v, %+v", err, again)
			}
		})
		s.settle(db)
		if messages := s.discordChat.As(bruno().discordID).Messages(); len(messages) != 1 || !strings.Contains(messages[0].Text(), bruno().email) {
			t.Errorf("after the replays the person sees %+v", messages)
		}
		if n, m := countRows(t, db, verifications), countRows(t, db, mails); n != 2 || m != 2 {
			t.Errorf("an interaction of Discord came nine times: %d codes, %d mails", n-1, m-1)
		}

		grant, err := s.portal.Grant(t.Context(), portalsim.Award{
			ID: "award-twice", Email: carla().email, FirstName: "Carla", LastName: "Made-Up", TemplateID: templateAssociate, IssuedAt: s.clock.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.settle(db)
		before := tableCounts(t, db)
		times(8, func(int) {
			again, err := s.portal.Redeliver(t.Context(), grant.ID)
			if err != nil || again.Status() != http.StatusOK {
				t.Errorf("repeated portal event: %v, %d", err, again.Status())
			}
		})
		event := []byte(fmt.Sprintf(`{"id":"00000000-0000-4000-8000-0000000000bb","organization_id":%q,"event_type":"badge.state.changed"}`, s.credly.OrganizationID()))
		times(8, func(int) {
			if status, err := s.credly.PostRaw(t.Context(), event); err != nil || status != http.StatusOK {
				t.Errorf("repeated Credly event: %d, %v", status, err)
			}
		})
		s.settle(db)
		before["inbox"]++
		sameCounts(t, before, tableCounts(t, db))
	})
}

// A press that comes twice opens one handoff.
func TestDoubledPressesOpenOneHandoff(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		db := openDatabase(t, s.settings.DatabaseURL)
		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		messages := s.slack.Messages(s.slack.DM(ada().slackID), ada().slackID)
		first, err := s.slack.Press(t.Context(), ada().slackID, messages[len(messages)-1].Ref(), "Claim")
		if err != nil || !first.OK() {
			t.Fatalf("%v: %+v", err, first)
		}
		times(8, func(i int) {
			again, err := s.slack.Redeliver(t.Context(), first, slacksim.WithRetry(i%3+1, "http_timeout"))
			if err != nil || again.Status != http.StatusOK {
				t.Errorf("repeated press: %v, %+v", err, again)
			}
		})
		list.ExpectEdit("Ready")
		s.settle(db)
		if n := countRows(t, db, `SELECT count(*) FROM handoffs`); n != 1 {
			t.Errorf("%d handoffs", n)
		}
		if n := len(s.credly.BadgesFor(ada().email)); n != 4 {
			t.Errorf("Credly has %d badges, want 4", n)
		}
	})
}

// times calls f n times at once.
func times(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}
