package discord

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// Close codes of the gateway
// (https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
const (
	closeNotAuthenticated = 4003
	closeAuthentication   = 4004
	closeInvalidSequence  = 4007
	closeSessionTimedOut  = 4009
	closeInvalidShard     = 4010
	closeShardingRequired = 4011
	closeInvalidVersion   = 4012
	closeInvalidIntents   = 4013
	closeForbiddenIntents = 4014

	// closeResumable is our own close: any other than 1000 and 1001 leaves
	// the session alive
	// (https://discord.com/developers/docs/events/gateway#initiating-a-disconnect).
	closeResumable = 4000
)

// nextStep is what follows the end of a connection.
type nextStep int

const (
	// stepResume goes on with the session.
	stepResume nextStep = iota
	// stepFresh begins a new session.
	stepFresh
	// stepReshard reads the number of shards again.
	stepReshard
	// stepFatal waits for an operator.
	stepFatal
)

// connEnd says how a connection ended.
type connEnd struct {
	next nextStep
	// name is for metrics and logs, reason a sentence for the operator.
	name, reason string
	// wait is asked for by Discord.
	wait time.Duration
	// established says that the session was acknowledged, fresh that it was
	// a new one, and lived for how long.
	established, fresh bool
	lived              time.Duration
}

// Sentences for the codes after which reconnecting alone does not help.
var fatalCloses = map[int]string{
	closeAuthentication:   "Discord refuses the bot token: set DISCORD_BOT_TOKEN to the token shown under Bot in the developer portal",
	closeInvalidShard:     "Discord refuses the shard number: restart the bot, and report this if it stays",
	closeInvalidVersion:   "Discord no longer speaks this version of the gateway: update the bot, or set DISCORD_TRANSPORT=http",
	closeInvalidIntents:   "Discord refuses the intents as invalid: update the bot, or set DISCORD_TRANSPORT=http",
	closeForbiddenIntents: "Discord refuses the intents: look at Privileged Gateway Intents under Bot in the developer portal, or set DISCORD_TRANSPORT=http",
}

// endOf classifies the error that ended the reading of a connection.
func endOf(err error) connEnd {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code == websocket.CloseAbnormalClosure {
		return connEnd{next: stepResume, name: "lost", reason: "the connection was lost"}
	}
	end := connEnd{
		next: stepResume, name: "closed_other",
		reason: fmt.Sprintf("Discord closed the connection with code %d", closed.Code),
	}
	// A label per known code: their number is bounded.
	if closed.Code >= 4000 && closed.Code <= closeForbiddenIntents {
		end.name = "closed_" + strconv.Itoa(closed.Code)
	}
	if sentence, ok := fatalCloses[closed.Code]; ok {
		end.next, end.reason = stepFatal, fmt.Sprintf("%s (close code %d)", sentence, closed.Code)
		return end
	}
	switch closed.Code {
	case closeShardingRequired:
		end.next, end.reason = stepReshard, "Discord asks for more shards (close code 4011): their number is read again"
	case closeNotAuthenticated, closeInvalidSequence, closeSessionTimedOut:
		end.next = stepFresh
	}
	return end
}
