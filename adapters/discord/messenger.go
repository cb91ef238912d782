package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// pathOriginal is the answer to an interaction below its webhook
// (https://discord.com/developers/docs/interactions/receiving-and-responding#edit-original-interaction-response).
const pathOriginal = "/messages/@original"

// sentMessage is what is read of a message that Discord returns.
type sentMessage struct {
	ID        string `json:"id"`
	ChannelID string `json:"channel_id"`
}

// Show implements [chat.Messenger]. A follow-up cannot carry a nonce, and
// Discord lists no follow-ups: when the answer to one is lost, it appears a
// second time, to its one reader
// (https://discord.com/developers/docs/resources/webhook#execute-webhook).
func (a *Adapter) Show(ctx context.Context, p core.Place, c chat.Card, key string) (core.Place, error) {
	p, err := a.show(ctx, p, c, key)
	a.metrics.calls.WithLabelValues("show", outcome(err)).Inc()
	if err != nil {
		return p, fmt.Errorf("show card: %w", err)
	}
	return p, nil
}

func (a *Adapter) show(ctx context.Context, p core.Place, c chat.Card, key string) (core.Place, error) {
	now := a.clock.Now()
	r, err := openRef(p.Ref)
	if err != nil {
		return p, &core.DeliveryError{Class: core.Invalid, Code: "bad_ref", Err: err}
	}
	if !p.Reachable(now) {
		return p, &core.DeliveryError{Class: core.PlaceGone, Code: "expired"}
	}
	var sent sentMessage
	if r.Kind == refMessage {
		// The mark stays, so that a message that was found is found again.
		err = a.sendCard(ctx, http.MethodPatch, discordgo.EndpointChannelMessage(r.Channel, r.Message), c, key, "", &sent)
	} else {
		a.pending.wait(ctx, r.Token)
		method, path, flags := http.MethodPatch, pathOriginal, 0
		switch {
		case r.Kind == refFollowup && r.Message != "":
			path = "/messages/" + r.Message
		case r.Kind == refFollowup:
			method, path, flags = http.MethodPost, "?wait=true", flagEphemeral
		}
		err = a.hook(ctx, method, r, path, newMessage(Render(c), flags), &sent)
	}
	if err != nil {
		return p, err
	}
	if !isSnowflake(sent.ID) || !isSnowflake(sent.ChannelID) {
		return p, badAnswer()
	}
	if r.Kind == refFollowup {
		r.Message = sent.ID
		p.Ref = r.seal()
	}
	p.MessageKey, p.Shown = messageKey(sent.ChannelID, sent.ID), true
	return p, nil
}

// hook calls a path below an interaction's webhook. "No such token" is
// something to be repeated while Discord may not yet have worked off the
// acknowledgement of the interaction; after that the token is not used again.
func (a *Adapter) hook(ctx context.Context, method string, r ref, path string, in, out any) error {
	err := a.hooks.do(ctx, method, a.application, r.Token, path, in, out)
	var d *core.DeliveryError
	if !errors.As(err, &d) || d.Class != core.PlaceGone {
		return err
	}
	switch d.Code {
	case strconv.Itoa(codeUnknownWebhook), strconv.Itoa(codeInvalidToken):
		early := a.clock.Now().Sub(time.UnixMilli(r.Created)) < ackGrace
		if early && a.hooks.tokens.early(r.Token) {
			d.Class = core.Temporary
			return d
		}
		a.hooks.tokens.bury(r.Token)
	case strconv.Itoa(codeUnknownMessage), "http_404":
		a.hooks.tokens.bury(r.Token + path)
	}
	return d
}

// removeOriginal takes back a deferred answer that nothing follows.
func (a *Adapter) removeOriginal(ctx context.Context, p core.Place) error {
	r, err := openRef(p.Ref)
	if err != nil {
		return err
	}
	return a.hook(ctx, http.MethodDelete, r, pathOriginal, nil, nil)
}

// Direct implements [chat.Messenger]. Discord returns the first message for
// a second one with the same nonce within the last few minutes
// (https://discord.com/developers/docs/resources/message#create-message);
// a later repetition looks for the message by its mark first. Where a person
// pressed a button of that very message meanwhile, its mark may be gone.
func (a *Adapter) Direct(ctx context.Context, to core.Identity, c chat.Card, key string, firstTry time.Time) (core.Place, error) {
	p, err := a.direct(ctx, to, c, key, firstTry)
	a.metrics.calls.WithLabelValues("direct", outcome(err)).Inc()
	if err != nil {
		return core.Place{}, fmt.Errorf("send direct message: %w", err)
	}
	return p, nil
}

