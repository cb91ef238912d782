package discordtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// Person is somebody in a channel.
type Person struct {
	chat        *Chat
	id, channel string
	dm          string
	failing     bool
}

// ID is the person's snowflake.
func (p *Person) ID() string { return p.id }

// Channel is the id of the channel that the person is in.
func (p *Person) Channel() string { return p.channel }

// In goes on in another channel.
func (p *Person) In(channelID string) *Person {
	out := *p
	out.channel = channelID
	return &out
}

// Failing returns the person for one act that the bot is to answer badly or
// not at all; the act fails the test when it is answered well.
func (p *Person) Failing() *Person {
	out := *p
	out.failing = true
	return &out
}

// calm is the person after an act.
func (p *Person) calm() *Person {
	out := *p
	out.failing = false
	return &out
}

// Command runs a slash command; subcommand and options may be empty. See
// discordsim.Server.Command for the types of options.
func (p *Person) Command(name, subcommand string, options map[string]any) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Command(ctx, p.id, p.channel, name, subcommand, options)
	return p.did(strings.TrimSpace("/"+name+" "+subcommand), res, err)
}

// Complete returns the names suggested while the person types into an option.
func (p *Person) Complete(command, subcommand, option, partial string) []string {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	choices, err := p.chat.sim.Autocomplete(ctx, p.id, p.channel, command, subcommand, option, partial)
	if err != nil {
		p.chat.tb.Fatalf("complete %s: %v", option, err)
	}
	var names []string
	for _, c := range choices {
		names = append(names, c.Name)
	}
	return names
}

// PressOn presses a button of any message, also one of somebody else.
func (p *Person) PressOn(messageID, customIDOrLabel string, values ...string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Press(ctx, p.id, messageID, customIDOrLabel, values...)
	return p.did("press "+customIDOrLabel, res, err)
}

// Say writes a message that bots connected to the gateway hear of, as
// MESSAGE_CREATE; over HTTP no bot does. The channel does not show it.
// https://discord.com/developers/docs/events/gateway-events#message-create
func (p *Person) Say(text string) *Person {
	p.chat.tb.Helper()
	at := p.chat.sim.Clock().Now()
	message := map[string]any{
		"id": snowflake(at), "type": 0, "channel_id": p.channel, "author": p.user(), "content": text,
		"timestamp": at.UTC().Format(time.RFC3339Nano), "edited_timestamp": nil, "tts": false, "mention_everyone": false,
		"mentions": []any{}, "mention_roles": []any{}, "attachments": []any{}, "embeds": []any{}, "components": []any{},
		"pinned": false, "flags": 0,
	}
	guild := p.guildOf()
	if guild != "" {
		message["guild_id"] = guild
	}
	return p.tells(guild, "MESSAGE_CREATE", message)
}

// Join tells bots connected to the gateway, as GUILD_MEMBER_ADD, that the
// person came into the channel's guild.
func (p *Person) Join(channelID string) *Person {
	p.chat.tb.Helper()
	in := p.In(channelID)
	guild := in.guildOf()
	return in.tells(guild, "GUILD_MEMBER_ADD", map[string]any{
		"guild_id": guild, "user": p.user(), "nick": nil, "avatar": nil, "roles": []any{}, "joined_at": p.chat.sim.Clock().Now().UTC().Format(time.RFC3339),
		"deaf": false, "mute": false, "flags": 0,
	})
}

// Leave tells them, as GUILD_MEMBER_REMOVE, that the person left it.
func (p *Person) Leave(channelID string) {
	p.chat.tb.Helper()
	in := p.In(channelID)
	guild := in.guildOf()
	in.tells(guild, "GUILD_MEMBER_REMOVE", map[string]any{"guild_id": guild, "user": p.user()})
}

// tells dispatches an event, unless the bot is reached over HTTP.
func (p *Person) tells(guild, event string, data any) *Person {
	p.chat.tb.Helper()
	if len(p.chat.sim.Gateway().Sessions()) > 0 && p.chat.sim.Gateway().Dispatch(guild, event, data) == 0 {
		p.chat.tb.Fatalf("%s: no session of the bot listens", event)
	}
	return p
}

