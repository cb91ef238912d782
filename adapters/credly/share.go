package credly

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

var _ core.Showcase = (*Client)(nil)

const (
	// issuerFor is how long the issuer's own data is believed, issuerAgain
	// how long after a failure it is asked for again.
	issuerFor   = 6 * time.Hour
	issuerAgain = time.Minute
	// issuerWithin is what somebody waits for it who is on the way to LinkedIn.
	issuerWithin = 3 * time.Second
)

// issuer is what Credly says about the organization.
type issuer struct {
	mu    sync.Mutex
	known core.Issuer
	until time.Time
}

// Issuer returns the name, the number of LinkedIn's page and where questions are
// answered, as Credly has them of the organization, see
// https://www.credly.com/docs/organizations. Where Credly does not answer it
// returns what was known last.
func (c *Client) Issuer(ctx context.Context) core.Issuer {
	now := c.clock.Now()
	c.issuer.mu.Lock()
	known, fresh := c.issuer.known, now.Before(c.issuer.until)
	if !fresh {
		// Others do not wait for the same answer.
		c.issuer.until = now.Add(issuerAgain)
	}
	c.issuer.mu.Unlock()
	if fresh {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, issuerWithin)
	defer cancel()
	a, err := c.do(ctx, call{
		name: "organization", method: http.MethodGet, url: c.base.String() + "/organizations/" + c.organization,
		permission: "read organizations",
	})
	if err != nil {
		c.log.WarnContext(ctx, "credly: read organization", "err", err)
		return known
	}
	told, ok := decodeIssuer(a.body)
	if !ok {
		c.log.WarnContext(ctx, "credly: unreadable organization")
		return known
	}
	c.issuer.mu.Lock()
	defer c.issuer.mu.Unlock()
	c.issuer.known, c.issuer.until = told, now.Add(issuerFor)
	return told
}

// organizationData is the part of an organization that is used.
type organizationData struct {
	Name         text `json:"name"`
	LinkedInName text `json:"linked_in_name"`
	LinkedInID   text `json:"linked_in_org_id"`
	SupportURL   text `json:"support_url"`
	SupportMail  text `json:"support_email"`
}

// decodeIssuer reads an organization, alone or as the only entry of a list.
func decodeIssuer(body []byte) (core.Issuer, bool) {
	var got struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &got) != nil {
		return core.Issuer{}, false
	}
	var o organizationData
	if json.Unmarshal(got.Data, &o) != nil {
		var list []organizationData
		if json.Unmarshal(got.Data, &list) != nil || len(list) != 1 {
			return core.Issuer{}, false
		}
		o = list[0]
	}
	name := o.LinkedInName
	if name == "" {
		name = o.Name
	}
	return core.Issuer{
		Name: string(name), LinkedInID: string(o.LinkedInID), SupportURL: page(string(o.SupportURL)), SupportMail: mailbox(string(o.SupportMail)),
	}, name != ""
}

// page returns the address of a page that everybody can open, or "".
func page(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// mailbox returns an address that mail can be sent to, or "".
func mailbox(address string) string {
	e, err := core.ParseEmail(address)
	if err != nil {
		return ""
	}
	return e.Shown
}

// Embed returns the code that Credly's own pages offer for a badge.
func (c *Client) Embed(b core.Badge) string {
	if !validID(b.ProviderID) {
		return ""
	}
	return `<div data-iframe-width="150" data-iframe-height="270" data-share-badge-id="` + html.EscapeString(b.ProviderID) +
		`" data-share-badge-host="https://www.credly.com"></div>` +
		`<script type="text/javascript" async src="//cdn.credly.com/assets/utilities/embed.js"></script>`
}
