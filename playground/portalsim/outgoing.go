package portalsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Attempt is one time a message was sent.
type Attempt struct {
	At time.Time `json:"at"`
	// Status is the answer's, or 0 where none came.
	Status int `json:"status"`
	// Err says why no answer came.
	Err string `json:"error,omitempty"`
}

// Message is one webhook of the portal.
type Message struct {
	// ID is the webhook-id, the same in every attempt.
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Body     []byte    `json:"-"`
	Held     bool      `json:"held"`
	Attempts []Attempt `json:"attempts"`
}

// Status returns that of the last attempt; 0 where no answer came yet.
func (m Message) Status() int {
	if len(m.Attempts) == 0 {
		return 0
	}
	return m.Attempts[len(m.Attempts)-1].Status
}

// Option makes one sending unusual.
type Option func(*sending)

type sending struct {
	id, secretNoise string
	at              time.Time
	body            []byte
	extra           []string
	without         string
}

// WithID sets the webhook-id of a new message.
func WithID(id string) Option { return func(s *sending) { s.id = id } }

// WithWrongSignature signs so that no check can agree.
func WithWrongSignature() Option { return func(s *sending) { s.secretNoise = "forged" } }

// WithTimestamp says another time than now, correctly signed.
func WithTimestamp(at time.Time) Option { return func(s *sending) { s.at = at } }

// WithAge says a time that lies d in the past, or ahead when negative.
func WithAge(d time.Duration) Option { return func(s *sending) { s.at = s.at.Add(-d) } }

// WithBody sends other bytes, correctly signed.
func WithBody(body []byte) Option { return func(s *sending) { s.body = bytes.Clone(body) } }

// WithExtraSignatures puts further signatures before the right one, as while
// keys are changed.
func WithExtraSignatures(values ...string) Option {
	return func(s *sending) { s.extra = append(s.extra, values...) }
}

// WithoutHeader leaves one of the three headers out.
func WithoutHeader(name string) Option { return func(s *sending) { s.without = name } }

// send records a message and posts it unless messages are held.
func (s *Server) send(ctx context.Context, kind string, data any, opts []Option) (Message, error) {
	now := s.clock.Now()
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, now, data})
	if err != nil {
		return Message{}, fmt.Errorf("encode message: %w", err)
	}
	first := sending{id: "msg_" + strings.ReplaceAll(uuid.NewString(), "-", ""), at: now, body: body}
	for _, o := range opts {
		o(&first)
	}
	m := &Message{ID: first.id, Type: kind, Body: first.body}
	s.mu.Lock()
	s.sent = append(s.sent, m)
	m.Held = s.hold
	s.touch()
	copied, held := *m, m.Held
	s.mu.Unlock()
	if held {
		return copied, nil
	}
	return s.post(ctx, m, first)
}

// Redeliver sends a message again: same id and body, signed anew.
func (s *Server) Redeliver(ctx context.Context, id string, opts ...Option) (Message, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.sent, func(m *Message) bool { return m.ID == id })
	if i < 0 {
		s.mu.Unlock()
		return Message{}, ErrUnknown
	}
	m := s.sent[i]
	again := sending{id: m.ID, at: s.clock.Now(), body: m.Body}
	s.mu.Unlock()
	for _, o := range opts {
		o(&again)
	}
	return s.post(ctx, m, again)
}

// Hold keeps every new message back until Release.
func (s *Server) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = true
	s.touch()
}

// Release ends the hold and sends what was held, one after the other. Order
// names held messages by index in the order of their making; an index may
// repeat, and those not named follow. The first error ends the sending; what
// remains can be sent with Redeliver.
func (s *Server) Release(ctx context.Context, order ...int) error {
	s.mu.Lock()
	var held, list []string
	for _, m := range s.sent {
		if m.Held {
			held = append(held, m.ID)
		}
	}
	for _, i := range order {
		if i < 0 || i >= len(held) {
			s.mu.Unlock()
			return fmt.Errorf("release messages: %w", ErrUnknown)
		}
		list = append(list, held[i])
	}
	for _, id := range held {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	s.hold = false
	for _, m := range s.sent {
		m.Held = false
	}
	s.touch()
	s.mu.Unlock()
	for _, id := range list {
		if _, err := s.Redeliver(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Sent returns all messages in the order of their making.
func (s *Server) Sent() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Message, 0, len(s.sent))
	for _, m := range s.sent {
		c := *m
		c.Attempts = slices.Clone(m.Attempts)
		all = append(all, c)
	}
	return all
}

func (s *Server) post(ctx context.Context, m *Message, how sending) (Message, error) {
	s.mu.Lock()
	target := s.target
	s.mu.Unlock()
	began := time.Now()
	status, err := s.postOnce(ctx, target, how)
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(Exchange{Webhook: true, Type: m.Type, Body: string(how.body), Status: status, Took: took})
	a := Attempt{At: s.clock.Now(), Status: status}
	if err != nil {
		a.Err = err.Error()
	}
	m.Attempts = append(m.Attempts, a)
	s.touch()
	copied := *m
	copied.Attempts = slices.Clone(m.Attempts)
	return copied, err
}

// postOnce returns the answer's status; the error is only that none came.
func (s *Server) postOnce(ctx context.Context, target string, how sending) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(how.body))
	if err != nil {
		return 0, fmt.Errorf("make message: %w", err)
	}
	signature := s.out.Sign(how.id, how.at, append(slices.Clone(how.body), how.secretNoise...))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderID, how.id)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(how.at.Unix(), 10))
	req.Header.Set(HeaderSignature, strings.Join(append(slices.Clone(how.extra), signature), " "))
	if how.without != "" {
		req.Header.Del(how.without)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send message: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	// Reading to the end lets the connection be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return resp.StatusCode, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, nil
}
