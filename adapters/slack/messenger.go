package slack

import (
	"context"
	"errors"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// postPause is Slack's limit of about one new message per second and channel
// (https://docs.slack.dev/apis/web-api/rate-limits#limits-when-posting-messages).
const postPause = time.Second

// metadataType names the metadata by which a sent message is found again
// (https://docs.slack.dev/messaging/message-metadata).
const metadataType = "laurel_delivery"

// Pause implements [chat.Messenger].
func (a *Adapter) Pause() time.Duration { return postPause }

// Show implements [chat.Messenger]. At a response URL the key is of no use:
// an answer that was lost may be shown twice there, to its one reader.
func (a *Adapter) Show(ctx context.Context, p core.Place, c chat.Card, key string) (core.Place, error) {
	ref, ok := parseRef(p.Ref)
	switch {
	case !ok:
		return core.Place{}, placeGone("show card", "unreadable_place")
	case ref.Home:
		return a.publish(ctx, p, ref, c)
	case ref.URL != "":
		return a.respond(ctx, p, ref, c)
	case ref.TS != "":
		return a.update(ctx, p, ref, c)
	case p.Shown:
		return core.Place{}, placeGone("show card", "not_editable")
	case ref.Channel != "":
		return a.postEphemeral(ctx, p, ref, c)
	default:
		to := core.Identity{Platform: Platform, Tenant: ref.Tenant, User: ref.User}
		return a.Direct(ctx, to, c, key, time.Time{})
	}
}

func (a *Adapter) update(ctx context.Context, p core.Place, ref placeRef, c chat.Card) (core.Place, error) {
	ctx = withScope(ctx, ref.Tenant, ref.Channel)
	err := a.withPicture(ctx, ref.Tenant, c, time.Time{}, func(file string) error {
		_, _, _, err := a.api.UpdateMessageContext(ctx, ref.Channel, ref.TS, messageOptions(c, file)...)
		return deliveryError("chat.update", err)
	})
	if err != nil {
		return core.Place{}, err
	}
	p.Shown = true
	return p, nil
}

// postEphemeral shows c to one person in a channel. Whatever keeps it from
// there, a direct message may still get through.
func (a *Adapter) postEphemeral(ctx context.Context, p core.Place, ref placeRef, c chat.Card) (core.Place, error) {
	ctx = withScope(ctx, ref.Tenant, ref.Channel)
	if _, err := a.api.PostEphemeralContext(ctx, ref.Channel, ref.User, messageOptions(c, "")...); err != nil {
		err = deliveryError("chat.postEphemeral", err)
		var d *core.DeliveryError
		if errors.As(err, &d) && d.Class == core.TargetDead {
			return core.Place{}, placeGone("chat.postEphemeral", d.Code)
		}
		return core.Place{}, err
	}
	p.Shown, p.EditableUntil = true, time.Time{}
	return p, nil
}

// Direct implements [chat.Messenger], for people and for channels. A message of an earlier attempt is
// looked for in the conversation by its metadata; without the scope
// im:history, in a channel channels:history or groups:history, that is not
// possible and it is sent again.
func (a *Adapter) Direct(ctx context.Context, to core.Identity, c chat.Card, key string, firstTry time.Time) (core.Place, error) {
	if to.Platform != Platform || to.User == "" {
		return core.Place{}, &core.DeliveryError{Class: core.TargetDead, Code: "not_a_slack_user"}
	}
	if channel, ok := to.Channel(); ok {
		_, place, err := a.post(ctx, to.Tenant, channel, c, key, firstTry)
		return place, err
	}
	channel, known := a.conversations.get(personKey(to), a.clock.Now())
	if !known && firstTry.IsZero() {
		// A message to a person opens the conversation by itself, and opening
		// it beforehand is allowed far less often
		// (https://docs.slack.dev/reference/methods/chat.postMessage#dms).
		return a.postTo(ctx, to, to.User, c, key, firstTry)
	}
	if !known {
		var err error
		if channel, err = a.open(ctx, to); err != nil {
			return core.Place{}, err
		}
	}
	place, err := a.postTo(ctx, to, channel, c, key, firstTry)
	var d *core.DeliveryError
	if known && errors.As(err, &d) && d.Code == "channel_not_found" {
		// What was remembered may be of an earlier installation.
		a.conversations.forget(personKey(to))
		if channel, err = a.open(ctx, to); err != nil {
			return core.Place{}, err
		}
		return a.postTo(ctx, to, channel, c, key, firstTry)
	}
	return place, err
}

// postTo posts in the direct conversation with somebody, and remembers which
// one it is.
func (a *Adapter) postTo(ctx context.Context, to core.Identity, channel string, c chat.Card, key string, firstTry time.Time) (core.Place, error) {
	at, place, err := a.post(ctx, to.Tenant, channel, c, key, firstTry)
	if err == nil {
		a.conversations.put(personKey(to), at, a.clock.Now().Add(conversationLife))
	}
	return place, err
}

// post returns the channel in which the message stands.
func (a *Adapter) post(ctx context.Context, tenant, channel string, c chat.Card, key string, firstTry time.Time) (string, core.Place, error) {
	ctx = withScope(ctx, tenant, channel)
	if !firstTry.IsZero() {
		ts, err := a.findSent(ctx, channel, key, firstTry)
		if err != nil {
			return "", core.Place{}, err
		}
		if ts != "" {
			return channel, messagePlace(tenant, channel, ts), nil
		}
	}
	var at, ts string
	err := a.withPicture(ctx, tenant, c, firstTry, func(file string) (err error) {
		options := append(messageOptions(c, file),
			slackapi.MsgOptionMetadata(slackapi.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{"key": key}}),
			slackapi.MsgOptionDisableLinkUnfurl(),
			slackapi.MsgOptionDisableMediaUnfurl(),
		)
		at, ts, err = a.api.PostMessageContext(ctx, channel, options...)
		return deliveryError("chat.postMessage", err)
	})
	if err != nil {
		return "", core.Place{}, err
	}
	if at == "" {
		at = channel
	}
	return at, messagePlace(tenant, at, ts), nil
}

// open opens the direct conversation with somebody.
func (a *Adapter) open(ctx context.Context, with core.Identity) (channel string, err error) {
	opened, _, _, err := a.api.OpenConversationContext(withScope(ctx, with.Tenant, ""), &slackapi.OpenConversationParameters{Users: []string{with.User}})
	if err != nil {
		return "", deliveryError("conversations.open", err)
	}
	if opened == nil || opened.ID == "" {
		return "", &core.DeliveryError{Class: core.Temporary, Code: "unreadable_answer", Err: errors.New("conversations.open")}
	}
	return opened.ID, nil
}

// Remove implements [chat.Messenger].
// https://docs.slack.dev/reference/methods/chat.delete
func (a *Adapter) Remove(ctx context.Context, p core.Place) error {
	ref, ok := parseRef(p.Ref)
	if !ok || ref.Channel == "" || ref.TS == "" {
		return placeGone("remove message", "not_own_message")
	}
	ctx = withScope(ctx, ref.Tenant, ref.Channel)
	_, _, err := a.api.DeleteMessageContext(ctx, ref.Channel, ref.TS)
	err = deliveryError("chat.delete", err)
	var d *core.DeliveryError
	if errors.As(err, &d) && d.Code == "message_not_found" {
		return nil
	}
	return err
}

// messageOptions is what a card says, with its picture where that is uploaded
// as a file.
func messageOptions(c chat.Card, file string) []slackapi.MsgOption {
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(fallback(c), false),
		slackapi.MsgOptionBlocks(renderCard(c, file)...),
	}
}
