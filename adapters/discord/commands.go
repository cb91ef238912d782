package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const (
	commandName   = "badges"
	optionAddress = "address"
	optionBadge   = "badge"
	optionLink    = "link"
	optionFile    = "file"
	// commandChatInput is the type of a typed command, commandMessage of one
	// in the menu of a message.
	commandChatInput = 1
	commandMessage   = 3
)

// Contexts and installations of the command: in servers, in direct messages
// with the bot and in other private channels, installed by a server or a
// person
// (https://discord.com/developers/docs/interactions/application-commands#interaction-contexts).
const (
	contextGuild = iota
	contextBotDM
	contextPrivate
)

const (
	installedByGuild = iota
	installedByUser
)

// CommandKeys are the parts of the command that have a text, each the path
// of names that leads to it.
var CommandKeys = []string{
	"badges",
	"badges.list",
	"badges.home",
	"badges.link",
	"badges.link.address",
	"badges.emails",
	"badges.claim",
	"badges.claim.badge",
	"badges.share",
	"badges.share.badge",
	"badges.steps",
	"badges.verify",
	"badges.verify.link",
	"badges.verify.file",
	"badges.reminders",
	"badges.status",
	"badges.announce",
	"badges.settings",
	"badges.digests",
	"badges.roles",
	"badges.certificates",
	"badges.forget",
	"badges.help",
}

// MessageCommandKey is the text of the command in the menu of messages: its
// name, which is no word but a sentence, and nothing else.
const MessageCommandKey = "verify_message"

// CommandText is what people see of one part of the command.
type CommandText struct {
	// Name is the part's name on the wire, which is the last name of its key;
	// empty means the same.
	Name string
	// Description has at most 100 characters.
	Description string
	// Names and Descriptions are the localised ones by Discord's locale
	// (https://discord.com/developers/docs/reference#locales).
	Names, Descriptions map[string]string
}

// Command is an application command, subcommand or option on the wire.
type Command struct {
	Type             int               `json:"type"`
	Name             string            `json:"name"`
	Names            map[string]string `json:"name_localizations,omitempty"`
	Description      string            `json:"description"`
	Descriptions     map[string]string `json:"description_localizations,omitempty"`
	Required         bool              `json:"required,omitempty"`
	Autocomplete     bool              `json:"autocomplete,omitempty"`
	MaxLength        int               `json:"max_length,omitempty"`
	Options          []Command         `json:"options,omitempty"`
	Contexts         []int             `json:"contexts,omitempty"`
	IntegrationTypes []int             `json:"integration_types,omitempty"`
}

var errBadCommand = errors.New("build commands")

// Commands returns all commands of the application, from a text for each of
// [CommandKeys]. What Discord would refuse is an error.
func Commands(texts map[string]CommandText) ([]Command, error) {
	b := commandBuilder{texts: texts}
	sub := func(verb chat.Verb, options ...Command) Command {
		c := b.part(optionSubcommand, commandName+"."+string(verb))
		c.Options = options
		return c
	}
	address := b.part(optionString, "badges.link."+optionAddress)
	address.MaxLength = core.MaxAddressBytes
	badge := b.part(optionString, "badges.claim."+optionBadge)
	badge.Autocomplete = true
	badge.MaxLength = maxChoice

	shared := b.part(optionString, "badges.share."+optionBadge)
	shared.Autocomplete, shared.MaxLength = true, maxChoice

	link := b.part(optionString, "badges.verify."+optionLink)
	link.MaxLength = maxLinkText
	file := b.part(optionAttachment, "badges.verify."+optionFile)

	c := b.part(commandChatInput, commandName)
	c.Contexts = []int{contextGuild, contextBotDM, contextPrivate}
	c.IntegrationTypes = []int{installedByGuild, installedByUser}
	c.Options = []Command{
		sub(chat.VerbList),
		sub(chat.VerbHome),
		sub(chat.VerbLink, address),
		sub(chat.VerbEmails),
		sub(chat.VerbClaim, badge),
		sub(chat.VerbShare, shared),
		sub(chat.VerbSteps),
		sub(chat.VerbCertificates),
		sub(chat.VerbVerify, link, file),
		sub(chat.VerbReminders),
		sub(chat.VerbStatus),
		sub(chat.VerbAnnounce),
		sub(chat.VerbSettings),
		sub(chat.VerbDigests),
		sub(chat.VerbRoles),
		sub(chat.VerbForget),
		sub(chat.VerbHelp),
	}
	b.distinct(c.Options)
	if n := totalText(c); n > maxCommandTotal {
		b.fail("%d characters together, at most %d", n, maxCommandTotal)
	}
	verify := b.menu(commandMessage, MessageCommandKey)
	verify.Contexts, verify.IntegrationTypes = c.Contexts, c.IntegrationTypes
	if b.err != nil {
		return nil, b.err
	}
	return []Command{c, verify}, nil
}

type commandBuilder struct {
	texts map[string]CommandText
	err   error
}

func (b *commandBuilder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: %s", errBadCommand, fmt.Sprintf(format, args...))
	}
}

