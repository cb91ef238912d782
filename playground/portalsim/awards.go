package portalsim

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The types of messages the portal sends.
const (
	AwardGranted   = "award.granted"
	AwardChanged   = "award.changed"
	AwardWithdrawn = "award.withdrawn"
	PersonErased   = "person.erased"
)

// ErrUnknown is an award or a message the portal does not have.
var ErrUnknown = errors.New("unknown at the portal")

// Award is one template awarded to one person.
type Award struct {
	// ID is made up when empty.
	ID         string `json:"award_id"`
	Email      string `json:"email"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	Locale     string `json:"locale"`
	TemplateID string `json:"badge_template_id"`
	// IssuedAt is now when zero.
	IssuedAt time.Time `json:"issued_at"`
	// ExpiresAt is zero when the award never expires.
	ExpiresAt         time.Time `json:"expires_at"`
	CertificateNumber string    `json:"certificate_number"`
	CertificateURL    string    `json:"certificate_url"`
}

// awardData is an award as it is sent.
type awardData struct {
	AwardID   string `json:"award_id"`
	Recipient struct {
		Email     string `json:"email"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		Locale    string `json:"locale"`
	} `json:"recipient"`
	TemplateID  string       `json:"badge_template_id"`
	IssuedAt    time.Time    `json:"issued_at"`
	ExpiresAt   *time.Time   `json:"expires_at"`
	Certificate *certificate `json:"certificate"`
}

type certificate struct {
	Number string `json:"number"`
	URL    string `json:"url"`
}

func (a Award) data() awardData {
	d := awardData{AwardID: a.ID, TemplateID: a.TemplateID, IssuedAt: a.IssuedAt.UTC()}
	d.Recipient.Email, d.Recipient.Locale = a.Email, a.Locale
	d.Recipient.FirstName, d.Recipient.LastName = a.FirstName, a.LastName
	if !a.ExpiresAt.IsZero() {
		at := a.ExpiresAt.UTC()
		d.ExpiresAt = &at
	}
	if a.CertificateNumber != "" || a.CertificateURL != "" {
		d.Certificate = &certificate{Number: a.CertificateNumber, URL: a.CertificateURL}
	}
	return d
}

// Grant awards and tells so. The message is returned with what came of it;
// the error is that of the sending.
func (s *Server) Grant(ctx context.Context, a Award, opts ...Option) (Message, error) {
	s.mu.Lock()
	if a.ID == "" {
		a.ID = "award-" + uuid.NewString()
	}
	if a.IssuedAt.IsZero() {
		a.IssuedAt = s.clock.Now().Truncate(time.Second)
	}
	s.keep(a)
	s.mu.Unlock()
	return s.send(ctx, AwardGranted, a.data(), opts)
}

// Record keeps an award and tells nobody: it reached the app another way, in
// a file.
func (s *Server) Record(a Award) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(a)
}

// Change replaces an award by id and tells so.
func (s *Server) Change(ctx context.Context, a Award, opts ...Option) (Message, error) {
	s.mu.Lock()
	was, ok := s.awards[a.ID]
	if !ok {
		s.mu.Unlock()
		return Message{}, ErrUnknown
	}
	if a.IssuedAt.IsZero() {
		a.IssuedAt = was.IssuedAt
	}
	s.keep(a)
	s.mu.Unlock()
	return s.send(ctx, AwardChanged, a.data(), opts)
}

// Withdraw takes an award back and tells so.
func (s *Server) Withdraw(ctx context.Context, awardID string, opts ...Option) (Message, error) {
	s.mu.Lock()
	a, ok := s.awards[awardID]
	if !ok {
		s.mu.Unlock()
		return Message{}, ErrUnknown
	}
	s.forget(awardID)
	s.mu.Unlock()
	return s.send(ctx, AwardWithdrawn, a.data(), opts)
}

// ErasePerson forgets everything about an address and tells so.
func (s *Server) ErasePerson(ctx context.Context, email string, opts ...Option) (Message, error) {
	s.mu.Lock()
	for _, a := range s.list() {
		if strings.EqualFold(a.Email, email) {
			s.forget(a.ID)
		}
	}
	s.mu.Unlock()
	return s.send(ctx, PersonErased, struct {
		Email string `json:"email"`
	}{email}, opts)
}

// Awards returns what stands, in the order in which it was granted.
func (s *Server) Awards() []Award {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list()
}

func (s *Server) list() []Award {
	all := []Award{}
	for _, id := range s.order {
		all = append(all, s.awards[id])
	}
	return all
}

func (s *Server) keep(a Award) {
	if _, known := s.awards[a.ID]; !known {
		s.order = append(s.order, a.ID)
	}
	s.awards[a.ID] = a
	s.touch()
}

func (s *Server) forget(id string) {
	delete(s.awards, id)
	for i, have := range s.order {
		if have == id {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			break
		}
	}
	s.touch()
}
