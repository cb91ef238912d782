package credly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// eventData is an event as it is delivered or fetched, see
// https://www.credly.com/docs/webhooks. Which object a badge event carries,
// if any, is unconfirmed.
type eventData struct {
	ID             text      `json:"id"`
	OrganizationID text      `json:"organization_id"`
	Type           text      `json:"event_type"`
	Badge          *badgeRef `json:"badge"`
	BadgeID        text      `json:"badge_id"`
	Data           *struct {
		Badge *badgeRef `json:"badge"`
	} `json:"data"`
}

type badgeRef struct {
	ID text `json:"id"`
}

// badge returns the id of the badge that the event carries, or "".
func (e eventData) badge() string {
	var id text
	switch {
	case e.Badge != nil && e.Badge.ID != "":
		id = e.Badge.ID
	case e.BadgeID != "":
		id = e.BadgeID
	case e.Data != nil && e.Data.Badge != nil:
		id = e.Data.Badge.ID
	}
	if !validID(string(id)) {
		return ""
	}
	return string(id)
}

// eventKind sorts event types.
type eventKind int

const (
	unknownEvent eventKind = iota
	badgeEvent
	templateEvent
)

func (e eventData) kind() eventKind {
	switch {
	case strings.HasPrefix(string(e.Type), "badge."):
		return badgeEvent
	case strings.HasPrefix(string(e.Type), "badge_template."):
		return templateEvent
	}
	return unknownEvent
}

var errNotAnEvent = errors.New("not an event of this organization")

// decodeEvent reads a delivered body. Its errors do not repeat it.
func decodeEvent(payload []byte) (eventData, error) {
	var e eventData
	if json.Unmarshal(payload, &e) != nil || !validID(string(e.ID)) {
		return eventData{}, errors.New("decode event")
	}
	return e, nil
}

func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// Event resolves a delivered webhook to the badge it is about. Nothing of
// the delivery is believed: deliveries are not signed, so the event is
// fetched by its id with our own credentials. [core.ErrNoSuchBadge] means
// that Credly does not know the event: it was forged, or it is another
// organization's.
func (c *Client) Event(ctx context.Context, payload []byte) (string, error) {
	delivered, err := decodeEvent(payload)
	if err != nil {
		return "", fmt.Errorf("%w: %w", core.ErrNoSuchBadge, err)
	}
	if !sameID(string(delivered.OrganizationID), c.organization) {
		return "", fmt.Errorf("%w: %w", core.ErrNoSuchBadge, errNotAnEvent)
	}
	if !c.aboutBadge(delivered) {
		return "", nil
	}
	a, err := c.do(ctx, call{
		name: "event", method: http.MethodGet, url: c.path("events", string(delivered.ID)), permission: "read events",
	})
	if hasStatus(err, http.StatusNotFound) {
		return "", fmt.Errorf("read event: %w", core.ErrNoSuchBadge)
	}
	if err != nil {
		return "", fmt.Errorf("read event: %w", err)
	}
	var got struct {
		Data *eventData `json:"data"`
	}
	if json.Unmarshal(a.body, &got) != nil || got.Data == nil {
		return "", errors.New("read event: decode answer")
	}
	fetched := *got.Data
	if org := string(fetched.OrganizationID); org != "" && !sameID(org, c.organization) {
		return "", fmt.Errorf("%w: %w", core.ErrNoSuchBadge, errNotAnEvent)
	}
	if fetched.Type != "" && !c.aboutBadge(fetched) {
		return "", nil
	}
	if id := fetched.badge(); id != "" {
		return id, nil
	}
	return c.hinted(ctx, delivered)
}

// aboutBadge tells whether the event concerns a badge, and counts those that
// nobody here knows.
func (c *Client) aboutBadge(e eventData) bool {
	switch e.kind() {
	case badgeEvent:
		return true
	case unknownEvent:
		c.metrics.unknownEvents.Inc()
	case templateEvent:
	}
	return false
}

// hinted takes the badge that a delivery names, after reading it as one of
// our own. Without one the badge stays unknown until the next reconciliation.
func (c *Client) hinted(ctx context.Context, delivered eventData) (string, error) {
	hint := delivered.badge()
	if hint == "" {
		c.log.Warn("credly: event names no badge", "event", string(delivered.ID))
		return "", nil
	}
	o, err := c.Get(ctx, hint)
	if err != nil {
		return "", fmt.Errorf("read badge of event: %w", err)
	}
	return o.ProviderID, nil
}
