package credly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// sentLayout is the documented form of times in requests, see
// https://www.credly.com/docs/issued_badges.
const sentLayout = "2006-01-02 15:04:05 -0700"

// issueBody is the body of issuing and replacing, see
// https://www.credly.com/docs/issued_badges.
type issueBody struct {
	RecipientEmail string     `json:"recipient_email"`
	FirstName      string     `json:"issued_to_first_name"`
	LastName       string     `json:"issued_to_last_name"`
	TemplateID     string     `json:"badge_template_id"`
	IssuedAt       string     `json:"issued_at"`
	IssuerEarnerID string     `json:"issuer_earner_id,omitempty"`
	Locale         string     `json:"locale,omitempty"`
	Suppress       bool       `json:"suppress_badge_notification_email"`
	ExpiresAt      string     `json:"expires_at,omitempty"`
	Evidence       []evidence `json:"evidence,omitempty"`
}

// evidence is a link, or a number when there is no link.
type evidence struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	ID          string `json:"id,omitempty"`
	Value       string `json:"value,omitempty"`
}

func (c *Client) issueBody(r core.IssueRequest) issueBody {
	issued := r.IssuedAt
	if issued.IsZero() {
		issued = c.clock.Now()
	}
	b := issueBody{
		RecipientEmail: r.Recipient.Shown,
		FirstName:      r.FirstName,
		LastName:       r.LastName,
		TemplateID:     r.TemplateID,
		IssuedAt:       issued.UTC().Format(sentLayout),
		IssuerEarnerID: r.ExternalID,
		Locale:         mailLocale(r.Locale),
		Suppress:       c.suppressMail,
	}
	if b.RecipientEmail == "" {
		b.RecipientEmail = r.Recipient.Normal
	}
	if !r.ExpiresAt.IsZero() {
		b.ExpiresAt = r.ExpiresAt.UTC().Format(sentLayout)
	}
	switch name := strings.TrimSpace("Certificate " + r.Certificate.Number); {
	case r.Certificate.URL != "":
		b.Evidence = []evidence{{Type: "UrlEvidence", Name: name, Value: r.Certificate.URL}}
	case r.Certificate.Number != "":
		b.Evidence = []evidence{{
			Type: "IdEvidence", Name: "Certificate", Title: "Certificate",
			Description: r.Certificate.Number, ID: r.Certificate.Number,
		}}
	}
	return b
}

// Issue issues a badge. Credly has no idempotency key; what makes a repeated
// call harmless is issuer_earner_id: Credly refuses a second badge of the
// same template and earner with 422, and the first one is looked up. Where
// it is not certain that Credly refuses, the look-up comes first.
func (c *Client) Issue(ctx context.Context, r core.IssueRequest) (core.Observation, error) {
	if !c.memory.refusesDuplicates(r.TemplateID) {
		o, err := c.issued(ctx, r, false)
		if err != nil {
			return core.Observation{}, fmt.Errorf("look for issued badge: %w", err)
		}
		if o != nil {
			return *o, nil
		}
	}
	o, err := c.write(ctx, call{name: "issue", url: c.path("badges")}, r)
	if err == nil {
		return o, nil
	}
	if !errors.Is(err, core.ErrRefused) {
		return core.Observation{}, fmt.Errorf("issue badge: %w", err)
	}
	have, lookErr := c.issued(ctx, r, true)
	if lookErr != nil {
		return core.Observation{}, fmt.Errorf("look for issued badge: %w", lookErr)
	}
	if have != nil {
		return *have, nil
	}
	return core.Observation{}, fmt.Errorf("issue badge: %w", err)
}

// write posts a badge and decodes the one that came of it. The exact form of
// evidence is unconfirmed: a badge refused for it is sent without.
func (c *Client) write(ctx context.Context, k call, r core.IssueRequest) (core.Observation, error) {
	body := c.issueBody(r)
	k.method, k.body, k.permission = http.MethodPost, body, "write issued_badges"
	a, err := c.do(ctx, k)
	if len(body.Evidence) > 0 && errors.Is(err, core.ErrRefused) && strings.Contains(strings.ToLower(err.Error()), "evidence") {
		c.log.Warn("credly: evidence refused, sending badge without")
		body.Evidence = nil
		k.body = body
		a, err = c.do(ctx, k)
	}
	if err != nil {
		return core.Observation{}, withoutPerson(err, r)
	}
	return c.readOne(a)
}

