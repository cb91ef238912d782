package slacksim

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

var tsPattern = regexp.MustCompile(`^\d{10,}\.\d{6}$`)

// said reads and checks what a message is to say. With whole, something must
// be said; an edit may leave out what stays.
func (s *Server) said(a args, whole bool) (content, *apiError) {
	c := content{text: a.str("text")}
	if utf8.RuneCountInString(c.text) > blockkit.MessageTextMax {
		return c, fail("msg_too_long")
	}
	var valid bool
	if c.blocks, c.hasBlocks, valid = a.structure("blocks"); !valid {
		return c, fail("invalid_blocks_format")
	}
	if c.attachments, c.hasAttachments, valid = a.structure("attachments"); !valid {
		return c, fail("invalid_attachments")
	}
	if c.metadata, c.hasMetadata, valid = a.structure("metadata"); !valid {
		return c, fail("invalid_metadata_format")
	}
	if c.hasBlocks {
		if e := refusal("invalid_blocks", "", blockkit.Validate(blockkit.KindBlocks, c.blocks)); e != nil {
			return c, e
		}
		if e := s.checkFiles("invalid_blocks", "/blocks", decode(c.blocks)); e != nil {
			return c, e
		}
		c.blocks = s.fill(c.blocks)
	}
	if c.hasAttachments {
		if e := refusal("invalid_attachments", "", blockkit.Validate(blockkit.KindAttachments, c.attachments)); e != nil {
			return c, e
		}
		if e := s.checkFiles("invalid_attachments", "/attachments", decode(c.attachments)); e != nil {
			return c, e
		}
		c.attachments = s.fill(c.attachments)
	}
	if emptyJSON(c.blocks) {
		c.blocks = nil
	}
	if emptyJSON(c.attachments) {
		c.attachments = nil
	}
	if e := c.checkMetadata(); e != nil {
		return c, e
	}
	empty := strings.TrimSpace(c.text) == "" && c.blocks == nil && c.attachments == nil
	if whole && empty {
		return c, fail("no_text")
	}
	if s.cfg.RequireFallbackText && c.text == "" && c.blocks != nil {
		return c, &apiError{code: "no_text", messages: []string{"[ERROR] text is required beside blocks here [json-pointer:/text]"}}
	}
	return c, nil
}

// checkMetadata holds metadata to https://docs.slack.dev/messaging/message-metadata/.
// Clients send an empty one for none.
func (c *content) checkMetadata() *apiError {
	if emptyJSON(c.metadata) {
		c.metadata = nil
		return nil
	}
	var m struct {
		Type    *string         `json:"event_type"`
		Payload json.RawMessage `json:"event_payload"`
	}
	if json.Unmarshal(c.metadata, &m) != nil || m.Type == nil {
		return fail("invalid_metadata_format")
	}
	if *m.Type == "" && (len(m.Payload) == 0 || emptyJSON(m.Payload)) {
		c.metadata = nil
		return nil
	}
	var object map[string]any
	if *m.Type == "" || json.Unmarshal(m.Payload, &object) != nil || object == nil {
		return fail("invalid_metadata_format")
	}
	return nil
}

// target finds the channel that a message goes to. A person's id stands for
// the direct conversation with them, which is opened by it.
func (s *Server) target(id string) (*channel, *apiError) {
	if id == "" {
		return nil, fail("channel_not_found")
	}
	if u := s.users[id]; u != nil && !u.Bot {
		return s.dm(id), nil
	}
	c := s.visible(strings.TrimPrefix(id, "#"))
	if c == nil {
		for _, named := range s.channels {
			if !named.IM && "#"+named.Name == id && s.visible(named.ID) != nil {
				c = named
			}
		}
	}
	if c == nil {
		return nil, fail("channel_not_found")
	}
	if c.Archived {
		return nil, fail("is_archived")
	}
	if !c.has(s.cfg.BotUserID) && !s.scoped("chat:write.public") {
		return nil, fail("not_in_channel")
	}
	return c, nil
}

// chatPostMessage answers
// https://docs.slack.dev/reference/methods/chat.postMessage/
func (s *Server) chatPostMessage(a args) (reply, *apiError) {
	c, refused := s.target(a.str("channel"))
	if refused != nil {
		return nil, refused
	}
	thread := a.str("thread_ts")
	if thread != "" && !tsPattern.MatchString(thread) {
		return nil, fail("invalid_thread_ts")
	}
	said, refused := s.said(a, true)
	if refused != nil {
		return nil, refused
	}
	if refused := s.limited(c); refused != nil {
		return nil, refused
	}
	m := Message{User: s.cfg.BotUserID, ThreadTS: thread, Via: "chat.postMessage"}
	said.into(&m)
	posted := s.post(c, m)
	return reply{"channel": c.ID, "ts": posted.TS, "message": s.apiMessage(posted, true)}, nil
}

// chatPostEphemeral answers
// https://docs.slack.dev/reference/methods/chat.postEphemeral/
func (s *Server) chatPostEphemeral(a args) (reply, *apiError) {
	c := s.visible(a.str("channel"))
	if c == nil {
		return nil, fail("channel_not_found")
	}
	if c.Archived {
		return nil, fail("is_archived")
	}
	if !c.has(s.cfg.BotUserID) && !s.scoped("chat:write.public") {
		return nil, fail("not_in_channel")
	}
	viewer := a.str("user")
	if !c.has(viewer) {
		return nil, fail("user_not_in_channel")
	}
	said, refused := s.said(a, true)
	if refused != nil {
		return nil, refused
	}
	if refused := s.limited(c); refused != nil {
		return nil, refused
	}
	m := Message{User: s.cfg.BotUserID, Ephemeral: true, Viewer: viewer, ThreadTS: a.str("thread_ts"), Via: "chat.postEphemeral"}
	said.into(&m)
	return reply{"message_ts": s.post(c, m).TS}, nil
}

// own finds a message that the bot may change: a lasting one of its own.
func (s *Server) own(a args, denied string) (*Message, *apiError) {
	c := s.visible(a.str("channel"))
	if c == nil {
		return nil, fail("channel_not_found")
	}
	m := s.find(MessageRef{Channel: c.ID, TS: a.str("ts")})
	if m == nil || m.Deleted || m.Ephemeral {
		return nil, fail("message_not_found")
	}
	if m.User != s.cfg.BotUserID {
		return nil, fail(denied)
	}
	return m, nil
}

// chatUpdate answers https://docs.slack.dev/reference/methods/chat.update/:
// blocks, attachments and metadata that are left out stay as they were.
func (s *Server) chatUpdate(a args) (reply, *apiError) {
	m, refused := s.own(a, "cant_update_message")
	if refused != nil {
		return nil, refused
	}
	said, refused := s.said(a, false)
	if refused != nil {
		return nil, refused
	}
	if said.text == "" && !said.hasBlocks && !said.hasAttachments {
		return nil, fail("no_text")
	}
	m.Text = said.text
	if said.hasBlocks {
		m.Blocks = said.blocks
	}
	if said.hasAttachments {
		m.Attachments = said.attachments
	}
	if said.hasMetadata {
		m.Metadata = said.metadata
	}
	m.Edited = true
	m.Revision++
	s.bump()
	return reply{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": s.apiMessage(m, true)}, nil
}

// chatDelete answers https://docs.slack.dev/reference/methods/chat.delete/
func (s *Server) chatDelete(a args) (reply, *apiError) {
	m, refused := s.own(a, "cant_delete_message")
	if refused != nil {
		return nil, refused
	}
	m.Deleted = true
	s.bump()
	return reply{"channel": m.Channel, "ts": m.TS}, nil
}
