package credlysim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// retryFor is how long a webhook is sent again before Credly gives up, see
// https://www.credly.com/docs/webhooks.
const retryFor = 25 * 24 * time.Hour

// retryAfter are the growing pauses between attempts; the last one repeats.
var retryAfter = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// eventTypes are the events that webhooks tell of.
var eventTypes = []string{
	"badge.created", "badge.deleted", "badge.state.changed", "badge.privacy.changed",
	"badge_template.created", "badge_template.changed", "badge_template.deleted",
}

// Event is something that happened.
type Event struct {
	ID         string    `json:"id"`
	Type       string    `json:"event_type"`
	OccurredAt time.Time `json:"occurred_at"`
	BadgeID    string    `json:"badge_id,omitempty"`
	TemplateID string    `json:"badge_template_id,omitempty"`
}

// event keeps the object as it was when the event occurred.
type event struct {
	Event
	badgeID    string
	templateID string
	badge      *badge
	template   *template
}

// The stages of a Delivery.
const (
	DeliveryWaiting   = "waiting"
	DeliveryDelivered = "delivered"
	DeliveryDropped   = "dropped"
	DeliveryGivenUp   = "given up"
)

// Attempt is one time a webhook was sent.
type Attempt struct {
	At time.Time `json:"at"`
	// Status is the answer's, or 0 where none came.
	Status int `json:"status"`
	// Err says why no answer came.
	Err string `json:"error,omitempty"`
}

// Delivery is one event on its way to the webhook URL.
type Delivery struct {
	EventID   string    `json:"event_id"`
	EventType string    `json:"event_type"`
	BadgeID   string    `json:"badge_id,omitempty"`
	Stage     string    `json:"stage"`
	CreatedAt time.Time `json:"created_at"`
	// NextAt is when a waiting delivery is due.
	NextAt   time.Time `json:"next_at"`
	Attempts []Attempt `json:"attempts"`
	Body     string    `json:"body"`
}

func (s *Server) allowedWebhooks() []string {
	if len(s.cfg.AllowedWebhooks) > 0 {
		return s.cfg.AllowedWebhooks
	}
	return eventTypes
}

// emit records an event and, where webhooks are on, its delivery; mu is held.
func (s *Server) emit(kind, badgeID, templateID string) {
	e := &event{
		Event:   Event{ID: uuid.NewString(), Type: kind, OccurredAt: s.now(), BadgeID: badgeID, TemplateID: templateID},
		badgeID: badgeID, templateID: templateID,
	}
	if b := s.badgeBy[badgeID]; b != nil {
		then := *b
		e.badge = &then
		// The badge's own time may be ahead of a clock that stands still.
		if b.UpdatedAt.After(e.OccurredAt) {
			e.OccurredAt = b.UpdatedAt
		}
	}
	if t := s.templateBy[templateID]; t != nil {
		then := *t
		e.template = &then
	}
	s.events = append(s.events, e)
	s.eventBy[e.ID] = e
	s.touch()
	if s.webhookURL == "" || !slices.Contains(s.allowedWebhooks(), kind) {
		return
	}
	body, err := json.Marshal(struct {
		ID           string `json:"id"`
		Organization string `json:"organization_id"`
		Type         string `json:"event_type"`
		OccurredAt   string `json:"occurred_at"`
	}{e.ID, s.cfg.OrganizationID, kind, stamp(e.OccurredAt)})
	if err != nil {
		// Strings always have a JSON form.
		return
	}
	d := &Delivery{
		EventID: e.ID, EventType: kind, BadgeID: badgeID, Stage: DeliveryWaiting,
		CreatedAt: s.now(), NextAt: s.now().Add(s.mischief.Late), Body: string(body),
	}
	s.deliveries = append(s.deliveries, d)
	if s.drop {
		d.Stage = DeliveryDropped
		return
	}
	s.queue = append(s.queue, d)
	s.wakeSender()
}

// Events returns all events in the order in which they occurred.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Event, 0, len(s.events))
	for _, e := range s.events {
		all = append(all, e.Event)
	}
	return all
}

// Deliveries returns the log of webhooks in the order of their creation.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyDeliveries(s.deliveries)
}

// Waiting returns the webhooks that wait to be sent or sent again; the
// indices of a Release refer to this list.
func (s *Server) Waiting() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyDeliveries(s.queue)
}