// issued looks for the badge that r asks for: by the earner's id, then by
// the address. Badges that ended count only when asked for. It returns nil
// when there is none.
func (c *Client) issued(ctx context.Context, r core.IssueRequest, withEnded bool) (*core.Observation, error) {
	usable := func(o core.Observation) bool {
		return o.Template.ID == r.TemplateID && (withEnded || !o.Stage.Ended())
	}
	if q, ok := filter("issuer_earner_id", r.ExternalID, "badge_template_id", r.TemplateID); ok {
		found, _, _, err := c.listBadges(ctx, "duplicate", q, nil)
		if err != nil && !errors.Is(err, core.ErrRefused) {
			return nil, err
		}
		o := best(found, func(o core.Observation) bool { return usable(o) && o.ExternalID == r.ExternalID })
		if o != nil {
			return o, nil
		}
	}
	if !withEnded {
		// Without a refusal only the same award is the same badge.
		return nil, nil
	}
	address := r.Recipient.Shown
	if address == "" {
		address = r.Recipient.Normal
	}
	q, ok := filter("recipient_email", address, "badge_template_id", r.TemplateID)
	if !ok {
		return nil, nil
	}
	found, _, _, err := c.listBadges(ctx, "duplicate", q, nil)
	if err != nil && !errors.Is(err, core.ErrRefused) {
		return nil, err
	}
	return best(found, func(o core.Observation) bool {
		return usable(o) && o.Recipient.Normal == r.Recipient.Normal
	}), nil
}

// best returns the badge that counts among those that fit: one that has not
// ended before one that has, then the latest.
func best(all []core.Observation, fits func(core.Observation) bool) *core.Observation {
	all = slices.DeleteFunc(slices.Clone(all), func(o core.Observation) bool { return !fits(o) })
	if len(all) == 0 {
		return nil
	}
	o := slices.MaxFunc(all, func(a, b core.Observation) int {
		if a.Stage.Ended() != b.Stage.Ended() {
			if a.Stage.Ended() {
				return -1
			}
			return 1
		}
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ProviderID, b.ProviderID))
	})
	return &o
}

// Replace moves a pending badge to another address. Credly would replace an
// accepted badge as well and take it from its earner's hands, so the badge is
// read before. A badge that was replaced before is followed to the newest
// one, once.
func (c *Client) Replace(ctx context.Context, providerID string, r core.IssueRequest) (core.Observation, error) {
	o, err := c.Get(ctx, providerID)
	if err == nil && o.Stage == core.StageReplaced && validID(o.ReplacedBy) {
		o, err = c.Get(ctx, o.ReplacedBy)
	}
	if err != nil {
		return core.Observation{}, fmt.Errorf("replace badge: %w", err)
	}
	made, current, err := c.replace(ctx, o, r)
	if err != nil && current != "" && current != o.ProviderID {
		if o, err = c.Get(ctx, current); err == nil {
			made, _, err = c.replace(ctx, o, r)
		}
	}
	if err != nil {
		return core.Observation{}, fmt.Errorf("replace badge: %w", err)
	}
	return made, nil
}

// replace replaces the badge that was read as o, or returns it when it is
// already what is asked for. Current is the newest badge's id where Credly
// says that o was replaced before.
func (c *Client) replace(ctx context.Context, o core.Observation, r core.IssueRequest) (made core.Observation, current string, err error) {
	if o.Stage != core.StagePending {
		return core.Observation{}, "", fmt.Errorf("%w: badge is %s", core.ErrRefused, o.Stage)
	}
	if o.Recipient.Normal == r.Recipient.Normal && o.Template.ID == r.TemplateID {
		return o, "", nil
	}
	made, err = c.write(ctx, call{name: "replace", url: c.path("badges", o.ProviderID, "replace")}, r)
	var refused *statusError
	if errors.As(err, &refused) && refused.status == http.StatusUnprocessableEntity {
		return core.Observation{}, refused.current, err
	}
	if hasStatus(err, http.StatusNotFound) {
		err = core.ErrNoSuchBadge
	}
	return made, "", err
}

// Revoke takes a badge back; already revoked is not an error.
func (c *Client) Revoke(ctx context.Context, providerID, reason string) error {
	if !validID(providerID) {
		return fmt.Errorf("revoke badge: %w", core.ErrNoSuchBadge)
	}
	if reason == "" {
		reason = "Withdrawn by the issuer"
	}
	_, err := c.do(ctx, call{
		name: "revoke", method: http.MethodPut, url: c.path("badges", providerID, "revoke"), permission: "write issued_badges",
		body: map[string]any{"reason": reason, "suppress_revoke_notification_email": c.suppressMail},
	})
	switch {
	case err == nil:
		return nil
	case hasStatus(err, http.StatusNotFound):
		return fmt.Errorf("revoke badge: %w", core.ErrNoSuchBadge)
	case errors.Is(err, core.ErrRefused):
		o, readErr := c.Get(ctx, providerID)
		if readErr != nil {
			return fmt.Errorf("revoke badge: %w", readErr)
		}
		if o.Stage == core.StageRevoked {
			return nil
		}
	}
	return fmt.Errorf("revoke badge: %w", err)
}
