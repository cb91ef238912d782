package discordtest

import "github.com/laurelbot/laurel/playground/discordsim"

// Share writes a message with files in the channel, and returns it.
func (p *Person) Share(text string, files ...discordsim.Upload) *Shown {
	p.chat.tb.Helper()
	id, err := p.chat.sim.Share(p.id, p.channel, text, files...)
	if err != nil {
		p.chat.tb.Fatalf("share as %s: %v", p.id, err)
	}
	m, ok := p.chat.sim.Message(id)
	if !ok {
		p.chat.tb.Fatalf("share as %s: the message is gone", p.id)
	}
	return p.shown(m)
}

// Command chooses the command of this name in the message's menu.
func (s *Shown) Command(name string) *Reply {
	s.by.chat.tb.Helper()
	return s.by.CommandOn(s.id, name)
}

// CommandOn does so with any message, also one of somebody else.
func (p *Person) CommandOn(messageID, name string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.MessageCommand(ctx, p.id, messageID, name)
	return p.did(name, res, err)
}
