package discord

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Platform is the name of this platform in identities.
const Platform core.Platform = "discord"

const (
	optionSubcommand = 1
	optionString     = 3
	optionAttachment = 11
)

// newAction frees an interaction of its platform. An error is a wrongly
// typed interaction.
func (a *Adapter) newAction(in *interaction) (chat.Action, error) {
	who := in.actor()
	act := chat.Action{
		Key:         "discord:" + in.ID,
		Actor:       core.Identity{Platform: Platform, User: who.ID},
		DisplayName: clean(who.GlobalName),
		Workspace:   "discord:dm",
		Locale:      clean(in.Locale),
	}
	if act.DisplayName == "" {
		act.DisplayName = clean(who.Username)
	}
	if in.installed() {
		act.Workspace = "discord:" + in.GuildID
		act.Team = act.Workspace
		act.Manager = in.Member.manages()
	}
	a.places(in, &act)

	var err error
	switch in.Type {
	case interactionCommand:
		act.Source = chat.SourceCommand
		act.Verb, act.Arg, err = readCommand(in)
		if act.Verb == chat.VerbVerify {
			in.readShared(&act)
		}
		if in.Data.Type == commandMessage {
			// It is chosen like a button, and nothing is typed.
			act.Source = chat.SourcePress
		}
	case interactionAutocomplete:
		act.Source, act.Verb = chat.SourceComplete, completed(in)
		act.Arg, err = focused(in.Data.Options)
	case interactionComponent:
		act.Source = chat.SourcePress
		act.Verb, act.Arg = readID(in.Data.CustomID)
	default:
		act.Source = chat.SourceSubmit
		act.Verb, act.Arg = readID(in.Data.CustomID)
		act.Fields, err = readFields(in.Data.Components)
	}
	return act, err
}

// places says where answers go. A message of the bot's own in a direct
// message is edited with the bot's token, which works for longer than the
// interaction's.
func (a *Adapter) places(in *interaction, act *chat.Action) {
	followup := ref{Kind: refFollowup, Token: in.Token, Created: in.created.UnixMilli()}
	act.Aside = tokenPlace(followup)

	m := in.Message
	if m == nil {
		act.Reply = a.original(in)
		return
	}
	act.MessageKey = messageKey(m.ChannelID, m.ID)
	if in.inDirectMessage() && m.Flags&flagEphemeral == 0 {
		act.Reply = messagePlace(m.ChannelID, m.ID, a.clock.Now())
		return
	}
	act.Reply = a.original(in)
	act.Reply.MessageKey, act.Reply.Shown = act.MessageKey, true
}

// original is the place of the first answer to an interaction.
func (a *Adapter) original(in *interaction) core.Place {
	return tokenPlace(ref{Kind: refOriginal, Token: in.Token, Created: in.created.UnixMilli()})
}

// readID reads a button's or form's id. One that nothing here makes, e.g. of
// a former version, answers with help.
func readID(id string) (chat.Verb, string) {
	verb, arg, ok := chat.ParseID(id)
	if !ok {
		return chat.VerbHelp, ""
	}
	return verb, clean(arg)
}

func readCommand(in *interaction) (chat.Verb, string, error) {
	if in.Data.Type == commandMessage {
		return chat.VerbVerify, "", nil
	}
	if in.Data.Name != commandName || len(in.Data.Options) == 0 {
		return chat.VerbHelp, "", nil
	}
	sub := in.Data.Options[0]
	verb := chat.Verb(sub.Name)
	switch verb {
	case chat.VerbList, chat.VerbEmails, chat.VerbReminders, chat.VerbStatus, chat.VerbAnnounce, chat.VerbSettings, chat.VerbDigests,
		chat.VerbSteps, chat.VerbForget, chat.VerbHelp, chat.VerbHome, chat.VerbRoles, chat.VerbCertificates:
		return verb, "", nil
	case chat.VerbLink:
		arg, err := stringOption(sub.Options, optionAddress)
		return verb, arg, err
	case chat.VerbVerify:
		arg, err := stringOption(sub.Options, optionLink)
		return verb, arg, err
	case chat.VerbClaim, chat.VerbShare:
		arg, err := stringOption(sub.Options, optionBadge)
		return verb, arg, err
	default:
		return chat.VerbHelp, clean(sub.Name), nil
	}
}

// completed is what a badge is being named for.
func completed(in *interaction) chat.Verb {
	if o := in.Data.Options; len(o) > 0 && o[0].Name == string(chat.VerbShare) {
		return chat.VerbShare
	}
	return chat.VerbClaim
}

func stringOption(options []option, name string) (string, error) {
	for _, o := range options {
		if o.Name == name {
			return text(o.Value)
		}
	}
	return "", nil
}

func focused(options []option) (string, error) {
	for _, o := range options {
		if o.Focused {
			return text(o.Value)
		}
		if found, err := focused(o.Options); found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

func readFields(blocks []submittedBlock) (map[string]string, error) {
	fields := map[string]string{}
	read := func(in submittedInput) error {
		switch in.Type {
		case typeStringSelect:
			fields[clean(in.CustomID)] = clean(strings.Join(in.Values, ","))
			return nil
		case typeChannelSelect:
			if slices.ContainsFunc(in.Values, func(id string) bool { return !isSnowflake(id) }) {
				return fmt.Errorf("%w: channel", errBadInteraction)
			}
			fields[clean(in.CustomID)] = strings.Join(in.Values, ",")
			return nil
		}
		if in.Type != typeTextInput {
			return nil
		}
		value, err := text(in.Value)
		if err != nil {
			return err
		}
		fields[clean(in.CustomID)] = value
		return nil
	}
	for _, b := range blocks {
		if b.Component != nil {
			b.Components = append(b.Components, *b.Component)
		}
		for _, in := range b.Components {
			if err := read(in); err != nil {
				return nil, err
			}
		}
	}
	return fields, nil
}

func text(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%w: value is no text", errBadInteraction)
	}
	if s == nil {
		return "", nil
	}
	return clean(*s), nil
}

// clean drops the one character that PostgreSQL cannot store in a text
// (https://www.postgresql.org/docs/current/datatype-character.html) and
// surrounding space.
func clean(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
}