// user is the person as events show them.
func (p *Person) user() map[string]any {
	out := map[string]any{"id": p.id, "username": p.id, "discriminator": "0", "avatar": nil, "global_name": nil}
	state := stateOf(p.chat.sim, p.id)
	if state.User.Name != "" {
		out["username"] = state.User.Name
	}
	if state.User.GlobalName != "" {
		out["global_name"] = state.User.GlobalName
	}
	return out
}

// guildOf is the guild of the person's channel, empty for the direct one.
func (p *Person) guildOf() string {
	for _, ch := range stateOf(p.chat.sim, p.id).Channels {
		if ch.ID == p.channel {
			return ch.GuildID
		}
	}
	return ""
}

// snowflake is an id of this moment.
// https://discord.com/developers/docs/reference#snowflakes
func snowflake(at time.Time) string {
	const epoch = 1420070400000
	return fmt.Sprint((at.UnixMilli() - epoch) << 22)
}

// did judges what came of an act.
func (p *Person) did(what string, res *discordsim.Result, err error) *Reply {
	p.chat.tb.Helper()
	if err != nil {
		p.chat.tb.Fatalf("%s as %s: %v; there is:\n%s", what, p.id, err, p.screen())
	}
	switch {
	case p.failing && !res.Failed:
		p.chat.tb.Fatalf("%s as %s: expected a failure, the bot answered by callback %d", what, p.id, res.Callback)
	case !p.failing && res.Failed:
		p.chat.tb.Fatalf("%s as %s: the person sees %q: %s", what, p.id, res.Notice, res.Reason)
	}
	return &Reply{Result: res, by: p.calm(), what: what}
}

// ExpectEphemeral waits for a message that only this person sees, in the
// channel, saying all the texts. Of several the newest counts.
func (p *Person) ExpectEphemeral(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect("an ephemeral message", texts, func(m discordsim.Message) bool { return m.Ephemeral })
}

// ExpectMessage waits for a message in the channel that everybody there sees.
func (p *Person) ExpectMessage(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect("a message", texts, func(m discordsim.Message) bool { return !m.Ephemeral })
}

// Expect waits for a message of either kind in the channel saying all texts.
func (p *Person) Expect(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect("a message", texts, func(discordsim.Message) bool { return true })
}

// ExpectDM waits for a message in the direct channel with the bot.
func (p *Person) ExpectDM(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.In(p.dm).Expect(texts...)
}

// ExpectNothing fails the test when the person sees a message in the channel
// that says all texts, now. To be sure of what may come yet, expect something
// that comes later, or see Chat.ExpectNothingMore.
func (p *Person) ExpectNothing(texts ...string) {
	p.chat.tb.Helper()
	for _, m := range p.Messages() {
		if chattest.Says(draw(m), texts) {
			p.chat.tb.Fatalf("expected no message saying %q; there is:\n%s", texts, p.screen())
		}
	}
}

// Messages returns what the person sees in the channel, oldest first.
func (p *Person) Messages() []discordsim.Message {
	return p.chat.sim.Messages(p.channel, p.id)
}

func (p *Person) expect(what string, texts []string, fits func(discordsim.Message) bool) *Shown {
	p.chat.tb.Helper()
	var found *discordsim.Message
	p.chat.waits.Until(fmt.Sprintf("%s for %s saying %q", what, p.id, texts), p.screen, func() bool {
		for _, m := range p.Messages() {
			if !m.Thinking && fits(m) && chattest.Says(draw(m), texts) {
				found = &m
			}
		}
		return found != nil
	})
	return p.shown(*found)
}

// shown is a message that met an expectation.
func (p *Person) shown(m discordsim.Message) *Shown {
	p.chat.ledger.met(m)
	return &Shown{by: p.calm(), id: m.ID, then: m}
}

// screen draws what the person sees, for a failed test.
func (p *Person) screen() string {
	var b strings.Builder
	for _, m := range p.Messages() {
		fmt.Fprintf(&b, "message %s:\n%s", m.ID, draw(m))
	}
	for _, f := range p.chat.sim.Modals(p.id) {
		fmt.Fprintf(&b, "open form:\n%s", drawForm(f))
	}
	if b.Len() == 0 {
		return "  nothing"
	}
	return b.String()
}
