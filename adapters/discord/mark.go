package discord

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Discord keeps a message's nonce for some minutes only, and not with the
// message. What it does keep are the numbers of components, which nobody
// sees and a sender may choose within 31 bits
// (https://discord.com/developers/docs/components/reference#anatomy-of-a-component).
// Two of them carry the key of the delivery.

// firstMark is above all numbers that Discord gives itself.
const firstMark = 1 << 20

// marks returns the two numbers for a key.
func marks(key string) (outer, inner int64) {
	sum := sha256.Sum256([]byte("mark\x00" + key))
	number := func(b []byte) int64 {
		return firstMark + int64(binary.BigEndian.Uint32(b))%(1<<31-firstMark)
	}
	outer, inner = number(sum[0:4]), number(sum[4:8])
	if inner == outer {
		inner = firstMark + (inner-firstMark+1)%(1<<31-firstMark)
	}
	return outer, inner
}

// mark lets a rendered card be found again by its key.
func mark(components []Component, key string) {
	if len(components) != 1 || len(components[0].Components) == 0 {
		return
	}
	components[0].ID, components[0].Components[0].ID = marks(key)
}

// foundMessage is what is read of a message to recognise it. Its parts are
// read without their other content, so that components that Discord adds
// disturb nothing.
type foundMessage struct {
	ID         string `json:"id"`
	Components []struct {
		ID         int64 `json:"id"`
		Components []struct {
			ID int64 `json:"id"`
		} `json:"components"`
	} `json:"components"`
}

func (m foundMessage) marked(outer, inner int64) bool {
	return len(m.Components) == 1 && m.Components[0].ID == outer &&
		len(m.Components[0].Components) > 0 && m.Components[0].Components[0].ID == inner
}

const (
	// searchPage is the most messages that one call returns
	// (https://discord.com/developers/docs/resources/message#get-channel-messages).
	searchPage = 100
	// searchPages bounds how far a message is looked for.
	searchPages = 5
	// searchMargin is how far Discord's clock may be behind.
	searchMargin = 15 * time.Minute
)

// findSent returns the id of the bot's message with this key that was sent
// since then, or none. The bot may read its own messages without a
// privileged intent
// (https://discord.com/developers/docs/events/gateway#message-content-intent).
func (a *Adapter) findSent(ctx context.Context, channel, key string, since time.Time) (string, error) {
	outer, inner := marks(key)
	after := uint64(max(since.Add(-searchMargin).UnixMilli()-discordEpoch, 0)) << 22
	for range searchPages {
		query := url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(searchPage)}}
		var page []foundMessage
		err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointChannelMessages(channel)+"?"+query.Encode(), nil, &page)
		if err != nil {
			return "", err
		}
		for _, m := range page {
			if !isSnowflake(m.ID) {
				return "", badAnswer()
			}
			if m.marked(outer, inner) {
				return m.ID, nil
			}
			if id, err := strconv.ParseUint(m.ID, 10, 64); err == nil {
				after = max(after, id)
			}
		}
		if len(page) < searchPage {
			break
		}
	}
	return "", nil
}
