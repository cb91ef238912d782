package jsclients

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// discordStage is a simulated Discord and discord.js in front of it.
type discordStage struct {
	sim            *discordsim.Server
	js             *driver
	guild, channel string
	ada, bert      string
}

// startDiscord starts a Discord with one guild, one channel and two people.
func startDiscord(tb testing.TB, cfg discordsim.Config) *discordStage {
	tb.Helper()
	sim, err := discordsim.Start(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sim.Close(); err != nil {
			tb.Error(err)
		}
		for _, v := range sim.Violations() {
			tb.Errorf("the simulator's own answer: %s", v)
		}
	})
	s := &discordStage{sim: sim, guild: sim.AddGuild(discordsim.Guild{Name: "Learners", Locale: "fr"})}
	if s.channel, err = sim.AddChannel(discordsim.Channel{GuildID: s.guild, Name: "badges"}); err != nil {
		tb.Fatal(err)
	}
	s.ada = sim.AddUser(discordsim.User{Name: "ada", GlobalName: "Ada", Locale: "de"})
	s.bert = sim.AddUser(discordsim.User{Name: "bert"})
	return s
}

// drive starts discord.js; api, which may be empty, is where it looks for the
// REST API.
func (s *discordStage) drive(tb testing.TB, folder, api string) {
	tb.Helper()
	if api == "" {
		api = s.sim.BaseURL() + "/api"
	}
	s.js = run(tb, folder, "discord.mjs", "DISCORD_API="+api)
}

// ready is what the client knows when it is ready.
type ready struct {
	User        string `json:"user"`
	Application string `json:"application"`
	Guilds      []struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Available bool   `json:"available"`
		Locale    string `json:"locale"`
		Channels  []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			Type int    `json:"type"`
		} `json:"channels"`
	} `json:"guilds"`
}

// discordLogsIn: the client logs in and knows its guilds and their channels.
func discordLogsIn(tb testing.TB, s *discordStage) {
	tb.Helper()
	do[nothing](tb, s.js, "login", s.sim.BotToken())
	r := await[ready](tb, s.js, "ready", nil)
	equal(tb, "user and application", []string{r.User, r.Application}, []string{s.sim.ApplicationID(), s.sim.ApplicationID()})
	if len(r.Guilds) != 1 || len(r.Guilds[0].Channels) != 1 {
		tb.Fatalf("ready with %+v", r)
	}
	g := r.Guilds[0]
	equal(tb, "guild", []any{g.ID, g.Name, g.Available, g.Locale, g.Channels[0].ID, g.Channels[0].Name, g.Channels[0].Type},
		[]any{s.guild, "Learners", true, "fr", s.channel, "badges", 0})
	sessions := s.sim.Gateway().Sessions()
	if len(sessions) != 1 || !sessions[0].Connected || sessions[0].Shard != [2]int{0, 1} {
		tb.Fatalf("the gateway has %+v", sessions)
	}
}

// jsCommand is a registered command as the client sees it.
type jsCommand struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Guild   string `json:"guild"`
	Options int    `json:"options"`
}

var badges = obj{
	"name": "badges", "description": "Your badges", "name_localizations": obj{"de": "abzeichen"},
	"options": []obj{
		{"type": 1, "name": "list", "description": "Show them"},
		{"type": 1, "name": "find", "description": "Look for one", "options": []obj{
			{"type": 3, "name": "name", "description": "Its name", "required": true, "autocomplete": true, "max_length": 50},
			{"type": 4, "name": "year", "description": "Its year"},
		}},
	},
}

// discordRegisters: global and guild commands.
func discordRegisters(tb testing.TB, s *discordStage) {
	tb.Helper()
	set := do[[]jsCommand](tb, s.js, "setCommands", []obj{badges, {"name": "help", "description": "What there is"}})
	held := s.sim.Commands()
	if len(set) != 2 || len(held) != 2 || set[0].ID != held[0].ID || set[0].Options != 2 || held[0].NameLocalizations["de"] != "abzeichen" {
		tb.Fatalf("the client set %+v, Discord holds %+v", set, held)
	}
	own := do[jsCommand](tb, s.js, "createCommand", obj{"name": "here", "description": "Only here"}, s.guild)
	listed := do[[]jsCommand](tb, s.js, "fetchCommands", s.guild)
	if own.Guild != s.guild || len(listed) != 1 || listed[0].ID != own.ID {
		tb.Fatalf("created %+v, listed %+v", own, listed)
	}
	do[nothing](tb, s.js, "deleteCommand", own.ID, s.guild)
	equal(tb, "global commands", names(do[[]jsCommand](tb, s.js, "fetchCommands")), []string{"badges", "help"})
	equal(tb, "commands held", len(s.sim.Commands()), 2)
}

