package portalsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// Event is a message that the portal received and believed.
type Event struct {
	// ID is the webhook-id; an event is recorded once for each.
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
	// Times is how often it came.
	Times   int       `json:"times"`
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// Refusal is a message that the portal did not take.
type Refusal struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Status int       `json:"status"`
	Reason string    `json:"reason"`
}

// Fault is misbehaviour on order towards those who send events.
type Fault struct {
	// Times is how often; 0 is once, negative until ClearFaults.
	Times int `json:"times"`
	// Status is answered without taking the event, when set.
	Status int `json:"status"`
	// RetryAfter is said with Status, in whole seconds.
	RetryAfter time.Duration `json:"retry_after"`
	// Delay is waited before anything else, in real time.
	Delay time.Duration `json:"delay"`
	// DropAnswer takes the event and cuts the connection; DropBefore cuts
	// it without taking the event.
	DropAnswer bool `json:"drop_answer"`
	DropBefore bool `json:"drop_before"`
}

// Fail orders misbehaviour.
func (s *Server) Fail(f Fault) *simfault.Order { return s.faults.Add(f, f.Times) }

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.faults.Clear() }

// Received returns the events in the order of their first arrival.
func (s *Server) Received() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Refused returns what was not taken, in order.
func (s *Server) Refused() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// receive takes one event.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "event is too large")
		return
	}
	fault, _ := s.faults.Take(func(Fault) bool { return true })
	if !simfault.Pause(r.Context(), fault.Delay) {
		return
	}
	switch {
	case fault.DropBefore:
		s.note(r, 0, "connection cut on order")
		simfault.HangUp(w)
		return
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
		}
		s.refuse(w, r, fault.Status, "refused on order")
		return
	}
	if err := s.in.Verify(r.Header, body, s.clock.Now()); err != nil {
		s.refuse(w, r, http.StatusUnauthorized, err.Error())
		return
	}
	e, err := decodeEvent(body)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	e.ID = r.Header.Get(HeaderID)
	s.record(e)
	if fault.DropAnswer {
		simfault.HangUp(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// errEvent is a body that is no event.
var errEvent = errors.New("body is not {type, timestamp, data}")

func decodeEvent(body []byte) (Event, error) {
	var e struct {
		Type      string          `json:"type"`
		Timestamp string          `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Type == "" || len(e.Data) == 0 || e.Data[0] != '{' {
		return Event{}, errEvent
	}
	if _, err := time.Parse(time.RFC3339Nano, e.Timestamp); err != nil {
		return Event{}, errEvent
	}
	return Event{Type: e.Type, Timestamp: e.Timestamp, Data: e.Data}, nil
}

func (s *Server) record(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	i := slices.IndexFunc(s.received, func(have Event) bool { return have.ID == e.ID })
	if i >= 0 {
		s.received[i].Times++
		s.received[i].LastAt = now
	} else {
		e.Times, e.FirstAt, e.LastAt = 1, now, now
		s.received = append(s.received, e)
	}
	s.tell(Exchange{Type: e.Type, Body: string(e.Data), Status: http.StatusNoContent})
	s.touch()
}

func (s *Server) note(r *http.Request, status int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, Refusal{At: s.clock.Now(), ID: r.Header.Get(HeaderID), Status: status, Reason: reason})
	s.tell(Exchange{Type: reason, Status: status})
	s.touch()
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.note(r, status, reason)
	http.Error(w, reason, status)
}
