package credlysim

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// RefusedError is a validation that failed: 422 on the wire.
type RefusedError struct {
	// Reason stands after "Validation failed: ".
	Reason string
	// CurrentBadgeID is set when a badge was replaced before.
	CurrentBadgeID string
}

func (e *RefusedError) Error() string { return "Validation failed: " + e.Reason }

func refuse(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// IssueRequest is the body of issuing and replacing, see
// https://www.credly.com/docs/issued_badges. Times are strings because their
// form is checked.
type IssueRequest struct {
	RecipientEmail string          `json:"recipient_email"`
	FirstName      string          `json:"issued_to_first_name"`
	MiddleName     string          `json:"issued_to_middle_name"`
	LastName       string          `json:"issued_to_last_name"`
	TemplateID     string          `json:"badge_template_id"`
	IssuedAt       string          `json:"issued_at"`
	IssuerEarnerID *string         `json:"issuer_earner_id"`
	Locale         string          `json:"locale"`
	Suppress       *bool           `json:"suppress_badge_notification_email"`
	ExpiresAt      json.RawMessage `json:"expires_at"`
	Country        string          `json:"country_name"`
	Province       string          `json:"state_or_province"`
	Evidence       []IssueEvidence `json:"evidence"`
	IssuedTo       string          `json:"issued_to"`
	Message        string          `json:"notification_message"`
}

// IssueEvidence is one entry of evidence in a request; the two kinds use
// different fields.
type IssueEvidence struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	ID          string `json:"id"`
	Value       string `json:"value"`
}

// locales are the languages of Credly's mail.
var locales = []string{"en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR"}

// Issue issues a badge as the organization's user interface does. What is
// refused is a *RefusedError.
func (s *Server) Issue(r IssueRequest) (Badge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.issue(r)
	if err != nil {
		return Badge{}, err
	}
	return s.view(b), nil
}

func (s *Server) issue(r IssueRequest) (*badge, error) {
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"Recipient email", r.RecipientEmail},
		{"Issued to first name", r.FirstName},
		{"Issued to last name", r.LastName},
		{"Badge template", r.TemplateID},
		{"Issued at", r.IssuedAt},
	} {
		if strings.TrimSpace(f.value) == "" {
			missing = append(missing, f.name+" can't be blank")
		}
	}
	if len(missing) > 0 {
		return nil, refuse("%s", strings.Join(missing, ", "))
	}
	b := &badge{Badge: Badge{ID: uuid.NewString(), Locale: "en"}, acceptToken: strings.ReplaceAll(uuid.NewString(), "-", "")}
	if err := s.fill(b, r); err != nil {
		return nil, err
	}
	if err := s.checkDuplicate(b, nil); err != nil {
		return nil, err
	}
	s.insert(b)
	return b, nil
}

// fill checks what is given and puts it into the badge; mu is held.
func (s *Server) fill(b *badge, r IssueRequest) error {
	t := s.templateBy[r.TemplateID]
	switch {
	case t == nil:
		return refuse("Badge template is invalid")
	case t.State != "active":
		return refuse("Badge template must be active")
	case !validEmail(r.RecipientEmail):
		return refuse("Recipient email is invalid")
	case r.Locale != "" && !slices.Contains(locales, r.Locale):
		return refuse("Locale is not included in the list")
	}
	issued, err := parseSent(r.IssuedAt)
	if err != nil {
		return refuse("Issued at is invalid")
	}
	b.TemplateID, b.RecipientEmail, b.IssuedAt = t.ID, strings.TrimSpace(r.RecipientEmail), issued
	b.FirstName, b.MiddleName, b.LastName = r.FirstName, r.MiddleName, r.LastName
	if r.IssuerEarnerID != nil {
		b.IssuerEarnerID = *r.IssuerEarnerID
	}
	if r.Locale != "" {
		b.Locale = r.Locale
	}
	if r.Suppress != nil {
		b.Suppressed = *r.Suppress
	}
	b.Country, b.Province = r.Country, r.Province
	if b.ExpiresAt, err = expiry(r.ExpiresAt, issued, t.ValidFor); err != nil {
		return err
	}
	b.Evidence = nil
	for _, e := range r.Evidence {
		made := Evidence{ID: uuid.NewString(), Type: e.Type, Name: e.Name, Description: e.Description, Value: e.Value}
		switch e.Type {
		case "UrlEvidence":
			if !strings.HasPrefix(e.Value, "http://") && !strings.HasPrefix(e.Value, "https://") {
				return refuse("Evidence value must be a URL")
			}
		case "IdEvidence":
			if made.Name == "" {
				made.Name = e.Title
			}
			if e.ID != "" {
				made.ID = e.ID
			}
		default:
			return refuse("Evidence type is not included in the list")
		}
		b.Evidence = append(b.Evidence, made)
	}
	return nil
}

