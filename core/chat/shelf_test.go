package chat

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// shelf is a store of what single cards are made of.
type shelf struct {
	core.Store
	person  core.Person
	account core.Account
	handoff core.HandoffView
	badge   core.BadgeView
	badges  []core.BadgeView
	proof   core.Verification
	// reminder is what is remembered; postponed are the reminders taken back.
	reminder  core.ReminderView
	wishes    core.WishesView
	postponed []string
	call      core.Call
	templates []core.Template
	consents  []core.Consent
	failure   error
	// issue is a digest with what it tells, digests are those of a team.
	issue   core.DigestIssue
	facts   core.DigestFacts
	digests []core.Digest
	tasks   core.TaskFacts
}

func (s *shelf) Consents(context.Context, string) ([]core.Consent, error) {
	return slices.Clone(s.consents), s.failure
}

func (s *shelf) Celebrated(context.Context, string) ([]core.Consent, error) {
	return s.consents, s.failure
}

func (s *shelf) ReminderView(context.Context, string) (core.ReminderView, error) {
	return s.reminder, s.failure
}

func (s *shelf) PostponeReminder(_ context.Context, id string, _ bool, _ time.Time) error {
	s.postponed = append(s.postponed, id)
	return s.failure
}

func (s *shelf) WishesOf(context.Context, core.Identity) (core.WishesView, error) {
	return s.wishes, s.failure
}

func (s *shelf) SaveWishes(_ context.Context, _ core.Identity, w core.Wishes, _ time.Time) error {
	s.wishes.Wishes = w
	return s.failure
}

func (s *shelf) Person(context.Context, core.Identity) (core.Person, error) {
	return s.person, s.failure
}

func (s *shelf) Account(context.Context, string) (core.Account, error) { return s.account, s.failure }

func (s *shelf) HandoffView(context.Context, string) (core.HandoffView, error) {
	return s.handoff, s.failure
}

func (s *shelf) BadgeViewFor(context.Context, string, string) (core.BadgeView, error) {
	return s.badge, s.failure
}

func (s *shelf) BadgesOf(context.Context, string) ([]core.BadgeView, error) {
	return s.badges, s.failure
}

func (s *shelf) TaskFacts(context.Context, string) (core.TaskFacts, error) { return s.tasks, s.failure }

func (s *shelf) Verification(context.Context, string) (core.Verification, error) {
	return s.proof, s.failure
}

func (s *shelf) StartAction(context.Context, string, time.Time, time.Duration) (bool, error) {
	return true, nil
}

func (s *shelf) FinishAction(context.Context, string, time.Time) error {
	return errors.New("store away")
}

// provider is called Credly and trusts its own links.
type provider struct{ core.Provider }

func (provider) Name() string { return "Credly" }

func (provider) Capabilities() core.Capability { return core.TellsAcceptance | core.TellsVisibility }

func (provider) IssuerID() string { return "issuer-1" }

func (provider) TaskURL(k core.TaskKind, b core.Badge) string {
	if k == core.TaskPublic {
		return b.OwnerURL
	}
	return "https://www.credly.com/earner/dashboard"
}

func (provider) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/")
}
