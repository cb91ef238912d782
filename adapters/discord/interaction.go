package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// interaction is an incoming interaction
// (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object):
// only what is used here, so that components and fields that Discord adds
// later disturb nothing.
type interaction struct {
	ID        string `json:"id"`
	Type      int    `json:"type"`
	Token     string `json:"token"`
	GuildID   string `json:"guild_id"`
	ChannelID string `json:"channel_id"`
	Locale    string `json:"locale"`
	// Context is 1 in a direct message with the bot, and may be missing.
	Context *int            `json:"context"`
	Member  *member         `json:"member"`
	User    *user           `json:"user"`
	Message *pressedMessage `json:"message"`
	// Owners are the installations by which the interaction came, by their
	// kind; each names the server, or the person, that has the app.
	Owners map[string]json.RawMessage `json:"authorizing_integration_owners"`
	Data   struct {
		// Type is that of the command; TargetID is the message that a message
		// command was chosen on.
		Type       int              `json:"type"`
		TargetID   string           `json:"target_id"`
		Resolved   json.RawMessage  `json:"resolved"`
		Name       string           `json:"name"`
		CustomID   string           `json:"custom_id"`
		Options    []option         `json:"options"`
		Components []submittedBlock `json:"components"`
	} `json:"data"`

	created time.Time
}

// member is somebody within a server. Permissions are a number too large for
// JSON, as text.
type member struct {
	User        *user  `json:"user"`
	Permissions string `json:"permissions"`
}

// Permissions of those who run a server
// (https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags).
const (
	administrator = 1 << 3
	manageGuild   = 1 << 5
)

func (m *member) manages() bool {
	if m == nil {
		return false
	}
	bits, err := strconv.ParseUint(m.Permissions, 10, 64)
	return err == nil && bits&(administrator|manageGuild) != 0
}

type user struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
}

type pressedMessage struct {
	ID        string `json:"id"`
	ChannelID string `json:"channel_id"`
	Flags     int64  `json:"flags"`
}

type option struct {
	Name    string          `json:"name"`
	Type    int             `json:"type"`
	Value   json.RawMessage `json:"value"`
	Focused bool            `json:"focused"`
	Options []option        `json:"options"`
}

// submittedBlock is a part of a submitted modal: an action row with inputs,
// or a label with one. Values of inputs other than text are never read.
type submittedBlock struct {
	Component  *submittedInput  `json:"component"`
	Components []submittedInput `json:"components"`
}

type submittedInput struct {
	Type     int             `json:"type"`
	CustomID string          `json:"custom_id"`
	Value    json.RawMessage `json:"value"`
	// Values are those of a select menu.
	Values []string `json:"values"`
}

var errBadInteraction = errors.New("decode interaction")

// decodeInteraction reads an interaction that a transport received. Errors
// quote nothing of it.
func decodeInteraction(body []byte) (*interaction, error) {
	if !utf8.Valid(body) {
		return nil, fmt.Errorf("%w: not UTF-8", errBadInteraction)
	}
	var in interaction
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: wrong type or syntax", errBadInteraction)
	}
	switch in.Type {
	case interactionPing:
		return &in, nil
	case interactionCommand, interactionComponent, interactionAutocomplete, interactionModalSubmit:
	default:
		return nil, fmt.Errorf("%w: unknown type", errBadInteraction)
	}
	var err error
	if in.created, err = snowflakeTime(in.ID); err != nil {
		return nil, fmt.Errorf("%w: id", errBadInteraction)
	}
	if in.Token == "" {
		return nil, fmt.Errorf("%w: token", errBadInteraction)
	}
	if u := in.actor(); u == nil || !isSnowflake(u.ID) {
		return nil, fmt.Errorf("%w: user", errBadInteraction)
	}
	if in.GuildID != "" && !isSnowflake(in.GuildID) {
		return nil, fmt.Errorf("%w: guild", errBadInteraction)
	}
	if in.Type == interactionComponent && in.Message == nil {
		return nil, fmt.Errorf("%w: message", errBadInteraction)
	}
	if m := in.Message; m != nil {
		if m.ChannelID == "" {
			m.ChannelID = in.ChannelID
		}
		if !isSnowflake(m.ID) || !isSnowflake(m.ChannelID) {
			return nil, fmt.Errorf("%w: message", errBadInteraction)
		}
	}
	return &in, nil
}

// actor is the person: within a server it stands in member, otherwise alone.
func (in *interaction) actor() *user {
	if in.Member != nil && in.Member.User != nil {
		return in.Member.User
	}
	return in.User
}

// installed reports whether it happened in a server that has the app. People
// who have it for themselves bring it along everywhere, also to servers of
// others, whose managers have no say in it
// (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object).
func (in *interaction) installed() bool {
	if in.GuildID == "" {
		return false
	}
	var guild string
	err := json.Unmarshal(in.Owners[strconv.Itoa(installedByGuild)], &guild)
	return err == nil && guild == in.GuildID
}

// inDirectMessage reports whether it happened in a direct message with the
// bot, where the bot may edit its messages itself; in a group of people who
// wrote to each other it may not.
func (in *interaction) inDirectMessage() bool {
	if in.Context != nil {
		return *in.Context == contextBotDM
	}
	return in.GuildID == ""
}

func (in *interaction) kind() string {
	switch in.Type {
	case interactionPing:
		return "ping"
	case interactionCommand:
		return "command"
	case interactionComponent:
		return "press"
	case interactionAutocomplete:
		return "complete"
	default:
		return "submit"
	}
}
