package discordsim

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"time"
)

// Interaction types,
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type.
const (
	interactionPing         = 1
	interactionCommand      = 2
	interactionComponent    = 3
	interactionAutocomplete = 4
	interactionModal        = 5
)

// Callback types,
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type.
const (
	CallbackPong         = 1
	CallbackMessage      = 4
	CallbackDeferMessage = 5
	CallbackDeferUpdate  = 6
	CallbackUpdate       = 7
	CallbackAutocomplete = 8
	CallbackModal        = 9
)

type interactionState int

const (
	statePending interactionState = iota
	stateAnswered
	stateFailed
)

// interaction is one act of a person on its way to the bot and back.
type interaction struct {
	id, token  string
	kind       int
	userID     string
	channel    *channel
	created    time.Time
	state      interactionState
	callback   int
	original   string // id of the message behind @original, empty when none.
	pressed    *message
	command    string // "badges list", for the metadata of the answer.
	optionKind int    // of the option being completed.
	modal      *Modal // the submitted one.
	opened     *Modal // the one that the answer opened.
	choices    []Choice
	meta       object // metadata of the interaction itself.
	followups  int    // how many followed, where that is limited.
	answered   chan struct{}
	cancel     context.CancelFunc
	reason     string
}

// newInteraction registers an interaction. The caller holds the lock.
func (s *Server) newInteraction(kind int, userID string, ch *channel) *interaction {
	secret := make([]byte, 96)
	// Read of crypto/rand never fails.
	_, _ = rand.Read(secret)
	it := &interaction{
		id: s.newID(), token: base64.RawURLEncoding.EncodeToString(secret), kind: kind, userID: userID,
		channel: ch, created: s.clock.Now(), answered: make(chan struct{}),
	}
	it.meta = object{
		"id": it.id, "type": kind, "user": s.users[userID].object(), "authorizing_integration_owners": s.owners(userID, ch),
	}
	s.forgetOld()
	s.interactions[it.id] = it
	s.byToken[it.token] = it
	s.aging = append(s.aging, it)
	return it
}

// forgetOld drops interactions whose tokens died long ago.
func (s *Server) forgetOld() {
	now := s.clock.Now()
	for len(s.aging) > 0 && now.Sub(s.aging[0].created) > 2*TokenLifetime {
		old := s.aging[0]
		s.aging = s.aging[1:]
		delete(s.interactions, old.id)
		delete(s.byToken, old.token)
	}
}

// payload is the interaction object of
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object.
func (s *Server) payload(it *interaction, data object) object {
	u, ch := s.users[it.userID], it.channel
	p := object{
		"id": it.id, "application_id": s.cfg.ApplicationID, "type": it.kind, "token": it.token, "version": 1,
		"data": data, "channel_id": ch.ID, "channel": s.channelObject(ch), "locale": u.Locale,
		"app_permissions": ch.appPermissions(), "entitlements": []any{}, "attachment_size_limit": s.cfg.MaxFileSize,
		"authorizing_integration_owners": s.owners(it.userID, ch),
	}
	p["context"] = ch.context()
	if ch.context() != contextGuild {
		p["user"] = u.object()
		return p
	}
	g := s.home(ch)
	p["member"], p["guild_id"], p["guild_locale"] = s.actingMember(g, u), g.ID, g.Locale
	p["guild"] = object{"id": g.ID, "locale": g.Locale, "features": []any{}}
	return p
}

// expireInteractions ends the waiting ones whose deadline the clock passed.
func (s *Server) expireInteractions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.interactions {
		if it.state == statePending && s.late(it) {
			s.fail(it, "no answer in time")
		}
	}
}

func (s *Server) late(it *interaction) bool {
	return s.clock.Now().Sub(it.created) > s.cfg.AnswerWithin
}

// fail ends an interaction that got no good answer; its token is void.
func (s *Server) fail(it *interaction, reason string) {
	if it.state != statePending {
		return
	}
	it.state, it.reason = stateFailed, reason
	if it.cancel != nil {
		it.cancel()
	}
	s.touch()
}

// acknowledge applies the first answer to an interaction, whichever way it
// came; files are those beside it. The caller holds the lock.
func (s *Server) acknowledge(it *interaction, v any, files *fileSet) *apiError {
	switch {
	case it.state == stateAnswered:
		return errAcknowledged()
	case it.state == stateFailed:
		return errUnknownInteraction()
	case s.late(it):
		s.fail(it, "no answer in time")
		return errUnknownInteraction()
	}
	f := newForm()
	body := f.dict(v)
	kind, given := f.number(body, "type", 0, 12)
	if !given {
		f.at("type").required()
	}
	if e := f.err(); e != nil {
		return e
	}
	if !it.accepts(kind) {
		f.at("type").choices(it.acceptable())
		return f.err()
	}
	if e := s.checkCallback(kind, body); e != nil {
		return e
	}
	data := object{}
	if body["data"] != nil {
		data = f.at("data").dict(body["data"])
	}
	if e := s.answer(it, kind, f, data, files); e != nil {
		return e
	}
	it.state, it.callback = stateAnswered, kind
	if it.modal != nil {
		s.closeModal(it.modal)
	}
	close(it.answered)
	s.touch()
	return nil
}

