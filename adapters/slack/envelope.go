package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// Types of what comes over a socket
// (https://docs.slack.dev/apis/events-api/using-socket-mode).
const (
	typeHello       = "hello"
	typeDisconnect  = "disconnect"
	typeEvent       = "events_api"
	typeCommand     = "slash_commands"
	typeInteractive = "interactive"
)

const (
	// maxAckFrame is what Slack takes as an acknowledgement, in bytes; a
	// longer one is dropped without a word.
	maxAckFrame = 20 << 10
	// ackOverhead is what an acknowledgement has around its payload: the
	// longest id and the names of the fields.
	ackOverhead = maxIDLen + 64
	// maxAckBody is how long the payload of an acknowledgement may be.
	maxAckBody = maxAckFrame - ackOverhead - 1
)

// envelope is the little that is used of a message of Slack's socket.
type envelope struct {
	Type       string `json:"type"`
	EnvelopeID string `json:"envelope_id"`
	// Payload is what HTTP would carry, as JSON.
	Payload                json.RawMessage `json:"payload"`
	AcceptsResponsePayload bool            `json:"accepts_response_payload"`
	RetryAttempt           int             `json:"retry_attempt"`
	// Reason is why the connection ends, in a disconnect.
	Reason string `json:"reason"`
	// NumConnections is how many connections the app has, in a hello.
	NumConnections int `json:"num_connections"`
}

// decodeEnvelope reads one message. Everything that asks for an
// acknowledgement has an id.
func decodeEnvelope(data []byte) (envelope, error) {
	var e envelope
	if err := decodeJSON(data, &e); err != nil {
		return envelope{}, err
	}
	switch e.Type {
	case "":
		return envelope{}, errNotJSON
	case typeHello, typeDisconnect:
		return e, nil
	}
	if !validID(e.EnvelopeID) {
		return envelope{}, errMissingID
	}
	return e, nil
}

// inline is how long an answer within the acknowledgement may be.
func (e *envelope) inline() int {
	if !e.AcceptsResponsePayload {
		return 0
	}
	return maxAckBody
}

// encodeAck makes the acknowledgement of the envelope of that id.
func encodeAck(id string, body []byte) ([]byte, error) {
	return json.Marshal(struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload,omitempty"`
	}{id, body})
}

// handleEnvelope answers one envelope. How long it takes until the
// acknowledgement is bounded as for HTTP: by chat.AnswerWithin, formWithin
// and storeWithin.
func (a *Adapter) handleEnvelope(ctx context.Context, e *envelope, received time.Time, acknowledge func(id string, body []byte) error) {
	if e.RetryAttempt > 0 {
		a.metrics.retries.Inc()
	}
	rep := a.serveEnvelope(ctx, e, received)
	// What HTTP tells with a status of 5xx is told by keeping silent: an
	// event comes again, a person sees that it failed. What is malformed is
	// acknowledged, because it would come again as it is.
	if rep.status < http.StatusInternalServerError {
		if err := acknowledge(e.EnvelopeID, a.ackBody(e, &rep)); err != nil {
			a.log.Warn("slack acknowledgement not written", slog.String("kind", rep.kind))
		}
	}
	a.metrics.ack.WithLabelValues(rep.kind).Observe(time.Since(received).Seconds())
	a.metrics.requests.WithLabelValues(rep.kind, rep.outcome).Inc()
	if rep.after != nil {
		rep.after()
	}
}

// serveEnvelope does what the endpoint for such a payload does.
func (a *Adapter) serveEnvelope(ctx context.Context, e *envelope, received time.Time) (rep reply) {
	kind := kindEnvelope
	defer func() {
		// Unlike a request of HTTP, no server watches over this.
		if r := recover(); r != nil {
			// The value may hold what the person sent, so it is not logged.
			a.log.Error("slack envelope panicked", slog.String("type", kind))
			rep = reply{status: http.StatusInternalServerError, outcome: "panicked"}
		}
		if rep.kind == "" {
			rep.kind = kind
		}
	}()
	switch e.Type {
	case typeCommand:
		kind = kindCommand
		in, err := a.decodeCommandObject(e.Payload)
		return a.serveDecoded(ctx, kind, in, err, received, e.inline())
	case typeInteractive:
		kind = kindInteraction
		in, err := a.decodeInteraction(e.Payload)
		return a.serveDecoded(ctx, kind, in, err, received, e.inline())
	case typeEvent:
		kind = kindEvent
		return a.serveEvent(ctx, e.Payload, received)
	default:
		return reply{status: http.StatusOK, outcome: "ignored"}
	}
}

// ackBody is what of rep goes into the acknowledgement.
func (a *Adapter) ackBody(e *envelope, rep *reply) []byte {
	switch {
	case rep.text || len(rep.body) == 0:
		return nil
	case len(rep.body) > e.inline():
		a.metrics.lost.Inc()
		a.log.Warn("slack answer not shown", slog.String("what", "acknowledgement"), slog.String("cause", "too long or not expected"))
		return nil
	default:
		return rep.body
	}
}