func names(list []jsCommand) []string {
	out := []string{}
	for _, c := range list {
		out = append(out, c.Name)
	}
	slices.Sort(out)
	return out
}

// seen is an interaction as the client hands it on.
type seen struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	User        string   `json:"user"`
	Channel     string   `json:"channel"`
	Guild       string   `json:"guild"`
	Locale      string   `json:"locale"`
	GuildLocale string   `json:"guildLocale"`
	InGuild     bool     `json:"inGuild"`
	Permissions []string `json:"permissions"`
	Command     string   `json:"command"`
	Subcommand  string   `json:"subcommand"`
	Options     []option `json:"options"`
	Focused     struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"focused"`
	CustomID string         `json:"customId"`
	Values   []string       `json:"values"`
	Fields   map[string]any `json:"fields"`
	Message  string         `json:"message"`
}

type option struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Value   any      `json:"value,omitempty"`
	Options []option `json:"options,omitempty"`
}

// jsMessage is a message as the client sees it.
type jsMessage struct {
	ID         string `json:"id"`
	Channel    string `json:"channel"`
	Content    string `json:"content"`
	Author     string `json:"author"`
	Flags      int    `json:"flags"`
	Edited     bool   `json:"edited"`
	Components []obj  `json:"components"`
	Embeds     []obj  `json:"embeds"`
}

func (s *discordStage) next(tb testing.TB, kind string) seen {
	tb.Helper()
	return await(tb, s.js, "interaction", func(i seen) bool { return i.Kind == kind })
}

// interact lets the client answer an interaction.
func (s *discordStage) interact(tb testing.TB, i seen, method string, args ...any) jsMessage {
	tb.Helper()
	raw := do[json.RawMessage](tb, s.js, "interact", append([]any{i.ID, method}, args...)...)
	if string(raw) == "null" {
		return jsMessage{}
	}
	return decoded[jsMessage](tb, method, raw)
}

func (s *discordStage) command(tb testing.TB, channel, name, sub string, options obj) (acting[*discordsim.Result], seen) {
	tb.Helper()
	typed := act(func() (*discordsim.Result, error) { return s.sim.Command(ctx(tb), s.ada, channel, name, sub, options) })
	return typed, s.next(tb, "ChatInputCommandInteraction")
}

func (s *discordStage) message(tb testing.TB, id string) discordsim.Message {
	tb.Helper()
	m, ok := s.sim.Message(id)
	if !ok {
		tb.Fatalf("message %s is not there", id)
	}
	return m
}

func row(components ...obj) obj { return obj{"type": 1, "components": components} }

func jsButton(label, id string) obj {
	return obj{"type": 2, "style": 1, "label": label, "custom_id": id}
}

const ephemeral = 64

// discordAnswers: a command is answered, edited and followed up; one is
// deferred; a press changes its message.
func discordAnswers(tb testing.TB, s *discordStage) {
	tb.Helper()
	typed, i := s.command(tb, s.channel, "badges", "find", obj{"name": "Go", "year": 2024})
	equal(tb, "command", []any{i.User, i.Channel, i.Guild, i.Locale, i.GuildLocale, i.InGuild, i.Command, i.Subcommand},
		[]any{s.ada, s.channel, s.guild, "de", "fr", true, "badges", "find"})
	equal(tb, "options", i.Options, []option{{Name: "find", Type: "Subcommand", Options: []option{
		{Name: "name", Type: "String", Value: "Go"}, {Name: "year", Type: "Integer", Value: 2024},
	}}})
	if !slices.Contains(i.Permissions, "SendMessages") {
		tb.Fatalf("the client may %v", i.Permissions)
	}
	s.interact(tb, i, "reply", obj{
		"content": "One badge", "flags": ephemeral, "embeds": []obj{{"title": "Go", "color": 5}},
		"components": []obj{
			row(jsButton("Claim", "claim:1"), obj{"type": 2, "style": 5, "label": "Read", "url": "https://example.org/"}),
			row(obj{"type": 3, "custom_id": "pick", "placeholder": "Which", "options": []obj{{"label": "First", "value": "1"}, {"label": "Second", "value": "2"}}}),
		},
	})
	res := typed.end(tb)
	m := s.message(tb, res.MessageID)
	if res.Failed || !m.Ephemeral || m.Content != "One badge" || len(m.Buttons()) != 2 || len(m.Embeds) != 1 {
		tb.Fatalf("came to %+v: %+v", res, m)
	}
	fetched := s.interact(tb, i, "fetchReply")
	equal(tb, "the reply", []any{fetched.ID, fetched.Content, fetched.Author, len(fetched.Components), fetched.Flags & ephemeral},
		[]any{m.ID, "One badge", s.sim.ApplicationID(), 2, ephemeral})
	edited := s.interact(tb, i, "editReply", obj{"content": "One badge left"})
	m = s.message(tb, res.MessageID)
	if edited.ID != m.ID || m.Content != "One badge left" || m.Edited.IsZero() || len(m.Components) != 2 {
		tb.Fatalf("editReply answered %+v, Discord holds %+v", edited, m)
	}
	more := s.interact(tb, i, "followUp", obj{"content": "And this", "flags": ephemeral})
	if m := s.message(tb, more.ID); m.Content != "And this" || !m.Ephemeral || more.ID == res.MessageID {
		tb.Fatalf("followUp answered %+v, Discord holds %+v", more, m)
	}
	if _, failed := s.js.try(tb, "interact", i.ID, "reply", obj{"content": "Twice"}); failed == nil || failed.Code != "InteractionAlreadyReplied" {
		tb.Fatalf("a second reply: %s", failed)
	}

	// The press, and a choice.
	pressed := act(func() (*discordsim.Result, error) { return s.sim.Press(ctx(tb), s.ada, res.MessageID, "Claim") })
	p := s.next(tb, "ButtonInteraction")
	equal(tb, "press", []string{p.CustomID, p.User, p.Message}, []string{"claim:1", s.ada, res.MessageID})
	s.interact(tb, p, "update", obj{"content": "Two minutes", "components": []obj{row(obj{"type": 2, "style": 1, "label": "Claimed", "custom_id": "claim:1", "disabled": true})}})
	if r := pressed.end(tb); r.Failed || r.Callback != discordsim.CallbackUpdate || r.MessageID != res.MessageID {
		tb.Fatalf("the press came to %+v", r)
	}
	if b, ok := s.message(tb, res.MessageID).Button("Claimed"); !ok || !b.Disabled {
		tb.Fatalf("after the press Discord holds %+v", s.message(tb, res.MessageID))
	}

	// A deferral, in the direct channel.
	typed, i = s.command(tb, "", "badges", "list", nil)
	equal(tb, "direct", []any{i.User, i.Guild, i.InGuild}, []any{s.ada, "", false})
	s.interact(tb, i, "deferReply", obj{"flags": ephemeral})
	res = typed.end(tb)
	if m := s.message(tb, res.MessageID); res.Failed || !m.Thinking || !m.Ephemeral {
		tb.Fatalf("a deferral came to %+v: %+v", res, m)
	}
	late := s.interact(tb, i, "editReply", obj{"content": "Here they are", "components": []obj{row(obj{"type": 3, "custom_id": "pick", "options": []obj{{"label": "First", "value": "1"}, {"label": "Second", "value": "2"}}})}})
	m = s.message(tb, res.MessageID)
	if late.ID != m.ID || m.Thinking || m.Content != "Here they are" || !m.Ephemeral {
		tb.Fatalf("editReply answered %+v, Discord holds %+v", late, m)
	}
	pressed = act(func() (*discordsim.Result, error) { return s.sim.Press(ctx(tb), s.ada, m.ID, "pick", "2") })
	p = s.next(tb, "StringSelectMenuInteraction")
	equal(tb, "choice", []any{p.CustomID, p.Values}, []any{"pick", []string{"2"}})
	s.interact(tb, p, "deferUpdate")
	if r := pressed.end(tb); r.Failed || r.Callback != discordsim.CallbackDeferUpdate {
		tb.Fatalf("the choice came to %+v", r)
	}
	changed := s.interact(tb, p, "editReply", obj{"content": "Second it is", "components": []obj{}})
	if m := s.message(tb, res.MessageID); changed.ID != m.ID || m.Content != "Second it is" || len(m.Components) != 0 {
		tb.Fatalf("after the choice Discord holds %+v", m)
	}
	s.interact(tb, p, "deleteReply")
	if _, there := s.sim.Message(res.MessageID); there {
		tb.Fatal("deleteReply left the message")
	}
}

// discordForms: suggestions while typing; a form by a button, in its old and
// its new shape, and what it was filled with.
func discordForms(tb testing.TB, s *discordStage) {
	tb.Helper()
	typing := act(func() ([]discordsim.Choice, error) {
		return s.sim.Autocomplete(ctx(tb), s.ada, s.channel, "badges", "find", "name", "G")
	})
	i := s.next(tb, "AutocompleteInteraction")
	equal(tb, "typed", []string{i.Command, i.Focused.Name, i.Focused.Value}, []string{"badges", "name", "G"})
	s.interact(tb, i, "respond", []obj{{"name": "Go", "value": "go"}, {"name": "Git", "value": "git"}})
	choices := typing.end(tb)
	if len(choices) != 2 || choices[0].Name != "Go" || choices[1].Value != "git" {
		tb.Fatalf("suggested %+v", choices)
	}

	typed, i := s.command(tb, s.channel, "badges", "list", nil)
	s.interact(tb, i, "reply", obj{"content": "Link first", "components": []obj{row(jsButton("Link", "link"))}})
	list := typed.end(tb)
	input := obj{"type": 4, "custom_id": "address", "style": 1, "min_length": 3, "max_length": 50}
	old := obj{"type": 4, "custom_id": "address", "style": 1, "label": "Address", "min_length": 3, "max_length": 50}
	for _, components := range [][]obj{
		{row(old)},
		{
			{"type": 10, "content": "We send a code."},
			{"type": 18, "label": "Address", "description": "By mail", "component": input},
			{"type": 18, "label": "Language", "component": obj{"type": 3, "custom_id": "language", "options": []obj{{"label": "German", "value": "de"}, {"label": "English", "value": "en"}}}},
		},
	} {
		pressed := act(func() (*discordsim.Result, error) { return s.sim.Press(ctx(tb), s.ada, list.MessageID, "Link") })
		p := s.next(tb, "ButtonInteraction")
		s.interact(tb, p, "showModal", obj{"title": "Link an address", "custom_id": "form", "components": components})
		shown := pressed.end(tb)
		if shown.Failed || shown.Modal == nil || shown.Modal.Title != "Link an address" {
			tb.Fatalf("the press came to %+v", shown)
		}
		values := map[string]any{"Address": "ada@example.org"}
		want := map[string]any{"address": "ada@example.org"}
		if len(components) > 1 {
			values["Language"], want["language"] = "en", []string{"en"}
		}
		sent := act(func() (*discordsim.Result, error) { return s.sim.Submit(ctx(tb), s.ada, shown.Modal, values) })
		f := s.next(tb, "ModalSubmitInteraction")
		equal(tb, "form", []any{f.CustomID, f.User, f.Message}, []any{"form", s.ada, list.MessageID})
		equal(tb, "fields", f.Fields, want)
		s.interact(tb, f, "reply", obj{"content": "Code sent", "flags": ephemeral})
		if r := sent.end(tb); r.Failed || s.message(tb, r.MessageID).Content != "Code sent" {
			tb.Fatalf("the form came to %+v", r)
		}
	}
}

// discordPosts: messages in a channel and to a person, with components of the
// second version.
func discordPosts(tb testing.TB, s *discordStage) {
	tb.Helper()
	posted := do[jsMessage](tb, s.js, "send", s.channel, obj{"flags": discordsim.FlagComponentsV2, "components": []obj{
		{"type": 17, "accent_color": 5, "components": []obj{
			{"type": 10, "content": "**One badge**"},
			{"type": 14},
			{"type": 9, "components": []obj{{"type": 10, "content": "Yours"}}, "accessory": jsButton("Claim", "claim:2")},
		}},
	}})
	m := s.message(tb, posted.ID)
	if posted.Channel != s.channel || len(posted.Components) != 1 || posted.Components[0]["type"] != 17.0 || !strings.Contains(m.Text(), "One badge") || len(m.Buttons()) != 1 {
		tb.Fatalf("send answered %+v, Discord holds %+v", posted, m)
	}
	direct := do[jsMessage](tb, s.js, "sendTo", s.bert, obj{"content": "Hello", "nonce": "once", "enforceNonce": true})
	again := do[jsMessage](tb, s.js, "sendTo", s.bert, obj{"content": "Hello", "nonce": "once", "enforceNonce": true})
	equal(tb, "direct", []string{direct.Channel, again.ID}, []string{s.sim.DM(s.bert), direct.ID})
	edited := do[jsMessage](tb, s.js, "edit", direct.Channel, direct.ID, obj{"content": "Hello again"})
	equal(tb, "edited", []any{edited.Edited, s.message(tb, direct.ID).Content}, []any{true, "Hello again"})
	for i := range 2 {
		do[jsMessage](tb, s.js, "sendTo", s.bert, obj{"content": fmt.Sprint("more ", i)})
	}
	equal(tb, "history", len(do[[]jsMessage](tb, s.js, "history", direct.Channel, obj{"limit": 2})), 2)
	do[nothing](tb, s.js, "remove", direct.Channel, direct.ID)
	if _, there := s.sim.Message(direct.ID); there {
		tb.Fatal("the message is still there")
	}
}