func (a *Adapter) direct(ctx context.Context, to core.Identity, c chat.Card, key string, firstTry time.Time) (core.Place, error) {
	channel, err := a.channelOf(ctx, to)
	if err != nil {
		return core.Place{}, err
	}
	if !firstTry.IsZero() && a.clock.Now().Sub(firstTry) > nonceTrust {
		id, err := a.findSent(ctx, channel, key, firstTry)
		if err != nil {
			return core.Place{}, err
		}
		if id != "" {
			return messagePlace(channel, id, a.clock.Now()), nil
		}
	}
	var sent sentMessage
	err = a.sendCard(ctx, http.MethodPost, discordgo.EndpointChannelMessages(channel), c, key, nonce(key), &sent)
	if err != nil {
		var d *core.DeliveryError
		if errors.As(err, &d) && d.Code == strconv.Itoa(codeUnknownChannel) {
			a.channels.drop(to.User)
		}
		return core.Place{}, err
	}
	if !isSnowflake(sent.ID) {
		return core.Place{}, badAnswer()
	}
	return messagePlace(channel, sent.ID, a.clock.Now()), nil
}

// Remove implements [chat.Messenger]
// (https://discord.com/developers/docs/resources/message#delete-message).
func (a *Adapter) Remove(ctx context.Context, p core.Place) error {
	err := a.remove(ctx, p)
	a.metrics.calls.WithLabelValues("remove", outcome(err)).Inc()
	if err != nil {
		return fmt.Errorf("remove message: %w", err)
	}
	return nil
}

func (a *Adapter) remove(ctx context.Context, p core.Place) error {
	r, err := openRef(p.Ref)
	if err != nil || r.Kind != refMessage {
		return &core.DeliveryError{Class: core.PlaceGone, Code: "not_own_message", Err: err}
	}
	err = a.bot.do(ctx, http.MethodDelete, discordgo.EndpointChannelMessage(r.Channel, r.Message), nil, nil)
	var d *core.DeliveryError
	if errors.As(err, &d) && (d.Code == strconv.Itoa(codeUnknownMessage) || d.Code == strconv.Itoa(codeUnknownChannel)) {
		return nil
	}
	return err
}

// sendCard sends a card as a message of the bot's own, or edits one. Where the
// bot may not send files, it goes without its picture.
func (a *Adapter) sendCard(ctx context.Context, method, endpoint string, c chat.Card, key, nonce string, sent *sentMessage) error {
	send := func(m message) error {
		mark(m.Components, key)
		m.Nonce, m.EnforceNonce = nonce, nonce != ""
		return a.bot.do(ctx, method, endpoint, m, sent)
	}
	m := cardMessage(c)
	err := send(m)
	var d *core.DeliveryError
	if m.picture == nil || !errors.As(err, &d) {
		return err
	}
	switch d.Code {
	case strconv.Itoa(codeMissingPermissions), strconv.Itoa(codeTooLarge):
		a.log.WarnContext(ctx, "send without picture", "err", err)
		return send(newMessage(Render(c), 0))
	}
	return err
}

// channelOf returns where messages to somebody, or to a channel, are sent.
func (a *Adapter) channelOf(ctx context.Context, to core.Identity) (string, error) {
	channel, ok := to.Channel()
	if !ok {
		return a.directChannel(ctx, to.User)
	}
	if !isSnowflake(channel) {
		return "", &core.DeliveryError{Class: core.TargetDead, Code: "bad_channel"}
	}
	return channel, nil
}

// nonce makes a message's name of at most 25 characters from the key of its
// delivery.
func nonce(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// directChannel returns the channel of the direct messages with a person;
// Discord returns the same one each time
// (https://discord.com/developers/docs/resources/user#create-dm).
func (a *Adapter) directChannel(ctx context.Context, person string) (string, error) {
	if !isSnowflake(person) {
		return "", &core.DeliveryError{Class: core.TargetDead, Code: "bad_user"}
	}
	if id, ok := a.channels.get(person); ok {
		return id, nil
	}
	in := struct {
		Recipient string `json:"recipient_id"`
	}{person}
	var out struct {
		ID string `json:"id"`
	}
	if err := a.bot.do(ctx, http.MethodPost, discordgo.EndpointUserChannels("@me"), in, &out); err != nil {
		return "", err
	}
	if !isSnowflake(out.ID) {
		return "", badAnswer()
	}
	a.channels.put(person, out.ID)
	return out.ID, nil
}

// Pause implements [chat.Messenger].
func (a *Adapter) Pause() time.Duration { return time.Second }

// channelCache remembers channels of direct messages.
type channelCache struct {
	mu  sync.Mutex
	ids map[string]string
}

func (c *channelCache) get(person string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.ids[person]
	return id, ok
}

func (c *channelCache) put(person, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= maxCachedChannels {
		c.ids = map[string]string{}
	}
	c.ids[person] = id
}

func (c *channelCache) drop(person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ids, person)
}
