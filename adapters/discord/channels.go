package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Types of channels in which a server's messages are posted
// (https://discord.com/developers/docs/resources/channel#channel-object-channel-types).
const (
	channelText = 0
	channelNews = 5
)

// Permissions in a channel
// (https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags).
const (
	viewChannel  = 1 << 10
	sendMessages = 1 << 11
	attachFiles  = 1 << 15
)

// bits are permissions, which are numbers too large for JSON, as text.
type bits uint64

// UnmarshalJSON reads a number in a text.
func (b *bits) UnmarshalJSON(data []byte) error {
	text, err := strconv.Unquote(string(data))
	if err != nil {
		return errBadPermissions
	}
	n, err := strconv.ParseUint(text, 10, 64)
	*b = bits(n)
	if err != nil {
		return errBadPermissions
	}
	return nil
}

var errBadPermissions = errors.New("read permissions")

// guildChannel is a channel of a server
// (https://discord.com/developers/docs/resources/channel#channel-object).
type guildChannel struct {
	Type       int         `json:"type"`
	GuildID    string      `json:"guild_id"`
	Name       string      `json:"name"`
	Overwrites []overwrite `json:"permission_overwrites"`
}

// overwrite changes permissions in one channel; its ID is a role's or a
// member's
// (https://discord.com/developers/docs/resources/channel#overwrite-object).
type overwrite struct {
	ID    string `json:"id"`
	Allow bits   `json:"allow"`
	Deny  bits   `json:"deny"`
}

// guildRole is a role of a server.
type guildRole struct {
	ID          string `json:"id"`
	Permissions bits   `json:"permissions"`
}

var _ chat.Channels = (*Adapter)(nil)

// Channel implements [chat.Channels].
func (a *Adapter) Channel(ctx context.Context, id core.Identity) (chat.ChannelInfo, error) {
	info, err := a.channel(ctx, id)
	if err != nil && !errors.Is(err, chat.ErrNoChannel) && !errors.Is(err, chat.ErrMayNotPost) {
		return chat.ChannelInfo{}, fmt.Errorf("look at channel: %w", err)
	}
	return info, err
}

func (a *Adapter) channel(ctx context.Context, id core.Identity) (chat.ChannelInfo, error) {
	channelID, ok := id.Channel()
	if !ok || !isSnowflake(channelID) {
		return chat.ChannelInfo{}, chat.ErrNoChannel
	}
	var ch guildChannel
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointChannel(channelID), nil, &ch); err != nil {
		return chat.ChannelInfo{}, notThere(err)
	}
	if ch.Type != channelText && ch.Type != channelNews || !isSnowflake(ch.GuildID) {
		return chat.ChannelInfo{}, chat.ErrNoChannel
	}
	may, err := a.permissions(ctx, ch)
	switch {
	case err != nil:
		return chat.ChannelInfo{}, notThere(err)
	case may&viewChannel == 0:
		return chat.ChannelInfo{}, chat.ErrNoChannel
	case may&sendMessages == 0 || may&attachFiles == 0:
		return chat.ChannelInfo{}, chat.ErrMayNotPost
	}
	return chat.ChannelInfo{Name: clean(ch.Name), Team: "discord:" + ch.GuildID}, nil
}

// notThere turns what Discord says of a channel or server that is not there,
// or that the bot does not see, into [chat.ErrNoChannel].
func notThere(err error) error {
	if class := core.ClassOf(err); class == core.TargetDead || class == core.PlaceGone {
		return chat.ErrNoChannel
	}
	return err
}

// permissions are the bot's own in a channel.
func (a *Adapter) permissions(ctx context.Context, ch guildChannel) (bits, error) {
	self, err := a.self(ctx)
	if err != nil {
		return 0, err
	}
	var roles []guildRole
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointGuildRoles(ch.GuildID), nil, &roles); err != nil {
		return 0, err
	}
	var me struct {
		Roles []string `json:"roles"`
	}
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointGuildMember(ch.GuildID, self), nil, &me); err != nil {
		return 0, err
	}
	return permissionsIn(ch, roles, self, me.Roles), nil
}

// permissionsIn computes the permissions of a member in a channel: those of
// everyone, whose role has the server's id, and of the member's roles, then
// what the channel changes for everyone, for the roles together, and for the
// member
// (https://discord.com/developers/docs/topics/permissions#permission-overwrites).
func permissionsIn(ch guildChannel, roles []guildRole, member string, has []string) bits {
	var may bits
	for _, r := range roles {
		if r.ID == ch.GuildID || slices.Contains(has, r.ID) {
			may |= r.Permissions
		}
	}
	if may&administrator != 0 {
		return ^bits(0)
	}
	var together overwrite
	for _, o := range ch.Overwrites {
		if o.ID == ch.GuildID {
			may = may&^o.Deny | o.Allow
		}
		if slices.Contains(has, o.ID) {
			together.Deny |= o.Deny
			together.Allow |= o.Allow
		}
	}
	may = may&^together.Deny | together.Allow
	for _, o := range ch.Overwrites {
		if o.ID == member {
			may = may&^o.Deny | o.Allow
		}
	}
	return may
}

// self is the bot's user, whose id is not the application's where that is
// old.
func (a *Adapter) self(ctx context.Context) (string, error) {
	if id := a.selfID.Load(); id != nil {
		return *id, nil
	}
	var me struct {
		ID string `json:"id"`
	}
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointUser("@me"), nil, &me); err != nil {
		return "", err
	}
	if !isSnowflake(me.ID) {
		return "", badAnswer()
	}
	a.selfID.Store(&me.ID)
	return me.ID, nil
}
