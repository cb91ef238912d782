package jsclients

import (
	"encoding/json"
	"testing"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// envelope is one as the Socket Mode client hands it on.
type envelope struct {
	ID      string          `json:"envelope_id"`
	Type    string          `json:"type"`
	Accepts bool            `json:"accepts_response_payload"`
	Retry   int             `json:"retry_num"`
	Body    json.RawMessage `json:"body"`
}

// payload is what the tests look at in an envelope's body.
type payload struct {
	Type        string `json:"type"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	UserID      string `json:"user_id"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	User        struct {
		ID string `json:"id"`
	} `json:"user"`
	Actions []struct {
		ActionID string `json:"action_id"`
		BlockID  string `json:"block_id"`
		Value    string `json:"value"`
	} `json:"actions"`
	View struct {
		ID         string `json:"id"`
		CallbackID string `json:"callback_id"`
		Metadata   string `json:"private_metadata"`
		State      struct {
			Values map[string]map[string]struct {
				Value string `json:"value"`
			} `json:"values"`
		} `json:"state"`
	} `json:"view"`
	Event struct {
		Type string `json:"type"`
		User string `json:"user"`
		Text string `json:"text"`
	} `json:"event"`
}

// next takes the next envelope of a type.
func (s *slackStage) next(tb testing.TB, kind string) (envelope, payload) {
	tb.Helper()
	e := await(tb, s.js, "envelope", func(e envelope) bool { return e.Type == kind })
	return e, decoded[payload](tb, kind, e.Body)
}

// event takes the next event of a text.
func (s *slackStage) event(tb testing.TB, text string) envelope {
	tb.Helper()
	return await(tb, s.js, "envelope", func(e envelope) bool {
		return e.Type == "events_api" && decoded[payload](tb, e.Type, e.Body).Event.Text == text
	})
}

func (s *slackStage) ack(tb testing.TB, e envelope, answer any) {
	tb.Helper()
	do[nothing](tb, s.js, "ack", e.ID, answer)
}

// connect starts the Socket Mode client and waits for its hello.
func (s *slackStage) connect(tb testing.TB) {
	tb.Helper()
	do[nothing](tb, s.js, "start")
	await[nothing](tb, s.js, "connected", nil)
	if err := s.sim.WaitConnections(ctx(tb), 1); err != nil {
		tb.Fatal(err)
	}
}

// slackInteracts: a command, a button, a form and its answers, over Socket
// Mode; the form is opened by the trigger of a real press.
func slackInteracts(tb testing.TB, s *slackStage) {
	tb.Helper()
	// A command, answered in the acknowledgement.
	typed := act(func() (*slacksim.Result, error) { return s.sim.Command(ctx(tb), ada, team, "/badges", "list") })
	e, p := s.next(tb, "slash_commands")
	equal(tb, "command", []any{p.Command, p.Text, p.UserID, e.Accepts}, []any{"/badges", "list", ada, true})
	s.ack(tb, e, obj{"response_type": "ephemeral", "text": "One badge", "blocks": claimBlocks("Claim")})
	shown := typed.end(tb)
	if !shown.OK() || shown.Message == nil || !shown.Message.Ephemeral || shown.Message.Viewer != ada || shown.Message.Text != "One badge" {
		tb.Fatalf("the command came to %+v", shown)
	}

	// A press on what the command showed, and a form by its trigger.
	modal := s.open(tb, shown.Message.Ref())
	changed := s.web(tb, "views.update", obj{"view_id": modal.View.ID, "hash": modal.View.Hash, "view": linkModal("Link again")})
	views := s.sim.Views(ada)
	if len(views) != 1 || views[0].ID != modal.View.ID || views[0].Title != "Link again" || changed.View.Hash == modal.View.Hash {
		tb.Fatalf("views.update answered %+v, ada sees %+v", changed, views)
	}
	if _, failed := s.js.try(tb, "web", "views.update", obj{"view_id": modal.View.ID, "hash": modal.View.Hash, "view": linkModal("Late")}); failed == nil || failed.Data.Error != "hash_conflict" {
		tb.Fatalf("an old hash: %s", failed)
	}

	// The form is refused by field, then taken.
	send := func(address string) acting[*slacksim.Result] {
		return act(func() (*slacksim.Result, error) {
			return s.sim.Submit(ctx(tb), ada, modal.View.ID, map[string]string{"address": address})
		})
	}
	sent := send("ada@example.org")
	e, p = s.next(tb, "interactive")
	equal(tb, "form", []any{p.Type, p.View.ID, p.View.CallbackID, p.View.Metadata, p.View.State.Values["address"]["value"].Value, e.Accepts},
		[]any{"view_submission", modal.View.ID, "link", "m1", "ada@example.org", true})
	s.ack(tb, e, obj{"response_action": "errors", "errors": obj{"address": "Not this one"}})
	equal(tb, "complaint", sent.end(tb).FieldErrors, map[string]string{"address": "Not this one"})
	equal(tb, "forms open", len(s.sim.Views(ada)), 1)

	sent = send("ada@example.com")
	e, _ = s.next(tb, "interactive")
	s.ack(tb, e, obj{"response_action": "update", "view": obj{"type": "modal", "title": plain("Done"), "blocks": []obj{{"type": "divider"}}}})
	if res := sent.end(tb); !res.OK() || s.sim.Views(ada)[0].Title != "Done" {
		tb.Fatalf("the form came to %+v, ada sees %+v", res, s.sim.Views(ada))
	}

	// An event.
	said := act(func() (*slacksim.Result, error) { return s.sim.Say(ctx(tb), ada, s.sim.DM(ada), "hello") })
	e, p = s.next(tb, "events_api")
	equal(tb, "event", []string{p.Event.Type, p.Event.User, p.Event.Text}, []string{"message", ada, "hello"})
	s.ack(tb, e, nil)
	if res := said.end(tb); !res.OK() {
		tb.Fatalf("the event came to %+v", res)
	}
}

// open presses the button of a message and opens a form by the trigger.
func (s *slackStage) open(tb testing.TB, ref slacksim.MessageRef) slackAnswer {
	tb.Helper()
	pressed := act(func() (*slacksim.Result, error) { return s.sim.Press(ctx(tb), ada, ref, "Claim") })
	e, p := s.next(tb, "interactive")
	if len(p.Actions) != 1 {
		tb.Fatalf("press: %s", e.Body)
	}
	equal(tb, "press", []any{p.Type, p.User.ID, p.Actions[0].ActionID, p.Actions[0].BlockID, p.Actions[0].Value, e.Accepts},
		[]any{"block_actions", ada, "claim", "acts", "v1", false})
	opened := s.web(tb, "views.open", obj{"trigger_id": p.TriggerID, "view": linkModal("Link")})
	s.ack(tb, e, nil)
	if res := pressed.end(tb); !res.OK() {
		tb.Fatalf("the press came to %+v", res)
	}
	views := s.sim.Views(ada)
	if len(views) != 1 || views[0].ID != opened.View.ID || opened.View.CallbackID != "link" || opened.View.RootViewID != opened.View.ID {
		tb.Fatalf("views.open answered %+v, ada sees %+v", opened, views)
	}
	if _, failed := s.js.try(tb, "web", "views.open", obj{"trigger_id": p.TriggerID, "view": linkModal("Twice")}); failed == nil || failed.Data.Error != "exchanged_trigger_id" {
		tb.Fatalf("a used trigger: %s", failed)
	}
	return opened
}

// slackRefuses: broken answers to a form and to a command are refused.
func slackRefuses(tb testing.TB, s *slackStage) {
	tb.Helper()
	typed := act(func() (*slacksim.Result, error) { return s.sim.Command(ctx(tb), ada, team, "/badges", "") })
	e, _ := s.next(tb, "slash_commands")
	s.ack(tb, e, obj{"text": "x", "blocks": []obj{{"type": "header", "text": plain("")}}})
	res := typed.end(tb)
	if res.OK() || res.UserError != "dispatch_failed" || len(res.Problems) == 0 || res.Problems[0] != "invalid_blocks" {
		tb.Fatalf("broken blocks came to %+v", res)
	}

	posted := s.web(tb, "chat.postMessage", obj{"channel": team, "text": "x", "blocks": claimBlocks("Claim")})
	for _, v := range s.sim.Views(ada) {
		if _, err := s.sim.CloseView(ctx(tb), ada, v.ID); err != nil {
			tb.Fatal(err)
		}
	}
	modal := s.open(tb, slacksim.MessageRef{Channel: team, TS: posted.TS})
	for _, answer := range []obj{
		{"response_action": "errors", "errors": obj{"nowhere": "x"}},
		{"response_action": "update", "view": obj{"type": "modal", "title": plain("This title is much too long"), "blocks": []obj{}}},
		{"response_action": "dance"},
	} {
		sent := act(func() (*slacksim.Result, error) {
			return s.sim.Submit(ctx(tb), ada, modal.View.ID, map[string]string{"address": "ada@example.org"})
		})
		e, _ := s.next(tb, "interactive")
		s.ack(tb, e, answer)
		if res := sent.end(tb); res.OK() || len(res.Problems) == 0 {
			tb.Fatalf("%v came to %+v", answer, res)
		}
		equal(tb, "forms open", len(s.sim.Views(ada)), 1)
	}
}

// slackReconnects: Slack renews the connection, then the network cuts it; what
// happens meanwhile arrives when the client is back, and so does what follows.
func slackReconnects(tb testing.TB, s *slackStage) {
	tb.Helper()
	for _, end := range []func(...string) int{s.sim.RefreshConnections, s.sim.DropConnections} {
		opened := s.sim.Sockets().Opened
		equal(tb, "connections ended", end(), 1)
		between := act(func() (*slacksim.Result, error) {
			return s.sim.Event(ctx(tb), obj{"type": "app_mention", "user": ada, "text": "between"})
		})
		await[nothing](tb, s.js, "reconnecting", nil)
		await[nothing](tb, s.js, "connected", nil)
		between.end(tb)
		for {
			// One that came just before the end cannot be acknowledged, and
			// comes again.
			e := s.event(tb, "between")
			if _, failed := s.js.try(tb, "ack", e.ID, nil); failed == nil {
				break
			}
		}
		if err := s.sim.WaitConnections(ctx(tb), 1); err != nil {
			tb.Fatal(err)
		}
		if now := s.sim.Sockets().Opened; now <= opened {
			tb.Fatalf("%d connections were opened before, and %d after", opened, now)
		}
		typed := act(func() (*slacksim.Result, error) { return s.sim.Command(ctx(tb), bert, team, "/badges", "after") })
		e, p := s.next(tb, "slash_commands")
		equal(tb, "command", p.Text, "after")
		s.ack(tb, e, "Welcome back")
		if res := typed.end(tb); !res.OK() || res.Message == nil || res.Message.Text != "Welcome back" {
			tb.Fatalf("after the end: %+v", res)
		}
	}
}

// slackRetries: an event whose acknowledgement is lost with its connection
// comes again over the next one.
func slackRetries(tb testing.TB, s *slackStage) {
	tb.Helper()
	sent := act(func() (*slacksim.Result, error) {
		return s.sim.Event(ctx(tb), obj{"type": "app_mention", "user": ada, "text": "again"})
	})
	s.event(tb, "again")
	s.sim.DropConnections()
	if res := sent.end(tb); res.OK() {
		tb.Fatalf("without an acknowledgement: %+v", res)
	}
	await[nothing](tb, s.js, "connected", nil)
	e := s.event(tb, "again")
	equal(tb, "attempt", e.Retry, 1)
	s.ack(tb, e, nil)
}
