package slack

import (
	"context"
	"errors"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

var _ chat.Channels = (*Adapter)(nil)

// Channel implements [chat.Channels]. Slack does not tell a private channel
// without the bot from one that does not exist
// (https://docs.slack.dev/reference/methods/conversations.info#errors).
func (a *Adapter) Channel(ctx context.Context, id core.Identity) (chat.ChannelInfo, error) {
	channel, ok := id.Channel()
	if !ok || !validID(channel) {
		return chat.ChannelInfo{}, chat.ErrNoChannel
	}
	found, err := a.api.GetConversationInfoContext(withScope(ctx, id.Tenant, channel),
		&slackapi.GetConversationInfoInput{ChannelID: channel})
	if err != nil {
		err = deliveryError("conversations.info", err)
		var d *core.DeliveryError
		if errors.As(err, &d) && d.Code == "channel_not_found" {
			return chat.ChannelInfo{}, chat.ErrNoChannel
		}
		return chat.ChannelInfo{}, err
	}
	switch {
	case found.IsIM, found.IsMpIM:
		return chat.ChannelInfo{}, chat.ErrNoChannel
	case found.IsArchived:
		return chat.ChannelInfo{}, chat.ErrArchived
	case !found.IsMember:
		return chat.ChannelInfo{}, chat.ErrNoChannel
	}
	return chat.ChannelInfo{Name: found.Name}, nil
}
