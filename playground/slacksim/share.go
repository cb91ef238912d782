package slacksim

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// Upload is a file that a person shares.
type Upload struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Share writes a message with files as a person; the text may be empty. In the
// conversation with the bot the app is told, as by Say.
// https://docs.slack.dev/reference/events/message/file_share/
func (s *Server) Share(ctx context.Context, userID, channelID, text string, files ...Upload) (MessageRef, error) {
	s.mu.Lock()
	_, c, err := s.place(userID, channelID)
	if err != nil {
		s.mu.Unlock()
		return MessageRef{}, fmt.Errorf("share: %w", err)
	}
	room := s.held()
	for _, f := range files {
		if room += len(f.Data); len(f.Data) > FileMax || room > fileRoom {
			s.mu.Unlock()
			return MessageRef{}, fmt.Errorf("share %s: too large", f.Name)
		}
	}
	m := s.post(c, Message{User: userID, Text: text, Via: "user"})
	for _, up := range files {
		name := strings.TrimSpace(up.Name)
		if name == "" {
			name = "unnamed"
		}
		f := s.newFile(file{
			File: File{Name: name, Title: name, Size: len(up.Data), Mimetype: mimetype(name, up.Data)},
			data: slices.Clone(up.Data), sent: true,
		})
		f.user, f.shares = userID, []*Message{m}
		m.Files = append(m.Files, f.File)
	}
	s.bump()
	ref := m.Ref()
	listening := c.IM && (s.socketMode || s.cfgURLs[EndpointEvents] != "")
	event := s.writtenMessage(m)
	event["channel"], event["channel_type"], event["event_ts"] = c.ID, "im", m.TS
	event["subtype"], event["client_msg_id"] = "file_share", rand.Text()
	s.mu.Unlock()
	if !listening {
		return ref, nil
	}
	_, err = s.Event(ctx, event)
	return ref, err
}
