package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// refKind says how a place is written to.
type refKind int

const (
	// refOriginal: the answer to an interaction, or the message whose button
	// was pressed; by the interaction's token.
	refOriginal refKind = iota + 1
	// refFollowup: a further message to an interaction, by its token; once
	// it is shown, Message names it.
	refFollowup
	// refMessage: a message of the bot's own; by the bot's token.
	refMessage
)

// ref is what a [core.Place] of this adapter holds. The token is a bearer
// secret for as long as it works.
type ref struct {
	Kind    refKind `json:"k"`
	Token   string  `json:"t,omitempty"`
	Channel string  `json:"c,omitempty"`
	Message string  `json:"m,omitempty"`
	// Created is the interaction's own time in Unix milliseconds.
	Created int64 `json:"at,omitempty"`
}

var errBadRef = errors.New("read place")

func (r ref) seal() core.Secret {
	data, err := json.Marshal(r)
	if err != nil {
		// A struct of strings and numbers always encodes; an empty place is
		// never reachable.
		return ""
	}
	return core.Secret(data)
}

func openRef(s core.Secret) (ref, error) {
	var r ref
	if err := json.Unmarshal([]byte(s.Reveal()), &r); err != nil {
		// The decoder's error may quote the content.
		return ref{}, errBadRef
	}
	switch {
	case r.Kind == refOriginal && r.Token != "",
		r.Kind == refFollowup && r.Token != "" && (r.Message == "" || isSnowflake(r.Message)),
		r.Kind == refMessage && isSnowflake(r.Channel) && isSnowflake(r.Message):
		return r, nil
	default:
		return ref{}, errBadRef
	}
}

// tokenPlace is a place that works as long as an interaction's token.
func tokenPlace(r ref) core.Place {
	return core.Place{Ref: r.seal(), EditableUntil: time.UnixMilli(r.Created).UTC().Add(tokenLife - tokenMargin)}
}

// messagePlace is the place of a message of the bot's own.
func messagePlace(channel, id string, now time.Time) core.Place {
	return core.Place{
		Ref:           ref{Kind: refMessage, Channel: channel, Message: id}.seal(),
		MessageKey:    messageKey(channel, id),
		EditableUntil: now.Add(messageLife),
		Shown:         true,
	}
}

func messageKey(channel, id string) string { return channel + ":" + id }

// discordEpoch is the first millisecond of 2015, from which snowflakes count
// (https://discord.com/developers/docs/reference#snowflakes).
const discordEpoch = 1420070400000

// snowflakeTime returns the time within a snowflake.
func snowflakeTime(id string) (time.Time, error) {
	if !isSnowflake(id) {
		return time.Time{}, fmt.Errorf("read snowflake: not a number")
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read snowflake: out of range")
	}
	return time.UnixMilli(int64(n>>22) + discordEpoch).UTC(), nil
}

func isSnowflake(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
