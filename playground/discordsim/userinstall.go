package discordsim

import (
	"fmt"
	"net/http"
	"slices"
)

// channelGroup is a private channel of several people without the bot.
const channelGroup = 3

// installs of an application, and the contexts in which commands are offered,
// https://discord.com/developers/docs/resources/application#application-object-application-integration-types,
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-context-types.
const (
	installGuild = 0
	installUser  = 1

	contextGuild   = 0
	contextBotDM   = 1
	contextPrivate = 2
)

// maxUserFollowups is how many further messages follow an interaction that
// nothing but a person's own installation authorised,
// https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages.
const maxUserFollowups = 5

func errTooManyFollowups() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 40094, message: "This interaction has hit the maximum number of follow up messages"}
}

// SetUserInstall lets a person have the application for themselves, or no
// longer: its commands for that kind of installation follow them everywhere.
func (s *Server) SetUserInstall(userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[userID]; u != nil {
		u.installed = on
		s.touch()
	}
}

// AddForeignGuild adds a guild in which the bot is not, and returns its id.
// Whoever has the application for themselves uses it there all the same.
// AddGuild with the same id invites the bot.
func (s *Server) AddForeignGuild(g Guild) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.ID == "" {
		s.founded++
		g.ID = guildID(s.founded)
	}
	if g.Locale == "" {
		g.Locale = "en-US"
	}
	s.foreign[g.ID] = &guild{Guild: g, botRole: s.newID(), managerRole: s.newID()}
	s.touch()
	return g.ID
}

// AddGroup adds a private channel of people without the bot, and returns its
// id. The error names somebody who is unknown.
func (s *Server) AddGroup(name string, people ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range people {
		if s.users[id] == nil {
			return "", fmt.Errorf("add group: %w: %s", ErrUnknownUser, id)
		}
	}
	ch := &channel{Channel: Channel{ID: s.newID(), Name: name}, kind: channelGroup, people: slices.Clone(people)}
	s.channels[ch.ID] = ch
	s.order = append(s.order, ch.ID)
	s.touch()
	return ch.ID, nil
}

// home finds the guild of a channel, whether the bot is in it or not.
func (s *Server) home(ch *channel) *guild {
	if g := s.guilds[ch.GuildID]; g != nil {
		return g
	}
	return s.foreign[ch.GuildID]
}

// reaches reports whether a person can use the application in a channel at
// all.
func (s *Server) reaches(userID string, ch *channel) bool {
	switch u := s.users[userID]; {
	case ch == nil || u == nil:
		return false
	case ch.kind == channelDM:
		return ch.recipient == userID
	case ch.kind == channelGroup:
		return u.installed && slices.Contains(ch.people, userID)
	default:
		return s.present(ch) || u.installed && s.foreign[ch.GuildID] != nil
	}
}

// sees reports whether a person sees what is in a channel.
func (ch *channel) sees(viewer string) bool {
	switch ch.kind {
	case channelDM:
		return viewer == "" || viewer == ch.recipient
	case channelGroup:
		return viewer == "" || slices.Contains(ch.people, viewer)
	default:
		return true
	}
}

// context is where a channel counts as being.
func (ch *channel) context() int {
	switch ch.kind {
	case channelDM:
		return contextBotDM
	case channelGroup:
		return contextPrivate
	default:
		return contextGuild
	}
}

// offered reports whether a registered command is offered to a person in a
// channel: in that context, and for a kind of installation that holds there.
func (s *Server) offered(cmd object, userID string, ch *channel) bool {
	if contexts, ok := cmd["contexts"].([]any); ok && !slices.ContainsFunc(contexts, func(v any) bool {
		n, ok := integer(v)
		return ok && n == ch.context()
	}) {
		return false
	}
	kinds, ok := cmd["integration_types"].([]any)
	if !ok {
		kinds = []any{installGuild}
	}
	return slices.ContainsFunc(kinds, func(v any) bool {
		n, ok := integer(v)
		return ok && (n == installGuild && s.present(ch) || n == installUser && s.users[userID].installed)
	})
}

// owners says which installations authorised an interaction,
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object.
func (s *Server) owners(userID string, ch *channel) object {
	out := object{}
	switch {
	case ch.kind == channelDM:
		out["0"] = "0"
	case s.present(ch):
		out["0"] = ch.GuildID
	}
	if s.users[userID].installed {
		out["1"] = userID
	}
	return out
}

// limitFollowups refuses one too many of an interaction that came by a
// person's own installation alone.
func (it *interaction) limitFollowups() *apiError {
	owners, _ := it.meta["authorizing_integration_owners"].(object)
	if _, byGuild := owners["0"]; byGuild {
		return nil
	}
	if it.followups >= maxUserFollowups {
		return errTooManyFollowups()
	}
	it.followups++
	return nil
}
