package slacksim_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

func TestJourney(t *testing.T) {
	t.Parallel()
	for name, reach := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journey(t, reach)
		})
	}
}

func journey(t *testing.T, reach func(*testing.T, *slacksim.Server) *app) {
	t.Helper()
	sim, api := start(t, nil)
	a := reach(t, sim)
	ctx := t.Context()
	a.on(func(c slack.SlashCommand) any {
		if c.Text == "plain" {
			return "just text"
		}
		if c.Text == "loud" {
			return map[string]any{"response_type": "in_channel", "text": "for all"}
		}
		return map[string]any{"response_type": "ephemeral", "text": "Your badges", "blocks": claimBlocks()}
	}, func(c slack.InteractionCallback) any {
		switch c.Type {
		case slack.InteractionTypeBlockActions:
			if c.Container.Type == "message" && c.Container.IsEphemeral && c.Message.Timestamp != "" {
				t.Error("an ephemeral message is in the payload")
			}
			if _, _, err := api.PostMessageContext(ctx, "", slack.MsgOptionReplaceOriginal(c.ResponseURL), slack.MsgOptionText("Ready", false), slack.MsgOptionResponseURL(c.ResponseURL, "ephemeral")); err != nil {
				t.Errorf("replace: %v", err)
			}
			_, err := api.OpenViewContext(ctx, c.TriggerID, slack.ModalViewRequest{
				Type: "modal", Title: plain("Your address"), Submit: plain("Send"), CallbackID: "link",
				Blocks: slack.Blocks{BlockSet: []slack.Block{
					slack.NewInputBlock("mail", plain("E-mail"), nil, slack.NewEmailTextInputBlockElement(nil, "address")),
				}},
			})
			if err != nil {
				t.Errorf("views.open: %v", err)
			}
			if _, err := api.OpenViewContext(ctx, c.TriggerID, slack.ModalViewRequest{Type: "modal", Title: plain("x"), Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}); code(err) != "exchanged_trigger_id" {
				t.Errorf("trigger used twice: %v", err)
			}
		case slack.InteractionTypeViewSubmission:
			value := c.View.State.Values["mail"]["address"].Value
			if value == "taken@example.org" {
				return slack.NewErrorsViewSubmissionResponse(map[string]string{"mail": "use another"})
			}
			if _, _, err := api.PostMessageContext(ctx, c.User.ID, slack.MsgOptionText("linked "+value, false)); err != nil {
				t.Errorf("post: %v", err)
			}
		}
		return nil
	})

	h := slacktest.New(t, sim)
	p := h.As(ada).In(team)
	shown := p.Command("/badges", "").ExpectEphemeral("One badge is waiting", "Claim")
	if got := sim.Messages(team, bert); len(got) != 0 {
		t.Errorf("somebody else sees %d ephemeral messages", len(got))
	}
	shown.Press("Claim").ExpectUpdate("Ready")
	form := p.Modal("Your address").SubmitExpectingError("required")
	form.Fill("E-mail", "nonsense").SubmitExpectingError("valid email")
	form.Fill("E-mail", "taken@example.org").SubmitExpectingError("use another")
	form.Fill("E-mail", "ada@example.org").Submit().ExpectNoModal().ExpectDM("linked ada@example.org")
	p.Command("/badges", "plain").ExpectEphemeral("just text")
	p.Command("/badges", "loud")
	h.As(bert).In(team).ExpectMessage("for all")

	// Somebody else presses on the first message, as it was.
	if _, err := sim.Press(ctx, bert, shown.Ref(), "Claim"); !errors.Is(err, slacksim.ErrNotFound) && !errors.Is(err, slacksim.ErrNotVisible) {
		t.Errorf("press on an invisible message: %v", err)
	}
	shown.PressedBy(bert, "claim:1")
	if got := sim.Views(bert); len(got) != 1 {
		t.Errorf("forged press opened %d views", len(got))
	}
}

func TestResponseURLRules(t *testing.T) {
	t.Parallel()
	for name, reach := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			responseURLRules(t, reach)
		})
	}
}

func responseURLRules(t *testing.T, reach func(*testing.T, *slacksim.Server) *app) {
	t.Helper()
	clock := simclock.New()
	sim, api := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := reach(t, sim)
	ctx := t.Context()
	a.on(func(slack.SlashCommand) any { return nil }, func(slack.InteractionCallback) any { return nil })
	send := func(url string, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}

	// A command has no original: replacing posts anew, and five uses are all.
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := send(res.ResponseURL, `{"text":"x","blocks":[{"type":"nonsense"}]}`); status != 400 || !strings.Contains(body, "invalid_blocks") {
		t.Errorf("invalid blocks: %d %s", status, body)
	}
	for i := range 5 {
		if status, body := send(res.ResponseURL, `{"text":"x","replace_original":true}`); status != 200 {
			t.Errorf("use %d: %d %s", i, status, body)
		}
	}
	if n := len(sim.Messages(team, ada)); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
	if status, body := send(res.ResponseURL, `{"text":"x"}`); status != 404 || !strings.Contains(body, "used_url") {
		t.Errorf("sixth use: %d %s", status, body)
	}

	// Thirty minutes.
	res, err = sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(29 * time.Minute)
	if status, _ := send(res.ResponseURL, `{"text":"x","response_type":"in_channel"}`); status != 200 {
		t.Errorf("after 29 minutes: %d", status)
	}
	clock.Advance(2 * time.Minute)
	if status, body := send(res.ResponseURL, `{"text":"x"}`); status != 404 || !strings.Contains(body, "expired_url") {
		t.Errorf("after 31 minutes: %d %s", status, body)
	}
	if status, _ := send(sim.URL()+"/response/commands/T/1/unknown", `{"text":"x"}`); status != 404 {
		t.Errorf("unknown: %d", status)
	}

	// A press replaces and deletes the very message.
	channel, ts, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(claimBlocks().BlockSet...))
	if err != nil {
		t.Fatal(err)
	}
	ref := slacksim.MessageRef{Channel: channel, TS: ts}
	before, _ := sim.Message(ref)
	res, err = sim.Press(ctx, bert, ref, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := send(res.ResponseURL, `{"text":"done","replace_original":true}`); status != 200 {
		t.Errorf("replace: %d", status)
	}
	if m, _ := sim.Message(ref); m.Text != "done" || m.Blocks != nil || !m.Edited {
		t.Errorf("replaced: %+v", m)
	}
	if _, err := sim.Press(ctx, bert, ref, "v1"); !errors.Is(err, slacksim.ErrNotFound) {
		t.Errorf("button gone: %v", err)
	}
	if _, err := sim.PressAs(ctx, bert, before, "v1"); err != nil {
		t.Errorf("late press: %v", err)
	}
	if status, _ := send(res.ResponseURL, `{"delete_original":true}`); status != 200 {
		t.Errorf("delete: %d", status)
	}
	if m, _ := sim.Message(ref); !m.Deleted {
		t.Error("not deleted")
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	for name, reach := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			views(t, reach)
		})
	}
}

