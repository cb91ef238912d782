package slacksim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// Endpoint is one of the app's addresses.
type Endpoint string

// The addresses that an app gives to Slack.
const (
	EndpointCommands     Endpoint = "commands"
	EndpointInteractions Endpoint = "interactions"
	EndpointEvents       Endpoint = "events"
)

// Errors of sending to the app or of acting like a person.
var (
	// ErrNoURL: the app's address for this kind of request is not set.
	ErrNoURL = errors.New("the app has no address for this")
	// ErrNotFound: no such user, channel, message, view or element.
	ErrNotFound = errors.New("not found")
	// ErrNotVisible: the person does not see what they would act on.
	ErrNotVisible = errors.New("not visible to this person")
)

// What people read when the app does not answer as it should.
const (
	userErrorTimeout  = "operation_timeout"
	userErrorDispatch = "dispatch_failed"
)

// parcel is one request to the app, whichever way it goes.
type parcel struct {
	to          Endpoint
	contentType string
	body        []byte // as HTTP carries it
	// retry and reason mark a repetition.
	retry  int
	reason string
	// avoid is the connection on which it was lost before.
	avoid *socket
}

// Result is what came of one request to the app, over HTTP or Socket Mode.
type Result struct {
	Endpoint Endpoint
	// Status is the HTTP status, and 200 for an acknowledged envelope; 0 when
	// no answer came in time.
	Status int
	Header http.Header
	// Body is the answer's body, or the payload of the acknowledgement.
	Body    []byte
	Latency time.Duration
	// TimedOut: no answer within Config.AckTimeout.
	TimedOut bool
	// Err says why no answer came.
	Err error
	// UserError is the code the person sees: operation_timeout,
	// dispatch_failed, or empty when all went well.
	UserError string
	// Refused: the person's own client did not send the form, see FieldErrors.
	Refused bool
	// FieldErrors are the complaints about single inputs, by block id.
	FieldErrors map[string]string
	// Problems is what Slack would not take in the answer's body.
	Problems []string
	// Connection is the id of the Socket Mode connection that carried the
	// request; empty over HTTP and where there was none.
	Connection string
	// OpenedURL is the address that a pressed link button opened.
	OpenedURL string
	// Message is what the body's answer put into the channel.
	Message *Message
	// TriggerID and ResponseURL are what the request carried.
	TriggerID, ResponseURL string

	parcel parcel
}

// OK tells that the app answered 200 in time and in a form that Slack takes.
func (r *Result) OK() bool {
	return r.Status == http.StatusOK && r.UserError == "" && !r.Refused && len(r.Problems) == 0
}

// SendOption changes how a request is sent.
type SendOption func(*parcel)

// WithRetry marks a repeated event as Slack does; reason is http_timeout,
// http_error, connection_failed and the like, or timeout over Socket Mode.
// https://docs.slack.dev/apis/events-api/#retries
func WithRetry(num int, reason string) SendOption {
	return func(p *parcel) { p.retry, p.reason = num, reason }
}

// Redeliver sends the payload of an earlier request again, freshly signed or
// in a new envelope. What the answer's body says is not applied, and a failure
// is not repeated.
func (s *Server) Redeliver(ctx context.Context, earlier *Result, opts ...SendOption) (*Result, error) {
	p := earlier.parcel
	p.retry, p.reason, p.avoid = 0, "", nil
	for _, opt := range opts {
		opt(&p)
	}
	return s.deliver(ctx, p)
}

// SendRaw sends any body to one of the app's addresses. It is signed as it
// should be and then changed by mutate, so that forged and damaged requests
// can be made; these go over HTTP whichever transport is on. A nil mutate
// sends the body as anything else is sent: with Socket Mode in an envelope.
func (s *Server) SendRaw(ctx context.Context, to Endpoint, body []byte, mutate func(*http.Request)) (*Result, error) {
	contentType := "application/x-www-form-urlencoded"
	if to == EndpointEvents {
		contentType = "application/json"
	}
	p := parcel{to: to, contentType: contentType, body: body}
	if mutate == nil {
		return s.deliver(ctx, p)
	}
	return s.deliverHTTP(ctx, p, mutate)
}

// deliver sends one request over the transport that is on. Everything that
// goes to the app comes through here. The error is for what cannot be sent at
// all; an app that fails or is silent is a Result.
func (s *Server) deliver(ctx context.Context, p parcel) (*Result, error) {
	s.mu.Lock()
	socket, double := s.socketMode, s.double
	s.mu.Unlock()
	once := func() (*Result, error) { return s.deliverHTTP(ctx, p, nil) }
	if socket {
		once = func() (*Result, error) { return s.deliverSocket(ctx, p) }
	}
	out, err := once()
	if double && err == nil {
		// What is answered to the second one reaches nobody.
		_, err = once()
	}
	return out, err
}

// deliverHTTP signs and sends one request; mutate, which may be nil, changes
// it at last.
func (s *Server) deliverHTTP(ctx context.Context, p parcel, mutate func(*http.Request)) (*Result, error) {
	to, body := p.to, p.body
	s.mu.Lock()
	target := s.cfgURLs[to]
	s.mu.Unlock()
	if target == "" {
		return nil, fmt.Errorf("send to %s: %w", to, ErrNoURL)
	}
	within, cancel := context.WithTimeout(ctx, s.cfg.AckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(within, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("send to %s: %w", to, err)
	}
	now, began := s.clock.Now(), time.Now()
	s.hold(within)
	req.Header.Set("Content-Type", p.contentType)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("Accept", "application/json,*/*")
	req.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("X-Slack-Signature", Signature(s.cfg.SigningSecret, now.Unix(), body))
	if p.retry > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(p.retry))
		req.Header.Set("X-Slack-Retry-Reason", p.reason)
	}
	if mutate != nil {
		mutate(req)
	}
	out := &Result{Endpoint: to, parcel: p, Header: http.Header{}}
	resp, err := s.client.Do(req)
	if err == nil {
		out.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
		_ = resp.Body.Close()
		out.Status, out.Header = resp.StatusCode, resp.Header
	}
	out.Latency = time.Since(began)
	note := ""
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("send to %s: %w", to, ctx.Err())
	case err != nil:
		out.Status, out.Body, out.Err = 0, nil, err
		out.TimedOut = errors.Is(err, context.DeadlineExceeded)
		out.UserError, note = userErrorDispatch, "no answer"
		if out.TimedOut {
			out.UserError, note = userErrorTimeout, "no answer in time"
		}
	case to == EndpointEvents && out.Status/100 == 2:
		// Any success will do for an event.
	case out.Status != http.StatusOK:
		out.UserError = userErrorDispatch
	}
	s.record(Exchange{
		At: now, Direction: DirectionOut, Method: http.MethodPost, Path: "/" + string(to), Request: string(body),
		Status: out.Status, Response: string(out.Body), Latency: out.Latency, Note: note,
	})
	return out, nil
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}
