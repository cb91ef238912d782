package credly

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

// badgeData is the part of an issued badge that is used, see
// https://www.credly.com/docs/issued_badges. New fields may appear at any
// time and are ignored.
type badgeData struct {
	ID                 text         `json:"id"`
	State              text         `json:"state"`
	Public             flag         `json:"public"`
	Locale             text         `json:"locale"`
	RecipientEmail     text         `json:"recipient_email"`
	FirstName          text         `json:"issued_to_first_name"`
	LastName           text         `json:"issued_to_last_name"`
	IssuerEarnerID     text         `json:"issuer_earner_id"`
	IssuedAt           moment       `json:"issued_at"`
	IssuedAtDate       moment       `json:"issued_at_date"`
	ExpiresAt          moment       `json:"expires_at"`
	ExpiresAtDate      moment       `json:"expires_at_date"`
	CreatedAt          moment       `json:"created_at"`
	UpdatedAt          moment       `json:"updated_at"`
	StateUpdatedAt     moment       `json:"state_updated_at"`
	AcceptBadgeURL     text         `json:"accept_badge_url"`
	BadgeURL           text         `json:"badge_url"`
	ReplacementBadgeID text         `json:"replacement_badge_id"`
	User               *userData    `json:"user"`
	Template           templateData `json:"badge_template"`
}

type userData struct {
	ID text `json:"id"`
	// Email is the account's primary address.
	Email text `json:"email"`
	// URL is the page of the profile.
	URL text `json:"url"`
}

// templateData is the part of a badge template that is used, see
// https://www.credly.com/docs/badge_templates.
type templateData struct {
	ID              text  `json:"id"`
	Name            text  `json:"name"`
	Description     text  `json:"description"`
	State           text  `json:"state"`
	ImageURL        text  `json:"image_url"`
	AllowDuplicates *bool `json:"allow_duplicate_badges"`
	Image           *struct {
		URL text `json:"url"`
	} `json:"image"`
}

// decodeBadge reads one badge. Its errors do not repeat what was read.
func decodeBadge(raw []byte) (badgeData, error) {
	var b badgeData
	if json.Unmarshal(raw, &b) != nil {
		return badgeData{}, errors.New("decode badge")
	}
	if !validID(string(b.ID)) {
		return badgeData{}, errors.New("decode badge: no id")
	}
	return b, nil
}

func (t templateData) template() core.Template {
	image := t.ImageURL
	if image == "" && t.Image != nil {
		image = t.Image.URL
	}
	return core.Template{ID: string(t.ID), Name: string(t.Name), Description: string(t.Description), ImageURL: string(image)}
}

// observe turns a badge as it was read at the given moment into what core
// knows.
func (c *Client) observe(b badgeData, at time.Time) core.Observation {
	c.memory.learn(b)
	o := core.Observation{
		ProviderID: string(b.ID),
		ExternalID: string(b.IssuerEarnerID),
		FirstName:  string(b.FirstName),
		LastName:   string(b.LastName),
		Locale:     string(b.Locale),
		Template:   b.Template.template(),
		Stage:      b.stage(),
		IssuedAt:   firstSet(b.IssuedAt, b.IssuedAtDate),
		ExpiresAt:  firstSet(b.ExpiresAt, b.ExpiresAtDate),
		BadgeURL:   string(b.BadgeURL),
		OwnerURL:   c.ownerPage(b.User),
		ReplacedBy: string(b.ReplacementBadgeID),
		At:         latest(b.StateUpdatedAt, b.UpdatedAt, b.CreatedAt),
		ReadAt:     at,
	}
	// A recipient that is no address belongs to nobody here.
	o.Recipient, _ = core.ParseEmail(string(b.RecipientEmail))
	if o.Stage == core.StagePending {
		o.AcceptURL = string(b.AcceptBadgeURL)
	}
	if o.Stage == core.StageUnknown {
		c.log.Warn("credly: unknown badge state", "badge", o.ProviderID, "state", clean(string(b.State)))
	}
	return o
}

// stage maps what Credly tells. It has no state for replaced badges.
func (b badgeData) stage() core.Stage {
	if b.ReplacementBadgeID != "" {
		return core.StageReplaced
	}
	switch b.State {
	case "pending":
		return core.StagePending
	case "accepted":
		if b.Public {
			return core.StagePublic
		}
		return core.StageAccepted
	case "rejected":
		return core.StageRejected
	case "revoked":
		return core.StageRevoked
	}
	return core.StageUnknown
}

func firstSet(all ...moment) time.Time {
	for _, m := range all {
		if !m.IsZero() {
			return m.Time
		}
	}
	return time.Time{}
}

func latest(all ...moment) time.Time {
	var last time.Time
	for _, m := range all {
		if m.After(last) {
			last = m.Time
		}
	}
	return last
}

// text is a string that may be null or, for ids, a number. Anything else is
// read as empty.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		*t = text(n)
	}
	return nil
}

// flag is true for true and "true", false for everything else.
type flag bool

// UnmarshalJSON never fails.
func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = string(raw) == "true" || string(raw) == `"true"`
	return nil
}

// moment is a time in one of the forms Credly uses; null, false and what
// cannot be read are the zero time.
type moment struct{ time.Time }

// momentLayouts are the forms in which Credly sends and takes times.
var momentLayouts = []string{time.RFC3339Nano, sentLayout, "2006-01-02 15:04:05 MST", time.DateOnly}

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(raw []byte) error {
	m.Time = time.Time{}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil
	}
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}
