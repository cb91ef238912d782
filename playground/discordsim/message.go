package discordsim

import (
	"slices"
	"strconv"
	"time"
)

// Message flags,
// https://discord.com/developers/docs/resources/message#message-object-message-flags.
const (
	FlagSuppressEmbeds        = 1 << 2
	FlagEphemeral             = 1 << 6
	FlagLoading               = 1 << 7
	FlagSuppressNotifications = 1 << 12
	FlagComponentsV2          = 1 << 15
)

// Message types used here.
const (
	messageDefault = 0
	messageCommand = 20
)

type message struct {
	id, channelID string
	author        string // user id; empty for the bot.
	kind          int
	content       string
	embeds        []any
	components    []any
	flags         int
	created       time.Time
	edited        time.Time
	version       uint64 // of the server at the last change.
	onlyFor       string // the one person who sees an ephemeral message.
	meta          object // interaction_metadata, nil for plain messages.
	legacyMeta    object // the older field "interaction" of command answers.
	mentions      []string
	attachments   []*attachment
	nonce         any // shown in the answer and the event of its creation.
}

type nonceUse struct {
	messageID string
	at        time.Time
}

// storeMessage puts a new message into its channel.
func (s *Server) storeMessage(m *message) {
	m.id = s.newID()
	m.created = s.clock.Now()
	s.messages[m.id] = m
	if ch := s.channels[m.channelID]; ch != nil {
		ch.messages = append(ch.messages, m)
	}
	s.keepFiles(m)
	s.touch()
	m.version = s.version
	s.announce("MESSAGE_CREATE", m, func() any { return s.messageEvent(m) })
}

func (s *Server) dropMessage(m *message) {
	delete(s.messages, m.id)
	if ch := s.channels[m.channelID]; ch != nil {
		ch.messages = slices.DeleteFunc(ch.messages, func(o *message) bool { return o == m })
	}
	s.touch()
	s.announce("MESSAGE_DELETE", m, func() any { return s.messageGone(m) })
}

// apply changes a message as a valid edit says.
func (s *Server) apply(m *message, in *messageInput) {
	wasLoading := m.flags&FlagLoading != 0
	if in.hasContent {
		m.content = in.content
		m.mentions = mentionedUsers(in.content)
	}
	if in.hasEmbeds {
		m.embeds = in.embeds
	}
	if in.hasComponents {
		m.components = in.components
	}
	if in.hasFlags {
		const kept, settable = FlagEphemeral | FlagComponentsV2, FlagSuppressEmbeds | FlagSuppressNotifications | FlagComponentsV2
		m.flags = m.flags&kept | in.flags&settable
	}
	m.attachments, m.nonce = in.attachments, nil
	m.flags &^= FlagLoading
	if !wasLoading {
		m.edited = s.clock.Now()
	}
	s.keepFiles(m)
	s.touch()
	m.version = s.version
	s.announce("MESSAGE_UPDATE", m, func() any { return s.messageEvent(m) })
}

// object is the message as the API shows it,
// https://discord.com/developers/docs/resources/message#message-object.
func (s *Server) messageObject(m *message) object {
	var edited any
	if !m.edited.IsZero() {
		edited = stamp(m.edited)
	}
	mentions := []any{}
	for _, id := range m.mentions {
		if u := s.users[id]; u != nil {
			mentions = append(mentions, u.object())
		}
	}
	for _, id := range m.mentions {
		if id == s.cfg.ApplicationID {
			mentions = append(mentions, s.botUser())
		}
	}
	author := object(s.botUser())
	if u := s.users[m.author]; u != nil {
		author = u.object()
	}
	o := object{
		"id": m.id, "type": m.kind, "channel_id": m.channelID, "author": author,
		"content": m.content, "embeds": orEmpty(m.embeds), "components": orEmpty(m.components),
		"attachments": m.attachmentObjects(), "mentions": mentions, "mention_roles": []any{}, "mention_everyone": false,
		"flags": m.flags, "pinned": false, "tts": false,
		"timestamp": stamp(m.created), "edited_timestamp": edited,
	}
	if m.meta != nil {
		o["application_id"] = s.cfg.ApplicationID
		o["webhook_id"] = s.cfg.ApplicationID
		o["interaction_metadata"] = m.meta
	}
	if m.legacyMeta != nil {
		o["interaction"] = m.legacyMeta
	}
	return o
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

func orEmpty(l []any) []any {
	if l == nil {
		return []any{}
	}
	return l
}

// mentionedUsers finds <@id> in a text.
func mentionedUsers(text string) []string {
	var ids []string
	for i := 0; i+2 < len(text); i++ {
		if text[i] != '<' || text[i+1] != '@' {
			continue
		}
		end := i + 2
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		id := text[i+2 : end]
		if _, err := strconv.ParseUint(id, 10, 64); err == nil && end < len(text) && text[end] == '>' && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
