package discordsim

import "encoding/json"

// Opcodes,
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes.
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opVoiceState     = 4
	opResume         = 6
	opReconnect      = 7
	opMembers        = 8
	opInvalidSession = 9
	opHello          = 10
	opAck            = 11
	opSoundboard     = 31
)

// Close codes of the gateway,
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes.
const (
	CloseUnknownError         = 4000
	CloseUnknownOpcode        = 4001
	CloseDecodeError          = 4002
	CloseNotAuthenticated     = 4003
	CloseAuthenticationFailed = 4004
	CloseAlreadyAuthenticated = 4005
	CloseInvalidSeq           = 4007
	CloseRateLimited          = 4008
	CloseSessionTimedOut      = 4009
	CloseInvalidShard         = 4010
	CloseShardingRequired     = 4011
	CloseInvalidVersion       = 4012
	CloseInvalidIntents       = 4013
	CloseDisallowedIntents    = 4014
)

// closeReason is the text beside a close code.
func closeReason(code int) string {
	switch code {
	case CloseUnknownError:
		return "Unknown error."
	case CloseUnknownOpcode:
		return "Unknown opcode."
	case CloseDecodeError:
		return "Error while decoding payload."
	case CloseNotAuthenticated:
		return "Not authenticated."
	case CloseAuthenticationFailed:
		return "Authentication failed."
	case CloseAlreadyAuthenticated:
		return "Already authenticated."
	case CloseInvalidSeq:
		return "Invalid seq."
	case CloseRateLimited:
		return "Rate limited."
	case CloseSessionTimedOut:
		return "Session timed out."
	case CloseInvalidShard:
		return "Invalid shard."
	case CloseShardingRequired:
		return "Sharding required."
	case CloseInvalidVersion:
		return "Invalid API version."
	case CloseInvalidIntents:
		return "Invalid intent(s)."
	case CloseDisallowedIntents:
		return "Disallowed intent(s)."
	}
	return ""
}

// endsSession reports whether a close by the server ends the session: after
// these codes the documentation asks for a new one, or for none.
func endsSession(code int) bool {
	switch code {
	case CloseAuthenticationFailed, CloseInvalidSeq, CloseInvalidShard, CloseShardingRequired,
		CloseInvalidVersion, CloseInvalidIntents, CloseDisallowedIntents:
		return true
	}
	return false
}

// Intents, https://discord.com/developers/docs/events/gateway#gateway-intents.
const (
	intentGuilds         = 1 << 0
	intentGuildMessages  = 1 << 9
	intentDirectMessages = 1 << 12
	intentMembers        = 1 << 1
	intentPresences      = 1 << 8
	intentContent        = 1 << 15
	privileged           = intentMembers | intentPresences | intentContent
	intentsBelow17       = 1<<17 - 1
	intentModeration     = 1<<20 | 1<<21
	intentPolls          = 1<<24 | 1<<25
	knownIntents         = intentsBelow17 | intentModeration | intentPolls
)

// payload is what goes over the gateway,
// https://discord.com/developers/docs/events/gateway-events#payload-structure.
type payload struct {
	Type *string         `json:"t"`
	Seq  *int64          `json:"s"`
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
}

// op encodes a payload that is no dispatch.
func op(code int, data any) []byte { return encode(payload{Op: code, Data: encode(data)}) }

// encode encodes what the simulator itself has built, which cannot fail.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return data
}