func copyDeliveries(from []*Delivery) []Delivery {
	all := make([]Delivery, 0, len(from))
	for _, d := range from {
		c := *d
		c.Attempts = slices.Clone(d.Attempts)
		all = append(all, c)
	}
	return all
}

// DropWebhooks loses every new webhook while on: it is never sent.
func (s *Server) DropWebhooks(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop = on
	s.touch()
}

// HoldWebhooks keeps every webhook back until ReleaseWebhooks.
func (s *Server) HoldWebhooks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = true
	s.touch()
}

// Release says how ReleaseWebhooks sends what was held.
type Release struct {
	// Order names waiting deliveries by index, see Waiting; an index may
	// repeat, and those not named follow in their own order.
	Order []int
	// Reversed sends the last first, after Order was applied.
	Reversed bool
	// Doubled sends everything twice in a row.
	Doubled bool
}

// ReleaseWebhooks ends the hold and sends all that waits, due or not, one
// after the other in the given order, before it returns. It returns how many
// were sent.
func (s *Server) ReleaseWebhooks(ctx context.Context, how Release) (int, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	var order []*Delivery
	named := map[int]bool{}
	for _, i := range how.Order {
		if i < 0 || i >= len(s.queue) {
			s.mu.Unlock()
			return 0, fmt.Errorf("release webhooks: %w", ErrUnknown)
		}
		order, named[i] = append(order, s.queue[i]), true
	}
	for i, d := range s.queue {
		if !named[i] {
			order = append(order, d)
		}
	}
	s.mu.Unlock()
	if how.Reversed {
		slices.Reverse(order)
	}
	if how.Doubled {
		twice := make([]*Delivery, 0, 2*len(order))
		for _, d := range order {
			twice = append(twice, d, d)
		}
		order = twice
	}
	for _, d := range order {
		s.post(ctx, d)
	}
	s.mu.Lock()
	s.hold = false
	s.touch()
	s.mu.Unlock()
	s.wakeSender()
	return len(order), nil
}

// Tick sends every webhook that is due by the clock and returns how many
// there were. It does nothing while webhooks are held.
func (s *Server) Tick(ctx context.Context) int {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	var due []*Delivery
	if !s.hold {
		now := s.clock.Now()
		for _, d := range s.queue {
			if !d.NextAt.After(now) {
				due = append(due, d)
			}
		}
	}
	s.mu.Unlock()
	due = s.muddle(due)
	for _, d := range due {
		s.post(ctx, d)
	}
	return len(due)
}

// post sends one webhook once and records what came of it. Only 200 counts;
// the caller holds sending but not mu.
func (s *Server) post(ctx context.Context, d *Delivery) {
	s.mu.Lock()
	target, body, at := s.webhookURL, d.Body, s.now()
	s.mu.Unlock()
	began := time.Now()
	status, err := s.postOnce(ctx, target, body)
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire.Tell(webhookExchange(at, d, target, status, took))
	a := Attempt{At: at, Status: status}
	if err != nil {
		a.Err = err.Error()
	}
	d.Attempts = append(d.Attempts, a)
	switch {
	case status == http.StatusOK:
		d.Stage = DeliveryDelivered
	case d.Stage == DeliveryDelivered:
		// A doubled one whose twin arrived is not sent again.
	case at.Sub(d.CreatedAt) >= retryFor:
		d.Stage = DeliveryGivenUp
	default:
		d.NextAt = at.Add(retryAfter[min(len(d.Attempts), len(retryAfter))-1])
	}
	if d.Stage != DeliveryWaiting {
		s.queue = slices.DeleteFunc(s.queue, func(have *Delivery) bool { return have == d })
	}
	s.touch()
}

func (s *Server) postOnce(ctx context.Context, target, body string) (int, error) {
	if target == "" {
		return 0, errors.New("no webhook url")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send webhook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	// Reading to the end lets the connection be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return resp.StatusCode, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, nil
}

// PostRaw posts any body to the webhook URL, as a forger would, and returns
// the answer's status.
func (s *Server) PostRaw(ctx context.Context, body []byte) (int, error) {
	s.mu.Lock()
	target := s.webhookURL
	s.mu.Unlock()
	return s.postOnce(ctx, target, string(bytes.Clone(body)))
}

func (s *Server) wakeSender() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// sendInBackground sends what is due when there is something new, when the
// clock was moved, and every second because the clock may run by itself.
func (s *Server) sendInBackground() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-s.stopped.Done():
			return
		case <-s.wake:
		case <-ticker.C:
		}
		s.Tick(s.stopped)
	}
}
