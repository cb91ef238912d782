package core

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
)

// Outlet is a way by which a person shows a badge to others.
type Outlet string

// Outlets. No outlet tells whether anything was posted in the end.
const (
	// OutletProfile adds the badge to the person's profile at LinkedIn.
	OutletProfile  Outlet = "profile"
	OutletLinkedIn Outlet = "linkedin"
	OutletX        Outlet = "x"
	OutletFacebook Outlet = "facebook"
	OutletBluesky  Outlet = "bluesky"
	OutletThreads  Outlet = "threads"
	// OutletMastodon needs to know the person's own server.
	OutletMastodon Outlet = "mastodon"
	OutletMail     Outlet = "mail"
)

// AllOutlets returns every outlet in the order in which they are offered.
func AllOutlets() []Outlet {
	return []Outlet{
		OutletProfile, OutletLinkedIn, OutletX, OutletFacebook, OutletBluesky, OutletThreads, OutletMastodon, OutletMail,
	}
}

// Issuer is how the issuer is known where people show badges.
type Issuer struct {
	Name string
	// LinkedInID is the number of the issuer's page at LinkedIn, or empty.
	LinkedInID string
	// SupportURL is the page on which the issuer answers questions, SupportMail
	// the address for them; either may be empty.
	SupportURL, SupportMail string
}

// Showing is what is shown of a badge.
type Showing struct {
	// Name is the badge's name, Text the sentence of a post; in any script.
	Name, Text string
	// URL is the public page.
	URL string
	// CredentialID is what the badge or its certificate is known by.
	CredentialID string
	Issuer       Issuer
	// IssuedAt and ExpiresAt are zero where unknown or unlimited.
	IssuedAt, ExpiresAt time.Time
	// Server is the person's own, as [ParseServer] returns it, for
	// OutletMastodon alone.
	Server string
}

// Link returns where the person goes to show a badge, or "" where that is
// not known: for OutletMastodon without a server.
func (o Outlet) Link(s Showing) string {
	both := strings.TrimSpace(s.Text + "\n\n" + s.URL)
	switch o {
	case OutletProfile:
		return s.profile()
	case OutletLinkedIn:
		// LinkedIn takes the address alone and reads everything else from the
		// page (https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/plugins/share-plugin).
		return web("https://www.linkedin.com/sharing/share-offsite/", "url", s.URL)
	case OutletX:
		// https://developer.x.com/en/docs/x-for-websites/tweet-button/guides/web-intent
		return web("https://twitter.com/intent/tweet", "text", s.Text, "url", s.URL)
	case OutletFacebook:
		return web("https://www.facebook.com/sharer.php", "u", s.URL)
	case OutletBluesky:
		// https://docs.bsky.app/docs/advanced-guides/intent-links
		return web("https://bsky.app/intent/compose", "text", both)
	case OutletThreads:
		// https://developers.facebook.com/docs/threads/threads-web-intents
		return web("https://www.threads.net/intent/post", "text", s.Text, "url", s.URL)
	case OutletMastodon:
		if s.Server == "" {
			return ""
		}
		return web("https://"+s.Server+"/share", "text", both)
	case OutletMail:
		// Lines of a mail end in CRLF (https://www.rfc-editor.org/rfc/rfc6068#section-5).
		return "mailto:?" + query("subject", s.Name, "body", strings.ReplaceAll(both, "\n", "\r\n"))
	default:
		return ""
	}
}

// profile is LinkedIn's form for a licence or certification, filled in
// (https://addtoprofile.linkedin.com). Dates are those of UTC.
func (s Showing) profile() string {
	pairs := []string{"startTask", "CERTIFICATION_NAME", "name", s.Name}
	if isNumber(s.Issuer.LinkedInID) {
		pairs = append(pairs, "organizationId", s.Issuer.LinkedInID)
	} else {
		pairs = append(pairs, "organizationName", s.Issuer.Name)
	}
	month := func(prefix string, t time.Time) {
		if t.IsZero() {
			return
		}
		t = t.UTC()
		pairs = append(pairs, prefix+"Year", strconv.Itoa(t.Year()), prefix+"Month", strconv.Itoa(int(t.Month())))
	}
	month("issue", s.IssuedAt)
	month("expiration", s.ExpiresAt)
	return web("https://www.linkedin.com/profile/add", append(pairs, "certUrl", s.URL, "certId", s.CredentialID)...)
}

// isNumber reports whether s is a number that LinkedIn can have given.
func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

func web(base string, pairs ...string) string { return base + "?" + query(pairs...) }

// query encodes pairs of a name and a value in their order, without those
// that have no value. Spaces become %20, which every reader takes for a space;
// some leave a plus as it is (https://www.rfc-editor.org/rfc/rfc6068#section-5).
func query(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := strings.ToValidUTF8(pairs[i+1], "\ufffd"); value != "" {
			out = append(out, pairs[i]+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
		}
	}
	return strings.Join(out, "&")
}

// maxServer is the longest name of a server, in bytes
// (https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4).
const maxServer = 253

// ParseServer reads the name of a server as people write it: alone, as an
// address of the web, or at the end of their own name there. False for what is
// no name of a server; numbers and ports are none.
func ParseServer(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if len(text) > 4*maxServer {
		return "", false
	}
	text = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(text), "https://"), "http://")
	text, _, _ = strings.Cut(text, "/")
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		text = text[i+1:]
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(text, "."))
	if err != nil || len(host) > maxServer {
		return "", false
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || !strings.ContainsFunc(last, unicode.IsLetter) {
		return "", false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
			label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	return host, true
}
