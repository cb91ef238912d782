package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Gateway opcodes
// (https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes).
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opAck            = 11
)

const (
	// maxFrame bounds one frame of the gateway: READY names every server.
	maxFrame = 8 << 20
	// gatewayQuery is what every connection asks for
	// (https://discord.com/developers/docs/events/gateway#connecting-gateway-url-query-string-params).
	gatewayQuery = "v=10&encoding=json"
	// gatewayIntents: interactions come without any intent
	// (https://discord.com/developers/docs/events/gateway#list-of-intents).
	gatewayIntents = 0
	// maxInterval is the longest interval of heartbeats that is believed.
	maxInterval = 10 * time.Minute
)

// outgoing is a frame to the gateway.
type outgoing struct {
	Op   int `json:"op"`
	Data any `json:"d"`
}

// identify starts a session. The library's own type still sends the former
// names of the properties and a presence
// (https://discord.com/developers/docs/events/gateway-events#identify).
type identify struct {
	Token      string            `json:"token"`
	Intents    int               `json:"intents"`
	Properties map[string]string `json:"properties"`
	Shard      [2]int            `json:"shard"`
}

// resume goes on with a session
// (https://discord.com/developers/docs/events/gateway-events#resume).
type resume struct {
	Token     string `json:"token"`
	SessionID string `json:"session_id"`
	Sequence  int64  `json:"seq"`
}

func newIdentify(token string, shard, count int) outgoing {
	return outgoing{Op: opIdentify, Data: identify{
		Token: token, Intents: gatewayIntents, Shard: [2]int{shard, count},
		Properties: map[string]string{"os": runtime.GOOS, "browser": "laurel", "device": "laurel"},
	}}
}

// newHeartbeat tells the last sequence number, or null before the first.
func newHeartbeat(seq int64) outgoing {
	if seq == 0 {
		return outgoing{Op: opHeartbeat}
	}
	return outgoing{Op: opHeartbeat, Data: seq}
}

var errBadFrame = errors.New("decode gateway frame")

// decodeFrame reads a frame. Errors quote nothing of it.
func decodeFrame(data []byte) (*discordgo.Event, error) {
	var e *discordgo.Event
	if err := json.Unmarshal(data, &e); err != nil || e == nil {
		return nil, fmt.Errorf("%w: wrong type or syntax", errBadFrame)
	}
	if e.Sequence < 0 {
		return nil, fmt.Errorf("%w: sequence", errBadFrame)
	}
	return e, nil
}

// decodeHello returns the interval of heartbeats.
func decodeHello(e *discordgo.Event) (time.Duration, error) {
	var hello struct {
		Interval int64 `json:"heartbeat_interval"`
	}
	if e.Operation != opHello || json.Unmarshal(e.RawData, &hello) != nil {
		return 0, fmt.Errorf("%w: no hello", errBadFrame)
	}
	if hello.Interval < 1 || hello.Interval > maxInterval.Milliseconds() {
		return 0, fmt.Errorf("%w: heartbeat interval", errBadFrame)
	}
	return time.Duration(hello.Interval) * time.Millisecond, nil
}

// session is what a connection can be gone on with.
type session struct{ id, url string }

// decodeReady returns the session of a READY. The base is where the
// connection went first: its scheme must stay.
func decodeReady(e *discordgo.Event, base string) (session, error) {
	var ready struct {
		SessionID string `json:"session_id"`
		ResumeURL string `json:"resume_gateway_url"`
	}
	if json.Unmarshal(e.RawData, &ready) != nil || ready.SessionID == "" || len(ready.SessionID) > 200 {
		return session{}, fmt.Errorf("%w: ready", errBadFrame)
	}
	s := session{id: ready.SessionID, url: base}
	if ready.ResumeURL == "" {
		return s, nil
	}
	to, err := gatewayURL(ready.ResumeURL)
	if err != nil {
		return session{}, err
	}
	if from, err := url.Parse(base); err == nil && from.Scheme == "wss" && to.Scheme != "wss" {
		return session{}, fmt.Errorf("%w: resume address", errBadFrame)
	}
	s.url = to.String()
	return s, nil
}

// gatewayURL adds to an address of the gateway what is asked of it.
func gatewayURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return nil, fmt.Errorf("%w: address", errBadFrame)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.User, u.Fragment, u.RawQuery = nil, "", gatewayQuery
	return u, nil
}
