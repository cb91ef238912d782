package slacktest

import "github.com/laurelbot/laurel/playground/slacksim"

// Share writes a message with files in the channel, and returns it.
func (p *Person) Share(text string, files ...slacksim.Upload) *Shown {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	ref, err := p.chat.sim.Share(ctx, p.user, p.channel, text, files...)
	if err != nil {
		p.chat.tb.Fatalf("share as %s: %v", p.user, err)
	}
	m, ok := p.chat.sim.Message(ref)
	if !ok {
		p.chat.tb.Fatalf("share as %s: the message is gone", p.user)
	}
	return &Shown{Message: m, p: p.calm()}
}

// Shortcut chooses the app's shortcut of this callback id in the message's
// menu.
func (m *Shown) Shortcut(callbackID string) *Reply {
	m.p.chat.tb.Helper()
	return m.p.In(m.Channel).ShortcutOn(m.Ref(), callbackID)
}

// ShortcutOn does so with any message, also one of somebody else.
func (p *Person) ShortcutOn(ref slacksim.MessageRef, callbackID string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.MessageShortcut(ctx, p.user, ref, callbackID)
	return p.did("shortcut "+callbackID, nil, res, err)
}
