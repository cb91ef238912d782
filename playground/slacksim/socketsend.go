package slacksim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Errors of sending over Socket Mode, in Result.Err.
var (
	// ErrNoConnection: the app has no connection open that takes payloads.
	ErrNoConnection = errors.New("the app has no connection open")
	// ErrConnectionLost: the connection ended before the acknowledgement came.
	ErrConnectionLost = errors.New("the connection ended before the acknowledgement")
)

// methodSocket stands in the wire log where HTTP has its method.
const methodSocket = "WS"

// envelopeTypes names the envelope of each kind of request.
var envelopeTypes = map[Endpoint]string{
	EndpointCommands: "slash_commands", EndpointInteractions: "interactive", EndpointEvents: "events_api",
}

// object is what an envelope carries of a request: a command's fields as a
// JSON object of strings, an interaction's or an event's payload as it is.
func (p parcel) object() (json.RawMessage, error) {
	if p.to == EndpointEvents {
		return p.body, nil
	}
	form, err := parseForm(string(p.body))
	if err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	if p.to == EndpointInteractions {
		return json.RawMessage(form.Get("payload")), nil
	}
	fields := map[string]string{}
	for key := range form {
		fields[key] = form.Get(key)
	}
	return json.Marshal(fields)
}

// envelope wraps a request for a connection; answerable tells whether its
// acknowledgement may carry a payload.
func (p parcel) envelope(id string) (raw json.RawMessage, answerable bool, err error) {
	payload, err := p.object()
	if err != nil {
		return nil, false, err
	}
	var kind struct{ Type string }
	answerable = p.to == EndpointCommands ||
		(p.to == EndpointInteractions && json.Unmarshal(payload, &kind) == nil && kind.Type == "view_submission")
	out := map[string]any{
		"envelope_id": id, "payload": payload, "type": envelopeTypes[p.to], "accepts_response_payload": answerable,
	}
	if p.to == EndpointEvents {
		out["retry_attempt"], out["retry_reason"] = p.retry, p.reason
	}
	if raw, err = json.Marshal(out); err != nil {
		return nil, false, fmt.Errorf("encode envelope: %w", err)
	}
	return raw, answerable, nil
}

// pick chooses the connection whose turn it is: rather not the one on which
// the payload was lost before, rather not one that is about to end. s.mu is
// held.
func (s *Server) pick(avoid *socket) *socket {
	for _, good := range []func(*socket) bool{
		func(c *socket) bool { return c != avoid && !c.warned },
		func(c *socket) bool { return c != avoid },
		func(*socket) bool { return true },
	} {
		var able []*socket
		for _, c := range s.sockets {
			if c.ready && !c.leaving && good(c) {
				able = append(able, c)
			}
		}
		if len(able) > 0 {
			s.turn++
			return able[s.turn%len(able)]
		}
	}
	return nil
}

// deliverSocket sends one request over one of the app's connections and waits
// for its acknowledgement. Like an HTTP answer this is a Result: a payload in
// the acknowledgement is its body.
func (s *Server) deliverSocket(ctx context.Context, p parcel) (*Result, error) {
	id := uuid.NewString()
	raw, answerable, err := p.envelope(id)
	if err != nil {
		return nil, fmt.Errorf("send to %s: %w", p.to, err)
	}
	within, cancel := context.WithTimeout(ctx, s.cfg.AckTimeout)
	defer cancel()
	out := &Result{Endpoint: p.to, parcel: p, Header: http.Header{}}
	at, began := s.clock.Now(), time.Now()
	s.hold(within)
	waits := &awaited{ack: make(chan ack, 1)}
	s.mu.Lock()
	c := s.pick(p.avoid)
	if c != nil && within.Err() == nil {
		waits.on, out.Connection, out.parcel.avoid = c, c.id, c
		s.envelopes[id] = waits
		c.sent++
	}
	s.mu.Unlock()
	switch {
	case within.Err() != nil:
		out.Err = within.Err()
	case c == nil:
		out.Err = ErrNoConnection
	default:
		out.Err = s.await(within, c, waits, raw, answerable, out)
	}
	s.mu.Lock()
	delete(s.envelopes, id)
	s.bump()
	s.mu.Unlock()
	out.Latency = time.Since(began)
	note := ""
	switch {
	case ctx.Err() != nil && out.Err != nil:
		return nil, fmt.Errorf("send to %s: %w", p.to, ctx.Err())
	case errors.Is(out.Err, context.DeadlineExceeded):
		out.TimedOut, out.UserError, note = true, userErrorTimeout, "no acknowledgement in time"
	case out.Err != nil:
		out.UserError, note = userErrorDispatch, out.Err.Error()
	}
	s.record(Exchange{
		At: at, Direction: DirectionOut, Method: methodSocket, Path: "/" + string(p.to), Request: string(raw),
		Status: out.Status, Response: string(out.Body), Latency: out.Latency, Note: note,
	})
	return out, nil
}

// await sends an envelope and fills in what its acknowledgement says.
func (s *Server) await(within context.Context, c *socket, waits *awaited, raw json.RawMessage, answerable bool, out *Result) error {
	if c.send(raw, s.cfg.AckTimeout) != nil {
		_ = c.ws.Close()
	}
	var got ack
	select {
	case got = <-waits.ack:
	case <-within.Done():
		return within.Err()
	case <-c.done:
		// What was read before the end counts.
		select {
		case got = <-waits.ack:
		default:
			return ErrConnectionLost
		}
	}
	out.Status = http.StatusOK
	out.Header.Set("Content-Type", "application/json")
	if payload := bytes.TrimSpace(got.Payload); answerable && string(payload) != "null" {
		out.Body = payload
	}
	return nil
}