func views(t *testing.T, reach func(*testing.T, *slacksim.Server) *app) {
	t.Helper()
	clock := simclock.New()
	sim, api := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := reach(t, sim)
	ctx := t.Context()
	var answer any
	a.on(func(slack.SlashCommand) any { return nil }, func(slack.InteractionCallback) any { return answer })
	modal := func(title string) slack.ModalViewRequest {
		return slack.ModalViewRequest{
			Type: "modal", Title: plain(title), Submit: plain("Send"), NotifyOnClose: true,
			Blocks: slack.Blocks{BlockSet: []slack.Block{
				slack.NewInputBlock("b", plain("Name"), nil, slack.NewPlainTextInputBlockElement(nil, "a")),
				slack.NewActionBlock("c", slack.NewButtonBlockElement("more", "", plain("More"))),
			}},
		}
	}
	trigger := func() string {
		res, err := sim.Command(ctx, ada, team, "/badges", "")
		if err != nil {
			t.Fatal(err)
		}
		return res.TriggerID
	}
	late := trigger()
	clock.Advance(4 * time.Second)
	if _, err := api.OpenViewContext(ctx, late, modal("x")); code(err) != "expired_trigger_id" {
		t.Errorf("late: %v", err)
	}
	if _, err := api.OpenViewContext(ctx, trigger(), modal(strings.Repeat("x", 25))); code(err) != "invalid_arguments" {
		t.Errorf("long title: %v", err)
	}
	opened, err := api.OpenViewContext(ctx, trigger(), modal("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.UpdateViewContext(ctx, modal("two"), "", "wrong", opened.ID); code(err) != "hash_conflict" {
		t.Errorf("hash: %v", err)
	}
	if _, err := api.UpdateViewContext(ctx, modal("two"), "", opened.Hash, opened.ID); err != nil {
		t.Errorf("update: %v", err)
	}
	res, err := sim.PressView(ctx, ada, opened.ID, "More")
	if err != nil || !res.OK() {
		t.Fatalf("press in the view: %+v, %v", res, err)
	}
	if _, err := api.PushViewContext(ctx, res.TriggerID, modal("three")); err != nil {
		t.Errorf("push: %v", err)
	}
	top := func() slacksim.View {
		views := sim.Views(ada)
		if len(views) == 0 {
			return slacksim.View{}
		}
		return views[len(views)-1]
	}
	submit := func(with any) *slacksim.Result {
		t.Helper()
		answer = with
		res, err := sim.Submit(ctx, ada, top().ID, map[string]string{"Name": "x"})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	next := modal("four")
	if res := submit(slack.NewPushViewSubmissionResponse(&next)); !res.OK() || top().Title != "four" || len(sim.Views(ada)) != 3 {
		t.Errorf("pushed by answer: %+v", res)
	}
	if res := submit(slack.NewPushViewSubmissionResponse(&next)); res.OK() || len(sim.Views(ada)) != 3 {
		t.Error("a fourth view was pushed")
	}
	next = modal("five")
	if submit(slack.NewUpdateViewSubmissionResponse(&next)); top().Title != "five" {
		t.Errorf("updated by answer: %q", top().Title)
	}
	if res := submit(slack.NewErrorsViewSubmissionResponse(map[string]string{"nowhere": "x"})); res.OK() {
		t.Error("errors for an unknown block were taken")
	}
	if submit(nil); len(sim.Views(ada)) != 2 || top().Title != "three" {
		t.Errorf("closed one: %q", top().Title)
	}
	if res, err := sim.CloseView(ctx, ada, top().ID); err != nil || !res.OK() || top().Title != "two" {
		t.Errorf("closed by hand: %+v, %v", res, err)
	}
	if submit(slack.NewClearViewSubmissionResponse()); len(sim.Views(ada)) != 0 {
		t.Error("not cleared")
	}
	home := slack.HomeTabViewRequest{Type: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewHeaderBlock(plain("Hi"))}}}
	if _, err := api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: ada, View: home}); err != nil {
		t.Errorf("publish: %v", err)
	}
	if v, ok := sim.Home(ada); !ok || !strings.Contains(v.Plain(), "Hi") {
		t.Errorf("home: %+v", v)
	}
}
