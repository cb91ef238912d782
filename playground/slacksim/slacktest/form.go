package slacktest

import (
	"fmt"
	"maps"
	"strings"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// Modal waits until the topmost form has this title.
func (p *Person) Modal(title string) *Form {
	p.chat.tb.Helper()
	out := &Form{p: p.calm(), values: map[string]string{}}
	p.chat.waits.Until(fmt.Sprintf("a form %q", title), func() string { return p.screen(p.channel) }, func() bool {
		views := p.chat.sim.Views(p.user)
		if len(views) == 0 {
			return false
		}
		out.View = views[len(views)-1]
		return out.Title == title
	})
	p.chat.ledger.metView(out.View)
	return out
}

// ExpectNoModal waits until no form is open.
func (p *Person) ExpectNoModal() *Person {
	p.chat.tb.Helper()
	p.chat.waits.Until("no form", func() string { return p.screen(p.channel) }, func() bool { return len(p.chat.sim.Views(p.user)) == 0 })
	return p
}

// Form is a modal that the person has open.
type Form struct {
	// View is the snapshot that met the expectation.
	slacksim.View

	p      *Person
	values map[string]string
}

// Fill enters a value into the input with this label, block id or action id.
// Of a menu it is the value or label of an option, or the id or name of a person
// or channel ("#team"); several are separated by commas.
func (f *Form) Fill(input, value string) *Form {
	values := maps.Clone(f.values)
	values[input] = value
	return &Form{View: f.View, p: f.p, values: values}
}

// Failing returns the form for one submission that the app is to answer badly.
func (f *Form) Failing() *Form {
	return &Form{View: f.View, p: f.p.Failing(), values: f.values}
}

// Submit sends the form; the app must take it.
func (f *Form) Submit() *Reply {
	f.p.chat.tb.Helper()
	res := f.send()
	if len(res.FieldErrors) > 0 {
		f.p.chat.tb.Fatalf("submit %q: field errors %v", f.Title, res.FieldErrors)
	}
	return f.p.did("submit "+f.Title, nil, res, nil)
}

// SubmitExpectingError sends the form and wants a complaint that contains the
// text, from the app or from the person's own client. The form stays open.
func (f *Form) SubmitExpectingError(text string) *Form {
	f.p.chat.tb.Helper()
	res := f.send()
	for _, complaint := range res.FieldErrors {
		if strings.Contains(complaint, text) {
			return f
		}
	}
	f.p.chat.tb.Fatalf("submit %q: expected a complaint saying %q; there are %v, and %s", f.Title, text, res.FieldErrors, trouble(res))
	return f
}

// Press presses a button inside the form.
func (f *Form) Press(what string) *Reply {
	f.p.chat.tb.Helper()
	ctx, cancel := f.p.chat.waits.Acting()
	defer cancel()
	res, err := f.p.chat.sim.PressView(ctx, f.p.user, f.ID, what)
	return f.p.did("press "+what, nil, res, err)
}

// Expect waits until the form says all texts, also after the app changed it.
func (f *Form) Expect(texts ...string) *Form {
	f.p.chat.tb.Helper()
	out := &Form{p: f.p, values: f.values}
	f.p.chat.waits.Until(fmt.Sprintf("the form saying %q", texts), func() string { return f.p.screen(f.p.channel) }, func() bool {
		for _, v := range f.p.chat.sim.Views(f.p.user) {
			if v.ID == f.ID && chattest.Says(drawView(v), texts) {
				out.View = v
				return true
			}
		}
		return false
	})
	f.p.chat.ledger.metView(out.View)
	return out
}

// Close closes the form without sending it; the app is told if it asked for it.
func (f *Form) Close() *Person {
	f.p.chat.tb.Helper()
	ctx, cancel := f.p.chat.waits.Acting()
	defer cancel()
	res, err := f.p.chat.sim.CloseView(ctx, f.p.user, f.ID)
	return f.p.did("close "+f.Title, nil, res, err).by
}

func (f *Form) send() *slacksim.Result {
	f.p.chat.tb.Helper()
	ctx, cancel := f.p.chat.waits.Acting()
	defer cancel()
	res, err := f.p.chat.sim.Submit(ctx, f.p.user, f.ID, f.values)
	if err != nil {
		f.p.chat.tb.Fatalf("submit %q: %v; the form is:\n%s", f.Title, err, drawView(f.View))
	}
	return res
}

// Home is the app's home tab as one person sees it.
// https://docs.slack.dev/surfaces/app-home/
type Home struct {
	// View is the snapshot that met the expectation.
	slacksim.View

	p *Person
}

// Expect waits until the home tab says all texts.
func (h *Home) Expect(texts ...string) *Home {
	h.p.chat.tb.Helper()
	out := &Home{p: h.p}
	h.p.chat.waits.Until(fmt.Sprintf("a home tab saying %q", texts), func() string {
		if v, ok := h.p.chat.sim.Home(h.p.user); ok {
			return drawView(v)
		}
		return "  no home tab"
	}, func() bool {
		now, ok := h.p.chat.sim.Home(h.p.user)
		out.View = now
		return ok && chattest.Says(drawView(now), texts)
	})
	return out
}

// Press presses a button in the home tab.
func (h *Home) Press(what string) *Reply {
	h.p.chat.tb.Helper()
	ctx, cancel := h.p.chat.waits.Acting()
	defer cancel()
	res, err := h.p.chat.sim.PressView(ctx, h.p.user, h.ID, what)
	return h.p.did("press "+what, nil, res, err)
}
