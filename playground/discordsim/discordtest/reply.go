package discordtest

import (
	"strings"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// Reply is what came of an act.
type Reply struct {
	// Result is how the bot answered, on the wire.
	Result *discordsim.Result

	by   *Person
	what string
}

// Person goes back to who acted.
func (r *Reply) Person() *Person { return r.by }

// ExpectEphemeral expects an answer that only the person sees, and waits
// until it says all texts (after a deferral it comes by an edit).
func (r *Reply) ExpectEphemeral(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	s := r.message(texts)
	if !s.then.Ephemeral {
		r.by.chat.tb.Fatalf("%s: the answer is seen by everybody:\n%s", r.what, draw(s.then))
	}
	return s
}

// ExpectMessage expects an answer that everybody in the channel sees.
func (r *Reply) ExpectMessage(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	s := r.message(texts)
	if s.then.Ephemeral {
		r.by.chat.tb.Fatalf("%s: the answer is ephemeral:\n%s", r.what, draw(s.then))
	}
	return s
}

// ExpectUpdate expects that the bot changed the pressed message instead of
// sending another, and waits until it says all texts.
func (r *Reply) ExpectUpdate(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	if c := r.Result.Callback; c != discordsim.CallbackUpdate && c != discordsim.CallbackDeferUpdate {
		r.by.chat.tb.Fatalf("%s: answered by callback %d, expected an update", r.what, c)
	}
	return r.message(texts)
}

// ExpectFollowup waits for any message in the channel that says all texts:
// the answer, a follow-up, or one sent besides.
func (r *Reply) ExpectFollowup(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.Expect(texts...)
}

// ExpectDM waits for a message in the direct channel with the bot.
func (r *Reply) ExpectDM(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.ExpectDM(texts...)
}

// message waits until the message behind the answer says all texts.
func (r *Reply) message(texts []string) *Shown {
	r.by.chat.tb.Helper()
	if r.Result.MessageID == "" {
		r.by.chat.tb.Fatalf("%s: answered by callback %d without a message", r.what, r.Result.Callback)
	}
	s := &Shown{by: r.by, id: r.Result.MessageID}
	return s.becomes("the answer", texts, func(discordsim.Message) bool { return true })
}

// ExpectLink expects that a link button was pressed and returns its address.
func (r *Reply) ExpectLink() string {
	r.by.chat.tb.Helper()
	if r.Result.Link == "" {
		r.by.chat.tb.Fatalf("%s: no link was opened", r.what)
	}
	return r.Result.Link
}

// ExpectFailed expects that the act, written after Failing, failed for a reason
// that contains the text, such as "no answer in time".
func (r *Reply) ExpectFailed(text string) *Person {
	r.by.chat.tb.Helper()
	if !r.Result.Failed || !strings.Contains(r.Result.Reason, text) {
		r.by.chat.tb.Fatalf("%s: expected a failure saying %q; it failed: %t, %s", r.what, text, r.Result.Failed, r.Result.Reason)
	}
	return r.by
}

// Modal expects a form with this in its title.
func (r *Reply) Modal(title string) *Form {
	r.by.chat.tb.Helper()
	m := r.Result.Modal
	if m == nil {
		r.by.chat.tb.Fatalf("%s: answered by callback %d, expected a form", r.what, r.Result.Callback)
	}
	if !strings.Contains(m.Title, title) {
		r.by.chat.tb.Fatalf("%s: the form is titled %q, expected %q", r.what, m.Title, title)
	}
	r.by.chat.ledger.metForm(m)
	return &Form{Modal: m, by: r.by, values: map[string]any{}}
}

// ExpectNoModal waits until no form is open.
func (r *Reply) ExpectNoModal() *Reply {
	r.by.chat.tb.Helper()
	r.by.ExpectNoModal()
	return r
}
