package credly

import (
	"net/url"
	"strings"

	"github.com/laurelbot/laurel/core"
)

var _ core.Signposts = (*Client)(nil)

// Credly's pages for earners. There are no known addresses of single settings:
// they are reached from the dashboard by the person's picture, see
// https://support.credly.com/hc/en-us/articles/360021220971 and
// https://support.credly.com/hc/en-us/articles/360021220951.
const (
	pageDashboard = "/earner/dashboard"
	// pageEarned, with a badge's id behind it, is the page of a badge that only
	// its owner sees.
	pageEarned = "/earner/earned/badge/"
	// partEdit behind the page of a person leads to where they show and hide
	// their badges.
	partEdit = "/edit#credly"
)

// IssuerID returns the id of the organization.
func (c *Client) IssuerID() string { return c.organization }

// TaskURL returns the page on which somebody does a task. A badge that is
// accepted is made public where its owner edits which badges are shown, or on
// the badge's own page where it is not known who that is.
func (c *Client) TaskURL(k core.TaskKind, b core.Badge) string {
	switch k {
	case core.TaskPublic:
		switch {
		case b.OwnerURL != "":
			return b.OwnerURL
		case validID(b.ProviderID):
			return c.site() + pageEarned + b.ProviderID
		}
		return ""
	case core.TaskProfile, core.TaskAuto, core.TaskAddress:
		return c.site() + pageDashboard
	default:
		return ""
	}
}

// site returns the origin of the pages that belong to the configured API, see
// https://www.credly.com/docs/web_service_api.
func (c *Client) site() string {
	switch c.base.Host {
	case "api.credly.com", "api.youracclaim.com":
		return "https://www.credly.com"
	case "sandbox-api.credly.com", "sandbox-api.youracclaim.com":
		return "https://sandbox.credly.com"
	}
	return c.base.Scheme + "://" + c.base.Host
}

// ownerPage returns where the owner of a badge edits which badges are shown,
// or "" where Credly does not tell who that is.
func (c *Client) ownerPage(u *userData) string {
	if u == nil {
		return ""
	}
	page, err := url.Parse(string(u.URL))
	if err != nil || !c.TrustedURL(string(u.URL)) {
		return ""
	}
	slug, ok := strings.CutPrefix(strings.TrimSuffix(page.Path, "/"), "/users/")
	if !ok || slug == "" || strings.Contains(slug, "/") {
		return ""
	}
	return page.Scheme + "://" + page.Host + "/users/" + url.PathEscape(slug) + partEdit
}
