package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

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
	if err := a.look(ctx, discordgo.EndpointChannel(channelID), &ch); err != nil {
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
	s, ok := a.standings.get(ch.GuildID, a.clock.Now())
	if !ok {
		if err := a.look(ctx, discordgo.EndpointGuildRoles(ch.GuildID), &s.roles); err != nil {
			return 0, err
		}
		var me struct {
			Roles []string `json:"roles"`
		}
		if err := a.look(ctx, discordgo.EndpointGuildMember(ch.GuildID, self), &me); err != nil {
			return 0, err
		}
		s.has = me.Roles
		a.standings.put(ch.GuildID, s, a.clock.Now())
	}
	return permissionsIn(ch, s.roles, self, s.has), nil
}

const (
	// standingLife is how long the roles of a server are believed, so that
	// somebody who tries one channel after the other asks for them once.
	standingLife = 15 * time.Second
	// rememberedStandings bounds the memory of roles.
	rememberedStandings = 1000
	// lookPatience is the longest wait for a limit that somebody who waits
	// for a look at a channel is asked for, and lookTries how often.
	lookPatience = 4 * time.Second
	lookTries    = 3
)

// standing is what decides over the bot's permissions in a server.
type standing struct {
	roles []guildRole
	// has are the roles of the bot.
	has  []string
	read time.Time
}

// standings remembers the latest of several servers.
type standings struct {
	mu      sync.Mutex
	byGuild map[string]standing
}

func (c *standings) get(guild string, now time.Time) (standing, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.byGuild[guild]
	if !ok || now.Sub(s.read) >= standingLife {
		return standing{}, false
	}
	return s, true
}

func (c *standings) put(guild string, s standing, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byGuild == nil || len(c.byGuild) >= rememberedStandings {
		c.byGuild = map[string]standing{}
	}
	s.read = now
	c.byGuild[guild] = s
}

// look reads something. A limit that opens soon is waited for: nobody else
// asks again.
func (a *Adapter) look(ctx context.Context, endpoint string, into any) error {
	for try := 1; ; try++ {
		err := a.bot.do(ctx, http.MethodGet, endpoint, nil, into)
		var d *core.DeliveryError
		if try == lookTries || !errors.As(err, &d) || d.Class != core.RetryLater || d.After > lookPatience {
			return err
		}
		timer := time.NewTimer(d.After)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
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
	if err := a.look(ctx, discordgo.EndpointUser("@me"), &me); err != nil {
		return "", err
	}
	if !isSnowflake(me.ID) {
		return "", badAnswer()
	}
	a.selfID.Store(&me.ID)
	return me.ID, nil
}