// expiry reads expires_at: nothing or null is the template's default, false
// is never, a string is a time.
func expiry(raw json.RawMessage, issued time.Time, validFor time.Duration) (time.Time, error) {
	switch string(raw) {
	case "", "null":
		if validFor == 0 {
			return time.Time{}, nil
		}
		return issued.Add(validFor), nil
	case "false":
		return time.Time{}, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, refuse("Expires at is invalid")
	}
	at, err := parseSent(text)
	if err != nil {
		return time.Time{}, refuse("Expires at is invalid")
	}
	if !at.After(issued) {
		return time.Time{}, refuse("Expires at must be after issued at")
	}
	return at, nil
}

// parseSent reads the documented form and ISO 8601.
func parseSent(text string) (time.Time, error) {
	var firstErr error
	for _, layout := range []string{"2006-01-02 15:04:05 -0700", time.RFC3339Nano, time.DateOnly} {
		t, err := time.Parse(layout, text)
		if err == nil {
			return t.UTC().Truncate(time.Millisecond), nil
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	return time.Time{}, fmt.Errorf("parse time: %w", firstErr)
}

func validEmail(text string) bool {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= 254
}

// checkDuplicate refuses a second badge of a template for one person: the
// same address, the same account by any of its addresses, or the same
// issuer_earner_id. Badges that were rejected, revoked or replaced do not
// stand in the way; neither does except. mu is held.
func (s *Server) checkDuplicate(b *badge, except *badge) error {
	if s.templateBy[b.TemplateID].AllowDuplicates {
		return nil
	}
	candidates := slices.Clone(s.byEmail[normal(b.RecipientEmail)])
	if a := s.ownerOf(b.RecipientEmail); a != nil {
		candidates = append(candidates, s.badgesOf(a)...)
	}
	if b.IssuerEarnerID != "" {
		candidates = append(candidates, s.byEarner[b.IssuerEarnerID]...)
	}
	for _, have := range candidates {
		if have == except || have.TemplateID != b.TemplateID || have.ReplacedBy != "" {
			continue
		}
		if have.State == StatePending || have.State == StateAccepted {
			return refuse("This badge has already been issued to this earner")
		}
	}
	return nil
}

// insert stores a new badge, accepts it where its owner wants that, and
// tells so; mu is held.
func (s *Server) insert(b *badge) {
	now := s.now()
	b.CreatedAt, b.UpdatedAt, b.StateUpdatedAt = now, now, now
	if b.State == "" {
		b.State = StatePending
	}
	s.badges = append(s.badges, b)
	s.badgeBy[b.ID] = b
	s.byEmail[normal(b.RecipientEmail)] = append(s.byEmail[normal(b.RecipientEmail)], b)
	if b.IssuerEarnerID != "" {
		s.byEarner[b.IssuerEarnerID] = append(s.byEarner[b.IssuerEarnerID], b)
	}
	s.byAccept[b.acceptToken] = b
	s.templateBy[b.TemplateID].issued++
	s.emit("badge.created", b.ID, "")
	if a := s.ownerOf(b.RecipientEmail); b.State == StatePending && a != nil && a.AutoAccept && a.primary().Confirmed {
		s.accept(b)
	}
}

// Replace replaces a badge by a corrected one and returns the new one. Empty
// fields are taken from the old badge. A badge that was replaced before is a
// *RefusedError that names the newest badge.
func (s *Server) Replace(badgeID string, r IssueRequest) (Badge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.replace(badgeID, r)
	if err != nil {
		return Badge{}, err
	}
	return s.view(b), nil
}

func (s *Server) replace(id string, r IssueRequest) (*badge, error) {
	old := s.badgeBy[id]
	if old == nil {
		return nil, ErrUnknown
	}
	if old.ReplacedBy != "" {
		newest := old
		for newest.ReplacedBy != "" && s.badgeBy[newest.ReplacedBy] != nil {
			newest = s.badgeBy[newest.ReplacedBy]
		}
		return nil, &RefusedError{
			Reason:         "This badge cannot be replaced because it has already been replaced.",
			CurrentBadgeID: newest.ID,
		}
	}
	if old.State != StatePending && old.State != StateAccepted {
		return nil, refuse("This badge cannot be replaced because it is %s.", old.State)
	}
	r.inherit(old)
	made := &badge{
		Badge:       Badge{ID: uuid.NewString(), Locale: old.Locale, Suppressed: old.Suppressed, Replaces: old.ID},
		acceptToken: strings.ReplaceAll(uuid.NewString(), "-", ""),
	}
	if err := s.fill(made, r); err != nil {
		return nil, err
	}
	if len(r.Evidence) == 0 {
		made.Evidence = slices.Clone(old.Evidence)
	}
	if err := s.checkDuplicate(made, old); err != nil {
		return nil, err
	}
	// What its earner accepted stays accepted when it is renewed for the
	// same address; another address decides anew.
	if old.State == StateAccepted && sameEmail(old.RecipientEmail, made.RecipientEmail) {
		made.State, made.Public = StateAccepted, old.Public
	}
	old.ReplacedBy, old.UpdatedAt = made.ID, s.after(old.UpdatedAt)
	s.insert(made)
	return made, nil
}

// inherit fills what a replacement does not say.
func (r *IssueRequest) inherit(old *badge) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&r.RecipientEmail, old.RecipientEmail},
		{&r.FirstName, old.FirstName},
		{&r.MiddleName, old.MiddleName},
		{&r.LastName, old.LastName},
		{&r.TemplateID, old.TemplateID},
		{&r.IssuedAt, stamp(old.IssuedAt)},
		{&r.Country, old.Country},
		{&r.Province, old.Province},
	} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if r.IssuerEarnerID == nil {
		r.IssuerEarnerID = &old.IssuerEarnerID
	}
	if len(r.ExpiresAt) == 0 && !old.ExpiresAt.IsZero() {
		r.ExpiresAt = json.RawMessage(`"` + stamp(old.ExpiresAt) + `"`)
	}
}

