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

// Show implements [chat.Messenger]. A follow-up cannot carry a nonce: when
// the answer to one is lost, it appears a second time, to its one reader.
func (a *Adapter) Show(ctx context.Context, p core.Place, c chat.Card, _ string) (core.Place, error) {
	p, err := a.show(ctx, p, Render(c))
	a.metrics.calls.WithLabelValues("show", outcome(err)).Inc()
	if err != nil {
		return p, fmt.Errorf("show card: %w", err)
	}
	return p, nil
}

func (a *Adapter) show(ctx context.Context, p core.Place, components []Component) (core.Place, error) {
	now := a.clock.Now()
	r, err := openRef(p.Ref)
	if err != nil {
		return p, &core.DeliveryError{Class: core.Invalid, Code: "bad_ref", Err: err}
	}
	if !p.Reachable(now) {
		return p, &core.DeliveryError{Class: core.PlaceGone, Code: "expired"}
	}
	if r.Token != "" {
		a.pending.wait(ctx, r.Token)
	}
	var sent sentMessage
	switch {
	case r.Kind == refMessage:
		err = a.bot.do(ctx, http.MethodPatch, discordgo.EndpointChannelMessage(r.Channel, r.Message), newMessage(components, 0), &sent)
	case r.Kind == refOriginal:
		err = a.hooks.do(ctx, http.MethodPatch, a.application, r.Token, pathOriginal, newMessage(components, 0), &sent)
	case r.Message != "":
		err = a.hooks.do(ctx, http.MethodPatch, a.application, r.Token, "/messages/"+r.Message, newMessage(components, 0), &sent)
	default:
		err = a.hooks.do(ctx, http.MethodPost, a.application, r.Token, "?wait=true", newMessage(components, flagEphemeral), &sent)
	}
	if err != nil {
		return p, early(err, r, now)
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

// early turns "no such token" into something to be repeated while Discord
// may not yet have worked off the acknowledgement of the interaction.
func early(err error, r ref, now time.Time) error {
	var d *core.DeliveryError
	if r.Kind == refMessage || !errors.As(err, &d) || now.Sub(time.UnixMilli(r.Created)) >= ackGrace {
		return err
	}
	if d.Code == strconv.Itoa(codeUnknownWebhook) || d.Code == strconv.Itoa(codeInvalidToken) {
		d.Class = core.Temporary
	}
	return d
}

// removeOriginal takes back a deferred answer that nothing follows.
func (a *Adapter) removeOriginal(ctx context.Context, p core.Place) error {
	r, err := openRef(p.Ref)
	if err != nil {
		return err
	}
	return a.hooks.do(ctx, http.MethodDelete, a.application, r.Token, pathOriginal, nil, nil)
}

// Direct implements [chat.Messenger]. Discord returns the first message for
// a second one with the same nonce within the last few minutes
// (https://discord.com/developers/docs/resources/message#create-message);
// a repetition after that is a new message.
func (a *Adapter) Direct(ctx context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	p, err := a.direct(ctx, to, c, key)
	a.metrics.calls.WithLabelValues("direct", outcome(err)).Inc()
	if err != nil {
		return core.Place{}, fmt.Errorf("send direct message: %w", err)
	}
	return p, nil
}

func (a *Adapter) direct(ctx context.Context, to core.Identity, c chat.Card, key string) (core.Place, error) {
	channel, err := a.directChannel(ctx, to.User)
	if err != nil {
		return core.Place{}, err
	}
	m := newMessage(Render(c), 0)
	m.Nonce, m.EnforceNonce = nonce(key), true
	var sent sentMessage
	err = a.bot.do(ctx, http.MethodPost, discordgo.EndpointChannelMessages(channel), m, &sent)
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