// commandLetters are those of a name, of which it has 1 to 32
// (https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-naming).
// Repeated 32 times in one expression they would take a megabyte.
var commandLetters = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]+$`)

func isCommandName(s string) bool {
	return utf8.RuneCountInString(s) <= 32 && strings.ToLower(s) == s && commandLetters.MatchString(s)
}

// locales are those Discord knows
// (https://discord.com/developers/docs/reference#locales).
var locales = strings.Fields(`ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko
	lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW`)

func (b *commandBuilder) part(kind int, key string) Command {
	t, ok := b.texts[key]
	name := key[strings.LastIndexByte(key, '.')+1:]
	switch {
	case !ok:
		b.fail("no text for %s", key)
	case t.Name != "" && t.Name != name:
		b.fail("%s is named %q", key, t.Name)
	case !describes(t.Description):
		b.fail("description of %s", key)
	}
	for locale, s := range t.Names {
		if !slices.Contains(locales, locale) || !isCommandName(s) {
			b.fail("name of %s for locale %q", key, locale)
		}
	}
	for locale, s := range t.Descriptions {
		if !slices.Contains(locales, locale) || !describes(s) {
			b.fail("description of %s for locale %q", key, locale)
		}
	}
	return Command{Type: kind, Name: name, Names: t.Names, Description: t.Description, Descriptions: t.Descriptions}
}

// menu is a command in a menu, whose name may be any words and which has no
// description
// (https://discord.com/developers/docs/interactions/application-commands#message-commands).
func (b *commandBuilder) menu(kind int, key string) Command {
	t := b.texts[key]
	for locale, s := range t.Names {
		if !slices.Contains(locales, locale) || !entitles(s) {
			b.fail("name of %s for locale %q", key, locale)
		}
	}
	if !entitles(t.Name) {
		b.fail("name of %s", key)
	}
	return Command{Type: kind, Name: t.Name, Names: t.Names}
}

func entitles(s string) bool {
	return strings.TrimSpace(s) == s && s != "" && utf8.RuneCountInString(s) <= maxCommandName
}

func describes(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxCommandDescription
}

// distinct checks that no two siblings have one name in any language.
func (b *commandBuilder) distinct(siblings []Command) {
	for _, locale := range append([]string{""}, locales...) {
		seen := map[string]bool{}
		for _, c := range siblings {
			name := c.Name
			if s := c.Names[locale]; s != "" {
				name = s
			}
			if seen[name] {
				b.fail("two parts of one name for locale %q", locale)
			}
			seen[name] = true
		}
	}
}

func totalText(c Command) int {
	longest := func(s string, all map[string]string) int {
		n := utf8.RuneCountInString(s)
		for _, other := range all {
			n = max(n, utf8.RuneCountInString(other))
		}
		return n
	}
	n := longest(c.Name, c.Names) + longest(c.Description, c.Descriptions)
	for _, o := range c.Options {
		n += totalText(o)
	}
	return n
}

// Register makes Discord's commands of the application what [Commands] says,
// by one overwrite, and only when they differ: Discord allows 200 creations
// a day. It reports whether it changed them.
func (a *Adapter) Register(ctx context.Context) (changed bool, err error) {
	same, err := a.registered(ctx)
	if err != nil {
		return false, fmt.Errorf("read commands: %w", err)
	}
	if same {
		return false, nil
	}
	endpoint := discordgo.EndpointApplicationGlobalCommands(a.application)
	if err := a.bot.do(ctx, http.MethodPut, endpoint, a.commands, nil); err != nil {
		return false, fmt.Errorf("overwrite commands: %w", err)
	}
	return true, nil
}

func (a *Adapter) registered(ctx context.Context) (bool, error) {
	if len(a.commands) == 0 {
		return false, fmt.Errorf("%w: no texts", errBadCommand)
	}
	var there []Command
	// Without the parameter the localised names are left out.
	endpoint := discordgo.EndpointApplicationGlobalCommands(a.application) + "?with_localizations=true"
	if err := a.bot.do(ctx, http.MethodGet, endpoint, nil, &there); err != nil {
		return false, err
	}
	return sameCommands(there, a.commands), nil
}

// sameCommands compares what people see and what the answer depends on.
// Commands are a set; the order of options is what people see.
func sameCommands(a, b []Command) bool {
	byName := func(x, y Command) int { return strings.Compare(x.Name, y.Name) }
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, byName)
	slices.SortFunc(b, byName)
	return reflect.DeepEqual(normal(a), normal(b))
}

// normal gives equal commands one form: an absent list or map is an empty
// one, sets are sorted, an absent type is that of a typed command.
func normal(in []Command) []Command {
	out := make([]Command, 0, len(in))
	for _, c := range in {
		if c.Type == 0 {
			c.Type = commandChatInput
		}
		if len(c.Names) == 0 {
			c.Names = nil
		}
		if len(c.Descriptions) == 0 {
			c.Descriptions = nil
		}
		c.Contexts = sorted(c.Contexts)
		c.IntegrationTypes = sorted(c.IntegrationTypes)
		c.Options = normal(c.Options)
		out = append(out, c)
	}
	return out
}

func sorted(in []int) []int {
	out := append([]int{}, in...)
	slices.Sort(out)
	return out
}
