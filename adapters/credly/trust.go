package credly

import (
	"net/url"
	"strings"
)

// maxLink is the longest link that is shown, in bytes.
const maxLink = 2048

// trustedDomains are Credly's, today's and the one of its former name.
var trustedDomains = []string{"credly.com", "youracclaim.com"}

// TrustedURL reports whether a link leads to Credly: over https to its
// domains, or to exactly the scheme and host of the configured API, which
// may be a sandbox of its own.
func (c *Client) TrustedURL(link string) bool {
	if len(link) > maxLink || strings.ContainsFunc(link, unsafeInLink) {
		return false
	}
	u, err := url.Parse(link)
	// Comparing with the text itself leaves no room for two readings of it.
	if err != nil || u.User != nil || u.Opaque != "" || !hasOrigin(link, u) {
		return false
	}
	if u.Scheme == c.base.Scheme && u.Host == c.base.Host {
		return true
	}
	if u.Scheme != "https" {
		return false
	}
	host := strings.ToLower(u.Host)
	for _, domain := range trustedDomains {
		if host == domain || strings.HasSuffix(host, "."+domain) && validLabels(strings.TrimSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}

func unsafeInLink(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>^`{|}", r)
}

// hasOrigin reports whether the link begins with the origin that was read
// from it and ends there or goes on with a path.
func hasOrigin(link string, u *url.URL) bool {
	origin := u.Scheme + "://" + u.Host
	if len(link) < len(origin) || u.Host == "" || !strings.EqualFold(link[:len(origin)], origin) {
		return false
	}
	rest := link[len(origin):]
	return rest == "" || strings.ContainsRune("/?#", rune(rest[0]))
}

// validLabels reports whether s is made of labels of letters, digits and
// hyphens.
func validLabels(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || !validID(label) || strings.Contains(label, "_") {
			return false
		}
	}
	return true
}
