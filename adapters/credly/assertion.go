package credly

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/laurelbot/laurel/core"
)

var _ core.Hosting = (*Client)(nil)

// maxAssertion is the largest assertion that is read, in bytes.
const maxAssertion = 256 << 10

// AssertionURL returns where Credly hosts the Open Badges assertion of a
// badge, see https://www.credly.com/docs/obi_specified_endpoints.
func (c *Client) AssertionURL(providerID string) string {
	if !validID(providerID) {
		return ""
	}
	return c.base.String() + "/obi/v2/badge_assertions/" + providerID
}

// Assertion reads it without credentials, as everybody can. Where the badge is
// private, pending or revoked, Credly's answer is not documented: every answer
// of 4xx but a call to slow down counts as "not there for everybody".
func (c *Client) Assertion(ctx context.Context, providerID string) ([]byte, error) {
	address := c.AssertionURL(providerID)
	if address == "" {
		return nil, fmt.Errorf("read assertion: %w", core.ErrNoSuchBadge)
	}
	a, err := c.public(ctx, "assertion", address, maxAssertion, true)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read assertion: %w", err)
	case a.status == http.StatusTooManyRequests:
		return nil, fmt.Errorf("read assertion: %w", c.failure(a, ""))
	case a.status >= 400 && a.status < 500:
		return nil, fmt.Errorf("read assertion: %w", core.ErrNoSuchBadge)
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("read assertion: %w", &statusError{status: a.status})
	}
	var found map[string]json.RawMessage
	if json.Unmarshal(a.body, &found) != nil || bytes.Equal(bytes.TrimSpace(found["revoked"]), []byte("true")) {
		return nil, fmt.Errorf("read assertion: %w", core.ErrNoSuchBadge)
	}
	return a.body, nil
}