// callbacks are the answers that each kind of interaction takes.
func (it *interaction) callbacks() []int {
	switch it.kind {
	case interactionAutocomplete:
		return []int{CallbackAutocomplete}
	case interactionCommand:
		return []int{CallbackMessage, CallbackDeferMessage, CallbackModal}
	case interactionComponent:
		return []int{CallbackMessage, CallbackDeferMessage, CallbackDeferUpdate, CallbackUpdate, CallbackModal}
	}
	if it.pressed != nil { // A modal that a button of a message opened.
		return []int{CallbackMessage, CallbackDeferMessage, CallbackDeferUpdate, CallbackUpdate}
	}
	return []int{CallbackMessage, CallbackDeferMessage}
}

func (it *interaction) accepts(kind int) bool {
	for _, k := range it.callbacks() {
		if k == kind {
			return true
		}
	}
	return false
}

func (it *interaction) acceptable() string {
	out := ""
	for i, k := range it.callbacks() {
		if i > 0 {
			out += ", "
		}
		out += strconv.Itoa(k)
	}
	return out
}

// checkCallback holds a callback against Discord's API description.
func (s *Server) checkCallback(kind int, body object) *apiError {
	if s.cfg.Schema == nil {
		return nil
	}
	name := map[int]string{
		CallbackMessage: "CreateMessageInteractionCallbackRequest", CallbackDeferMessage: "CreateMessageInteractionCallbackRequest",
		CallbackDeferUpdate: "UpdateMessageInteractionCallbackRequest", CallbackUpdate: "UpdateMessageInteractionCallbackRequest",
		CallbackAutocomplete: "ApplicationCommandAutocompleteCallbackRequest", CallbackModal: "ModalInteractionCallbackRequest",
	}[kind]
	if err := s.cfg.Schema.Validate(name, body); err != nil {
		f := newForm()
		f.add("SCHEMA_VIOLATION", err.Error())
		return f.err()
	}
	return nil
}

// answer does what a callback asks for.
func (s *Server) answer(it *interaction, kind int, f field, data object, files *fileSet) *apiError {
	at := f.at("data")
	switch kind {
	case CallbackMessage:
		in, e := readMessage(at, data, nil, files)
		if e != nil {
			return e
		}
		s.respond(it, in, in.flags)
	case CallbackDeferMessage:
		// Of the flags only EPHEMERAL counts in a deferral.
		flags, _ := at.number(data, "flags", 0, 1<<31-1)
		if flags&FlagComponentsV2 != 0 {
			at.at("flags").add("MESSAGE_FLAG_INVALID_FOR_DEFERRAL", "Only the EPHEMERAL flag may be set for a deferred response")
		}
		if e := f.err(); e != nil {
			return e
		}
		s.respond(it, &messageInput{}, flags&FlagEphemeral|FlagLoading)
	case CallbackDeferUpdate:
		it.original = it.pressed.id
	case CallbackUpdate:
		m := s.messages[it.pressed.id]
		if m == nil {
			return errUnknownMessage()
		}
		in, e := readMessage(at, data, m, files)
		if e != nil {
			return e
		}
		s.apply(m, in)
		it.original = m.id
	case CallbackAutocomplete:
		list := at.list(data, "choices", 0, maxCommandChoices)
		it.choices = []Choice{}
		for i, v := range list {
			c, _ := readChoice(at.at("choices").index(i), v, it.optionKind)
			it.choices = append(it.choices, view[Choice](c))
		}
		if data["choices"] == nil {
			at.at("choices").required()
		}
		return f.err()
	case CallbackModal:
		customID, title, components := readModal(at, data)
		if e := f.err(); e != nil {
			return e
		}
		s.openModal(it, customID, title, components)
	}
	return nil
}

// respond stores the message of a type 4 or 5 answer, or of a follow-up.
func (s *Server) respond(it *interaction, in *messageInput, flags int) *message {
	m := &message{
		channelID: it.channel.ID, kind: messageDefault, content: in.content, embeds: in.embeds, components: in.components,
		flags:    flags & (FlagSuppressEmbeds | FlagEphemeral | FlagLoading | FlagSuppressNotifications | FlagComponentsV2),
		mentions: mentionedUsers(in.content), meta: it.meta, attachments: in.attachments,
	}
	if m.flags&FlagEphemeral != 0 {
		m.onlyFor = it.userID
	}
	if it.original != "" { // A follow-up.
		meta := object{"original_response_message_id": it.original}
		for k, v := range it.meta {
			meta[k] = v
		}
		m.meta = meta
	} else if it.command != "" {
		m.kind = messageCommand
		m.legacyMeta = object{"id": it.id, "type": it.kind, "name": it.command, "user": s.users[it.userID].object()}
	}
	s.storeMessage(m)
	if it.state == statePending {
		it.original = m.id
	}
	return m
}
