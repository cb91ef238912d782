package credlysim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Registration says what kind of account Register makes.
type Registration struct {
	FirstName, LastName string
	// MoreEmails are further, confirmed addresses.
	MoreEmails []string
	// Unconfirmed leaves the primary address unconfirmed.
	Unconfirmed bool
	// PrivateProfile hides the whole profile, and so every badge on it.
	PrivateProfile bool
}

// Register makes an account, or returns ErrTaken when one of the addresses
// belongs to an account.
func (s *Server) Register(email string, r Registration) (Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.register(email, r)
	if err != nil {
		return Account{}, err
	}
	return a.copy(), nil
}

func (s *Server) register(email string, r Registration) (*account, error) {
	all := append([]string{email}, r.MoreEmails...)
	for _, e := range all {
		if !validEmail(e) {
			return nil, fmt.Errorf("register: %w", ErrUnknown)
		}
		if s.accountBy[normal(e)] != nil {
			return nil, fmt.Errorf("register: %w", ErrTaken)
		}
	}
	id := uuid.NewString()
	a := &account{Account{
		ID: id, FirstName: r.FirstName, LastName: r.LastName,
		Slug:          slug(r.FirstName+" "+r.LastName) + "." + id[:8],
		PublicProfile: !r.PrivateProfile,
	}}
	for i, e := range all {
		a.Addresses = append(a.Addresses, Address{Email: strings.TrimSpace(e), Confirmed: i > 0 || !r.Unconfirmed})
		s.accountBy[normal(e)] = a
	}
	s.accounts = append(s.accounts, a)
	s.touch()
	return a, nil
}

func (a *account) copy() Account {
	c := a.Account
	c.Addresses = slices.Clone(a.Addresses)
	return c
}

// Account returns the account to which an address belongs.
func (s *Server) Account(email string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil {
		return Account{}, false
	}
	return a.copy(), true
}

// AddEmail adds a further address to the account that has email.
func (s *Server) AddEmail(email, further string, confirmed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil || !validEmail(further) {
		return fmt.Errorf("add address: %w", ErrUnknown)
	}
	if s.accountBy[normal(further)] != nil {
		return fmt.Errorf("add address: %w", ErrTaken)
	}
	a.Addresses = append(a.Addresses, Address{Email: strings.TrimSpace(further), Confirmed: confirmed})
	s.accountBy[normal(further)] = a
	s.touch()
	return nil
}

// ConfirmEmail does what the link in Credly's verification mail does.
func (s *Server) ConfirmEmail(email string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil {
		return fmt.Errorf("confirm address: %w", ErrUnknown)
	}
	for i := range a.Addresses {
		if sameEmail(a.Addresses[i].Email, email) {
			a.Addresses[i].Confirmed = true
		}
	}
	s.touch()
	return nil
}

// SetProfilePublic shows or hides the whole profile of an account. Credly
// tells nobody about it.
func (s *Server) SetProfilePublic(email string, public bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil {
		return fmt.Errorf("set profile: %w", ErrUnknown)
	}
	a.PublicProfile = public
	s.touch()
	return nil
}

// SetAutoAccept is the switch in Settings > Organizations. It is there only
// once the organization has issued a badge to the account: ErrNotOffered.
func (s *Server) SetAutoAccept(email string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil {
		return fmt.Errorf("set auto-accept: %w", ErrUnknown)
	}
	if on && len(s.badgesOf(a)) == 0 {
		return fmt.Errorf("set auto-accept: %w", ErrNotOffered)
	}
	a.AutoAccept = on
	s.touch()
	return nil
}

// Accept does what the Accept button does. A person without an account gets
// one for the badge's address first. Accepting twice is ErrState.
func (s *Server) Accept(badgeID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.decidable(badgeID)
	if err != nil {
		return fmt.Errorf("accept badge: %w", err)
	}
	s.accept(b)
	return nil
}

// Reject does what the Reject button does. It cannot be taken back.
func (s *Server) Reject(badgeID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.decidable(badgeID)
	if err != nil {
		return fmt.Errorf("reject badge: %w", err)
	}
	s.setState(b, StateRejected)
	return nil
}

// decidable finds a badge its earner can decide on, making the account that
// the earner needs for it; mu is held.
func (s *Server) decidable(id string) (*badge, error) {
	b := s.badgeBy[id]
	switch {
	case b == nil:
		return nil, ErrUnknown
	case !b.claimable():
		return nil, ErrState
	}
	a := s.accountBy[normal(b.RecipientEmail)]
	if a == nil {
		var err error
		if a, err = s.register(b.RecipientEmail, Registration{FirstName: b.FirstName, LastName: b.LastName}); err != nil {
			return nil, err
		}
	}
	if !a.holds(b.RecipientEmail) || !a.primary().Confirmed {
		return nil, ErrUnconfirmed
	}
	return b, nil
}

func (s *Server) accept(b *badge) {
	b.Public = s.cfg.PublicOnAccept
	s.setState(b, StateAccepted)
}

// setState moves a badge and tells so; mu is held.
func (s *Server) setState(b *badge, state string) {
	at := s.after(b.UpdatedAt)
	b.State, b.StateUpdatedAt, b.UpdatedAt = state, at, at
	s.emit("badge.state.changed", b.ID, "")
}

// SetPublic is the switch "Make badge public/private" of an accepted badge.
func (s *Server) SetPublic(badgeID string, public bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.badgeBy[badgeID]
	switch {
	case b == nil:
		return fmt.Errorf("set visibility: %w", ErrUnknown)
	case b.State != StateAccepted:
		return fmt.Errorf("set visibility: %w", ErrState)
	case b.Public == public:
		return nil
	}
	b.Public, b.UpdatedAt = public, s.after(b.UpdatedAt)
	s.emit("badge.privacy.changed", b.ID, "")
	return nil
}

// visible tells whether anyone may see the badge: it, its template and the
// profile of its owner must be public; mu is held.
func (s *Server) visible(b *badge) bool {
	if b.State != StateAccepted || !b.Public {
		return false
	}
	if t := s.templateBy[b.TemplateID]; t != nil && t.Private {
		return false
	}
	a := s.ownerOf(b.RecipientEmail)
	return a == nil || a.PublicProfile
}

func slug(name string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			out.WriteRune(r)
		case r == ' ' || r == '-':
			out.WriteByte('-')
		}
	}
	if out.Len() == 0 {
		return "person"
	}
	return out.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
