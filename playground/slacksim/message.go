package slacksim

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// MessageRef names a message: Slack identifies it by channel and timestamp.
type MessageRef struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// Message is one message as people see it, and a snapshot: it does not change
// when the message does.
type Message struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	// User is the author: a person, the bot's user, or SlackbotID.
	User string `json:"user"`
	Text string `json:"text"`
	// Blocks is the array of blocks with the ids that Slack adds where the app
	// gave none; nil for a message without.
	Blocks      json.RawMessage `json:"blocks,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	ThreadTS    string          `json:"thread_ts,omitempty"`
	// Files are those that were shared with the message.
	Files []File `json:"files,omitempty"`
	// Ephemeral messages are seen by Viewer only.
	Ephemeral bool   `json:"ephemeral"`
	Viewer    string `json:"viewer,omitempty"`
	Edited    bool   `json:"edited"`
	Deleted   bool   `json:"deleted"`
	// Revision counts the edits.
	Revision int `json:"revision"`
	// Via names the way it came: an API method, "response_url", "command" for
	// the answer in a command's body, or "user".
	Via string    `json:"via"`
	At  time.Time `json:"at"`
}

// Ref names the message.
func (m Message) Ref() MessageRef { return MessageRef{Channel: m.Channel, TS: m.TS} }

// Plain gathers everything the message says, in order and without buttons'
// values: its text, and the texts in its blocks and attachments.
func (m Message) Plain() string {
	parts := []string{}
	if m.Text != "" {
		parts = append(parts, m.Text)
	}
	for _, raw := range []json.RawMessage{m.Blocks, m.Attachments} {
		parts = append(parts, texts(raw)...)
	}
	return strings.Join(parts, "\n")
}

// Elements lists what can be pressed or chosen in the message.
func (m Message) Elements() []Element {
	return append(elements(m.Blocks), elements(m.Attachments)...)
}

// Messages returns what viewer sees in a channel, oldest first: ephemeral
// messages only where they are for them, deleted ones marked as such. An
// empty viewer sees everything.
func (s *Server) Messages(channelID, viewer string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil || (viewer != "" && !c.has(viewer) && c.Private) {
		return nil
	}
	out := make([]Message, 0, len(c.messages))
	for _, m := range c.messages {
		if viewer == "" || !m.Ephemeral || m.Viewer == viewer {
			out = append(out, *m)
		}
	}
	return out
}

// Message returns a message by its reference, whoever may see it.
func (s *Server) Message(ref MessageRef) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(ref); m != nil {
		return *m, true
	}
	return Message{}, false
}

func (s *Server) find(ref MessageRef) *Message {
	c := s.channels[ref.Channel]
	if c == nil {
		return nil
	}
	for _, m := range c.messages {
		if m.TS == ref.TS {
			return m
		}
	}
	return nil
}

// post appends a message to its channel; s.mu is held.
func (s *Server) post(c *channel, m Message) *Message {
	m.Channel, m.TS, m.At = c.ID, s.nextTS(), s.clock.Now()
	c.opened = true
	c.messages = append(c.messages, &m)
	s.bump()
	return &m
}

// slackbot shows a person what Slack itself would say; s.mu is held.
func (s *Server) slackbot(c *channel, viewer, text string) {
	s.post(c, Message{User: SlackbotID, Text: text, Ephemeral: true, Viewer: viewer, Via: "slack"})
}

// content is what a message says.
type content struct {
	text                          string
	blocks, attachments, metadata json.RawMessage
	hasBlocks, hasAttachments     bool
	hasMetadata                   bool
}

func (c content) into(m *Message) {
	m.Text, m.Blocks, m.Attachments, m.Metadata = c.text, c.blocks, c.attachments, c.metadata
}

// apiMessage renders a message as Web API answers and payloads carry it.
func (s *Server) apiMessage(m *Message, metadata bool) map[string]any {
	out := map[string]any{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": s.cfg.TeamID}
	if m.User == s.cfg.BotUserID {
		out["bot_id"], out["app_id"] = s.cfg.BotID, s.cfg.AppID
		out["bot_profile"] = map[string]any{
			"id": s.cfg.BotID, "app_id": s.cfg.AppID, "name": s.cfg.BotName, "team_id": s.cfg.TeamID,
			"deleted": false, "updated": 1700000000,
		}
	}
	if m.Blocks != nil {
		out["blocks"] = m.Blocks
	}
	if m.Attachments != nil {
		out["attachments"] = m.Attachments
	}
	if len(m.Files) > 0 {
		files := make([]any, 0, len(m.Files))
		for _, f := range m.Files {
			files = append(files, s.apiFile(s.files[f.ID]))
		}
		out["files"], out["upload"], out["display_as_bot"] = files, true, false
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	if m.Edited {
		out["edited"] = map[string]any{"user": m.User, "ts": m.TS}
	}
	if metadata && m.Metadata != nil {
		out["metadata"] = m.Metadata
	}
	return out
}

func emptyJSON(raw json.RawMessage) bool {
	t := string(bytes.TrimSpace(raw))
	return t == "" || t == "null" || t == "[]" || t == "{}" || t == `""`
}
