package slacktest

import (
	"strings"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// Reply is what came of an act.
type Reply struct {
	// Result is how the app answered, on the wire.
	Result *slacksim.Result

	by   *Person
	on   *Shown
	what string
}

// Person goes back to who acted.
func (r *Reply) Person() *Person { return r.by }

// ExpectEphemeral waits for a message that only the person sees.
func (r *Reply) ExpectEphemeral(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.ExpectEphemeral(texts...)
}

// ExpectMessage waits for a lasting message in the channel.
func (r *Reply) ExpectMessage(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.ExpectMessage(texts...)
}

// ExpectFollowup waits for any message in the channel.
func (r *Reply) ExpectFollowup(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.Expect(texts...)
}

// ExpectDM waits for a message in the conversation with the bot.
func (r *Reply) ExpectDM(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	return r.by.ExpectDM(texts...)
}

// ExpectUpdate waits until the message that was pressed is edited and says all
// the texts.
func (r *Reply) ExpectUpdate(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	if r.on == nil {
		r.by.chat.tb.Fatalf("%s: nothing was pressed that could be updated", r.what)
	}
	return r.on.ExpectEdit(texts...)
}

// ExpectLink expects that a link button was pressed and returns its address.
func (r *Reply) ExpectLink() string {
	r.by.chat.tb.Helper()
	if r.Result.OpenedURL == "" {
		r.by.chat.tb.Fatalf("%s: no link was opened", r.what)
	}
	return r.Result.OpenedURL
}

// ExpectFailed expects that the act, written after Failing, failed for a reason
// that contains the text, such as operation_timeout. What Slack itself says to
// the person about it is then expected.
func (r *Reply) ExpectFailed(text string) *Person {
	r.by.chat.tb.Helper()
	if why := trouble(r.Result); r.Result.OK() || !strings.Contains(why, text) {
		r.by.chat.tb.Fatalf("%s: expected a failure saying %q; %s", r.what, text, why)
	}
	for _, m := range r.by.chat.sim.Messages(r.by.channel, r.by.user) {
		if m.User == slacksim.SlackbotID {
			r.by.chat.ledger.met(m)
		}
	}
	return r.by
}

// Modal waits until the topmost form has this title.
func (r *Reply) Modal(title string) *Form {
	r.by.chat.tb.Helper()
	return r.by.Modal(title)
}

// ExpectNoModal waits until no form is open.
func (r *Reply) ExpectNoModal() *Reply {
	r.by.chat.tb.Helper()
	r.by.ExpectNoModal()
	return r
}
