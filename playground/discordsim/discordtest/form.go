package discordtest

import (
	"fmt"
	"maps"
	"strings"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// Modal waits until a form with this in its title is open.
func (p *Person) Modal(title string) *Form {
	p.chat.tb.Helper()
	var found *discordsim.Modal
	p.chat.waits.Until(fmt.Sprintf("a form %q", title), p.screen, func() bool {
		for _, m := range p.chat.sim.Modals(p.id) {
			if strings.Contains(m.Title, title) {
				found = m
			}
		}
		return found != nil
	})
	p.chat.ledger.metForm(found)
	return &Form{Modal: found, by: p.calm(), values: map[string]any{}}
}

// ExpectNoModal waits until no form is open.
func (p *Person) ExpectNoModal() *Person {
	p.chat.tb.Helper()
	p.chat.waits.Until("no form", p.screen, func() bool { return len(p.chat.sim.Modals(p.id)) == 0 })
	return p
}

// Form is a modal that the person has open.
type Form struct {
	// Modal is the form as the bot sent it.
	Modal *discordsim.Modal

	by     *Person
	values map[string]any
}

// Fill enters a value into the input with this label or custom id; a channel is
// named by id or name ("#team"). See discordsim.Server.Submit for the types of
// values.
func (f *Form) Fill(name string, value any) *Form {
	values := maps.Clone(f.values)
	values[name] = value
	return &Form{Modal: f.Modal, by: f.by, values: values}
}

// Failing returns the form for one submission that the bot is to answer badly.
func (f *Form) Failing() *Form {
	return &Form{Modal: f.Modal, by: f.by.Failing(), values: f.values}
}

// Submit sends the form; the bot must take it.
func (f *Form) Submit() *Reply {
	f.by.chat.tb.Helper()
	ctx, cancel := f.by.chat.waits.Acting()
	defer cancel()
	res, err := f.by.chat.sim.Submit(ctx, f.by.id, f.Modal, f.values)
	return f.by.did("submit "+f.Modal.Title, res, err)
}

// SubmitExpectingError tries to send the form and wants the person's own client
// to refuse it with a complaint that contains the text. The form stays open.
// A bot has no way to complain inside a form: its complaint is a message, see
// Reply.ExpectEphemeral.
func (f *Form) SubmitExpectingError(text string) *Form {
	f.by.chat.tb.Helper()
	ctx, cancel := f.by.chat.waits.Acting()
	defer cancel()
	_, err := f.by.chat.sim.Submit(ctx, f.by.id, f.Modal, f.values)
	if err == nil || !strings.Contains(err.Error(), text) {
		f.by.chat.tb.Fatalf("submit %q: expected a complaint saying %q; there is: %v", f.Modal.Title, text, err)
	}
	return f
}

// Expect expects the form to say all texts: its title, labels, descriptions.
func (f *Form) Expect(texts ...string) *Form {
	f.by.chat.tb.Helper()
	if drawn := drawForm(f.Modal); !chattest.Says(drawn, texts) {
		f.by.chat.tb.Fatalf("expected the form saying %q; there is:\n%s", texts, drawn)
	}
	return f
}

// Close closes the form without sending it; the bot hears nothing of it.
func (f *Form) Close() *Person {
	f.by.chat.sim.CloseModal(f.by.id, f.Modal.ID)
	return f.by
}
