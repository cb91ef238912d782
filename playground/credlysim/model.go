package credlysim

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The states of a badge. There is none for expired or replaced badges.
const (
	StatePending  = "pending"
	StateAccepted = "accepted"
	StateRejected = "rejected"
	StateRevoked  = "revoked"
)

// What acting as a person or as the organization can meet.
var (
	ErrUnknown     = errors.New("unknown at credly")
	ErrState       = errors.New("not possible in the badge's state")
	ErrUnconfirmed = errors.New("address is not confirmed")
	ErrTaken       = errors.New("address belongs to an account")
	ErrNotOffered  = errors.New("auto-accept is offered only after a first badge")
)

// Template is what can be earned, as given to AddTemplate.
type Template struct {
	// ID is a UUID, made up when empty.
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// State is active (the default), archived or draft.
	State           string   `json:"state"`
	Private         bool     `json:"private"`
	AllowDuplicates bool     `json:"allow_duplicates"`
	Skills          []string `json:"skills"`
	ReportingTags   []string `json:"reporting_tags"`
	// Requires lists templates that must be earned before.
	Requires []string `json:"requires"`
	// ValidFor is the default lifetime of a badge; zero is for ever.
	ValidFor time.Duration `json:"valid_for"`
}

type template struct {
	Template
	imageID, activityID, alignmentID, recommendationID string

	created, updated time.Time
	issued           int
}

// Evidence is one entry of a badge's evidence.
type Evidence struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Value       string `json:"value"`
}

// Badge is what is known of one issued badge.
type Badge struct {
	ID             string     `json:"id"`
	TemplateID     string     `json:"badge_template_id"`
	State          string     `json:"state"`
	Public         bool       `json:"public"`
	RecipientEmail string     `json:"recipient_email"`
	FirstName      string     `json:"issued_to_first_name"`
	MiddleName     string     `json:"issued_to_middle_name"`
	LastName       string     `json:"issued_to_last_name"`
	IssuerEarnerID string     `json:"issuer_earner_id"`
	Locale         string     `json:"locale"`
	Suppressed     bool       `json:"suppress_badge_notification_email"`
	Country        string     `json:"country"`
	Province       string     `json:"state_or_province"`
	Evidence       []Evidence `json:"evidence"`
	IssuedAt       time.Time  `json:"issued_at"`
	// ExpiresAt is zero when the badge never expires.
	ExpiresAt        time.Time `json:"expires_at"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
	StateUpdatedAt   time.Time `json:"state_updated_at"`
	ReplacedBy       string    `json:"replacement_badge_id"`
	Replaces         string    `json:"replaces_badge_id"`
	RevocationReason string    `json:"revocation_reason"`
	// AcceptURL is empty unless the badge can be accepted now.
	AcceptURL string `json:"accept_badge_url"`
	// PublicURL is the badge's own page, whether or not anyone may see it.
	PublicURL string `json:"badge_url"`
	// OBIURL is the address of the public assertion.
	OBIURL string `json:"obi_url"`
}

type badge struct {
	Badge
	acceptToken string
}

// claimable tells whether the person can still accept or reject.
func (b *badge) claimable() bool { return b.State == StatePending && b.ReplacedBy == "" }

// Address is one e-mail address of an account.
type Address struct {
	Email     string `json:"email"`
	Confirmed bool   `json:"confirmed"`
}

// Account is a person at Credly. The first address is the primary one.
type Account struct {
	ID            string    `json:"id"`
	FirstName     string    `json:"first_name"`
	LastName      string    `json:"last_name"`
	Slug          string    `json:"slug"`
	Addresses     []Address `json:"addresses"`
	PublicProfile bool      `json:"public_profile"`
	AutoAccept    bool      `json:"auto_accept"`
}

type account struct{ Account }

func (a *account) primary() *Address { return &a.Addresses[0] }

// holds tells whether badges sent to the address belong to the account: the
// primary address always, another only when confirmed.
func (a *account) holds(email string) bool {
	for i, have := range a.Addresses {
		if sameEmail(have.Email, email) {
			return i == 0 || have.Confirmed
		}
	}
	return false
}

func normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func sameEmail(a, b string) bool { return normal(a) == normal(b) }

// ownerOf returns the account to which badges for the address belong, or
// nil; mu is held.
func (s *Server) ownerOf(email string) *account {
	a := s.accountBy[normal(email)]
	if a == nil || !a.holds(email) {
		return nil
	}
	return a
}

// badgesOf returns the badges of all addresses an account holds; mu is held.
func (s *Server) badgesOf(a *account) []*badge {
	var all []*badge
	for _, addr := range a.Addresses {
		if a.holds(addr.Email) {
			all = append(all, s.byEmail[normal(addr.Email)]...)
		}
	}
	return all
}

// now is Credly's time in its own resolution, milliseconds.
func (s *Server) now() time.Time { return s.clock.Now().UTC().Truncate(time.Millisecond) }

// after is now, but always later than the badge's previous change, as it
// would be where time cannot stand still.
func (s *Server) after(previous time.Time) time.Time {
	now := s.now()
	if !now.After(previous) {
		return previous.Add(time.Millisecond)
	}
	return now
}

// AddTemplate adds a badge template and returns it with its id.
func (s *Server) AddTemplate(t Template) Template {
	if t.ID == "" {
		t.ID = uuid.NewString()
	}
	if t.State == "" {
		t.State = "active"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	made := &template{
		Template: t, created: now, updated: now,
		imageID: uuid.NewString(), activityID: uuid.NewString(), alignmentID: uuid.NewString(), recommendationID: uuid.NewString(),
	}
	s.templates = append(s.templates, made)
	s.templateBy[t.ID] = made
	s.emit("badge_template.created", "", t.ID)
	return t
}

// Templates returns all templates in the order of their creation.
func (s *Server) Templates() []Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Template, 0, len(s.templates))
	for _, t := range s.templates {
		all = append(all, t.Template)
	}
	return all
}

// Badge returns one badge; false when there is none with this id.
func (s *Server) Badge(id string) (Badge, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.badgeBy[id]
	if b == nil {
		return Badge{}, false
	}
	return s.view(b), true
}

// Badges returns all badges in the order of their creation.
func (s *Server) Badges() []Badge {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Badge, 0, len(s.badges))
	for _, b := range s.badges {
		all = append(all, s.view(b))
	}
	return all
}

// BadgesFor returns the badges that were issued to exactly this address.
func (s *Server) BadgesFor(email string) []Badge {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Badge{}
	for _, b := range s.byEmail[normal(email)] {
		all = append(all, s.view(b))
	}
	return all
}

// view copies a badge for the outside; mu is held.
func (s *Server) view(b *badge) Badge {
	v := b.Badge
	v.Evidence = slices.Clone(b.Evidence)
	if b.claimable() {
		v.AcceptURL = s.base + "/go/" + b.acceptToken
	}
	v.PublicURL = s.base + "/badges/" + b.ID
	v.OBIURL = s.assertionURL(b.ID)
	return v
}