// Revoke withdraws a badge; it stays known as revoked.
func (s *Server) Revoke(badgeID, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoke(badgeID, reason)
}

func (s *Server) revoke(id, reason string) error {
	b := s.badgeBy[id]
	if b == nil {
		return ErrUnknown
	}
	if b.State == StateRevoked {
		return refuse("This badge has already been revoked.")
	}
	b.RevocationReason = reason
	s.setState(b, StateRevoked)
	return nil
}

// Delete erases a badge and every personal word that events kept of it.
func (s *Server) Delete(badgeID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.erase(badgeID)
}

func (s *Server) erase(id string) error {
	b := s.badgeBy[id]
	if b == nil {
		return ErrUnknown
	}
	same := func(have *badge) bool { return have == b }
	delete(s.badgeBy, id)
	delete(s.byAccept, b.acceptToken)
	s.badges = slices.DeleteFunc(s.badges, same)
	email := normal(b.RecipientEmail)
	s.byEmail[email] = slices.DeleteFunc(s.byEmail[email], same)
	s.byEarner[b.IssuerEarnerID] = slices.DeleteFunc(s.byEarner[b.IssuerEarnerID], same)
	for _, e := range s.events {
		if e.badgeID == id {
			e.badge = nil
		}
	}
	s.emit("badge.deleted", id, "")
	return nil
}
