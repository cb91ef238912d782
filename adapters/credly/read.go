package credly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/laurelbot/laurel/core"
)

// errTooMany says that a list is longer than it is followed.
var errTooMany = errors.New("too many badges to search")

// Get reads one badge. Whether Credly has an endpoint for one badge is
// unconfirmed: where it answers 404 or 405 the badge is looked for in the
// list of badges, until the endpoint has answered once.
func (c *Client) Get(ctx context.Context, providerID string) (core.Observation, error) {
	if !validID(providerID) {
		return core.Observation{}, fmt.Errorf("read badge: %w", core.ErrNoSuchBadge)
	}
	known := c.memory.singleRead()
	if known != singleMissing {
		a, err := c.do(ctx, call{
			name: "badge", method: http.MethodGet, url: c.path("badges", providerID), permission: "read issued_badges",
		})
		switch {
		case err == nil:
			c.memory.setSingleRead(singleWorks)
			return c.readOne(a)
		case !hasStatus(err, http.StatusNotFound, http.StatusMethodNotAllowed):
			return core.Observation{}, fmt.Errorf("read badge: %w", err)
		case known == singleWorks && hasStatus(err, http.StatusNotFound):
			return core.Observation{}, fmt.Errorf("read badge: %w", core.ErrNoSuchBadge)
		}
	}
	o, err := c.find(ctx, providerID)
	if err != nil {
		return core.Observation{}, fmt.Errorf("find badge: %w", err)
	}
	// The badge is there although it could not be read alone.
	c.memory.setSingleRead(singleMissing)
	return o, nil
}

// readOne decodes the envelope of one badge.
func (c *Client) readOne(a answer) (core.Observation, error) {
	var got struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(a.body, &got) != nil {
		return core.Observation{}, errors.New("decode answer")
	}
	b, err := decodeBadge(got.Data)
	if err != nil {
		return core.Observation{}, err
	}
	return c.observe(b, a.at), nil
}

// find looks for a badge in the list. No filter for badge ids is known, so
// it narrows by the earner's id where that was seen before, and else goes
// through the pending badges first, which are the ones somebody waits for.
func (c *Client) find(ctx context.Context, id string) (core.Observation, error) {
	var found *core.Observation
	look := func(page []core.Observation) bool {
		for i := range page {
			if page[i].ProviderID == id {
				found = &page[i]
			}
		}
		return found == nil
	}
	var queries []url.Values
	if q, ok := filter("issuer_earner_id", c.memory.earner(id)); ok {
		queries = append(queries, q)
	}
	pending, _ := filter("state", "pending")
	queries = append(queries, pending, nil)
	complete := false
	for i, query := range queries {
		_, _, all, err := c.listBadges(ctx, "find", query, look)
		if found != nil {
			return *found, nil
		}
		if err != nil && (!errors.Is(err, core.ErrRefused) || i == len(queries)-1) {
			return core.Observation{}, err
		}
		complete = all
	}
	if !complete {
		return core.Observation{}, errTooMany
	}
	return core.Observation{}, core.ErrNoSuchBadge
}

// ForPerson reads the badges of the account that owns the address, whatever
// address each was issued to; where Credly refuses that filter, only those
// issued to the address itself. An address that Credly's filters cannot
// express is [core.ErrRefused].
func (c *Client) ForPerson(ctx context.Context, address core.Email) ([]core.Observation, error) {
	asked := address.Shown
	if asked == "" {
		asked = address.Normal
	}
	found, err := c.forAddress(ctx, asked, address.Normal)
	if err == nil && len(found) == 0 && asked != address.Normal {
		found, err = c.forAddress(ctx, address.Normal, address.Normal)
	}
	if err != nil {
		return nil, fmt.Errorf("read badges of a person: %w", err)
	}
	return found, nil
}

func (c *Client) forAddress(ctx context.Context, asked, normal string) ([]core.Observation, error) {
	account, ok := filter("recipient_email_all", asked)
	if !ok {
		return nil, fmt.Errorf("%w: address not possible in a filter", core.ErrRefused)
	}
	found, users, complete, err := c.listBadges(ctx, "person", account, nil)
	// Badges of several users mean that the filter was not understood.
	if err == nil && users <= 1 {
		c.warnIncomplete(complete)
		return found, nil
	}
	if err != nil && !errors.Is(err, core.ErrRefused) && !hasStatus(err, http.StatusBadRequest) {
		return nil, err
	}
	exact, _ := filter("recipient_email", asked)
	found, _, complete, err = c.listBadges(ctx, "person", exact, nil)
	if err != nil {
		return nil, err
	}
	c.warnIncomplete(complete)
	var own []core.Observation
	for _, o := range found {
		if o.Recipient.Normal == normal {
			own = append(own, o)
		}
	}
	return own, nil
}

func (c *Client) warnIncomplete(complete bool) {
	if !complete {
		c.log.Warn("credly: list cut off", "pages", maxPages)
	}
}

// Templates reads all active templates.
func (c *Client) Templates(ctx context.Context) ([]core.Template, error) {
	query, _ := filter("state", "active")
	query.Set("sort", "name")
	k := call{name: "templates", url: c.path("badge_templates"), permission: "read badge_templates"}
	entries, complete, err := c.list(ctx, k, query, nil)
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	c.warnIncomplete(complete)
	var all []core.Template
	var data []templateData
	for _, e := range entries {
		var t templateData
		if json.Unmarshal(e.raw, &t) != nil || t.ID == "" {
			c.log.Warn("credly: unreadable template in list")
			continue
		}
		data = append(data, t)
		if t.State == "" || t.State == "active" {
			all = append(all, t.template())
		}
	}
	c.memory.learnTemplates(data)
	return all, nil
}
