package discordsim

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// Upload is a file that a person sends.
type Upload struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// uploads makes attachments of files as Discord's client would let a person
// send them. The caller holds the lock.
func (s *Server) uploads(channelID string, files []Upload) ([]*attachment, error) {
	sent := make([]file, 0, len(files))
	for i, f := range files {
		sent = append(sent, file{number: fmt.Sprint(i), name: f.Name, data: f.Data})
	}
	set, e := s.fileSet(sent, channelID)
	if e != nil {
		return nil, fmt.Errorf("%w: too many files, or one too large", ErrBadInput)
	}
	return set.list, nil
}

// Share is Say with files; the text may be empty then.
func (s *Server) Share(userID, channelID, text string, files ...Upload) (string, error) {
	if len(files) == 0 {
		return s.Say(userID, channelID, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.place(userID, channelID)
	if err != nil {
		return "", fmt.Errorf("share: %w", err)
	}
	if len([]rune(text)) > maxContent {
		return "", fmt.Errorf("share: %w", ErrBadInput)
	}
	attached, err := s.uploads(ch.ID, files)
	if err != nil {
		return "", fmt.Errorf("share: %w", err)
	}
	m := &message{
		channelID: ch.ID, kind: messageDefault, author: userID, content: text, mentions: mentionedUsers(text), attachments: attached,
	}
	s.storeMessage(m)
	return m.id, nil
}

// attach turns the files among the values of options into attachments that
// nobody else sees, and tells of them in resolved.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type
func (s *Server) attach(defs []any, options map[string]any, resolved object) (map[string]any, error) {
	given := maps.Clone(options)
	for _, d := range defs {
		def, _ := d.(object)
		name := str(def, "name")
		up, isFile := options[name].(Upload)
		if num(def, "type") != optionAttachment {
			continue
		}
		if !isFile {
			if _, there := options[name]; there {
				return nil, fmt.Errorf("%w: option %q wants a file", ErrBadInput, name)
			}
			continue
		}
		list, err := s.uploads(s.cfg.ApplicationID, []Upload{up})
		if err != nil {
			return nil, err
		}
		a := list[0]
		a.url = strings.Replace(a.url, "/attachments/", "/ephemeral-attachments/", 1)
		s.keepFiles(&message{attachments: list})
		resolved[a.id] = a.listed(true)
		given[name] = a.id
	}
	return given, nil
}

// MessageCommand lets a person choose the command of that name in the menu of
// a message; one that only they see has no such menu.
// https://discord.com/developers/docs/interactions/application-commands#message-commands
func (s *Server) MessageCommand(ctx context.Context, userID, messageID, name string) (*Result, error) {
	s.mu.Lock()
	m := s.messages[messageID]
	if m == nil || m.onlyFor != "" {
		s.mu.Unlock()
		return nil, fmt.Errorf("choose %q: %w", name, ErrUnknownMessage)
	}
	ch, err := s.place(userID, m.channelID)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("choose %q: %w", name, err)
	}
	cmd, err := s.command(userID, ch, name, commandMessage)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("choose %q: %w", name, err)
	}
	data := object{
		"id": cmd["id"], "name": cmd["name"], "type": commandMessage, "target_id": m.id,
		"resolved": object{"messages": object{m.id: s.messageObject(m)}},
	}
	if g := str(cmd, "guild_id"); g != "" {
		data["guild_id"] = g
	}
	it := s.newInteraction(interactionCommand, userID, ch)
	it.command = name
	payload := s.payload(it, data)
	s.mu.Unlock()
	return s.dispatch(ctx, it, payload)
}
