package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// formTargets are the origins to which accept links lead. They have to be
// named, because browsers hold the redirect that follows a form against
// form-action as well
// (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/form-action).
const formTargets = "https://credly.com https://*.credly.com"

func (p *Pages) setHeaders(h http.Header, v *view, nonce string) {
	h.Set("Content-Security-Policy", p.policy(v, nonce))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	if p.public.Scheme == "https" {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// policy allows a page what it needs: its own style and script, the badge's
// picture from its one origin, and its form.
func (p *Pages) policy(v *view, nonce string) string {
	parts := []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}
	if v == nil {
		return strings.Join(append(parts, "form-action 'none'"), "; ")
	}
	images, forms := "img-src 'self'", "form-action 'self'"
	if v.Verify != nil {
		// The picture of a verdict stands in the page: drawn anew here, and
		// of a document that is kept nowhere.
		images += " data:"
	}
	if v.ImageOrigin != "" {
		images += " " + v.ImageOrigin
	}
	if v.leads {
		forms += " " + strings.Join(append([]string{formTargets}, p.targets...), " ")
	}
	if v.towards != "" {
		forms += " " + v.towards
	}
	if v.anywhere {
		forms += " https:"
	}
	return strings.Join(append(parts,
		"style-src 'nonce-"+nonce+"'", "script-src 'nonce-"+nonce+"'", images, forms,
	), "; ")
}

// hostPattern is a host that can stand in a policy without being read as
// more of the policy.
var hostPattern = regexp.MustCompile(`^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$`)

// originOf returns scheme and host, or "" for what is not a web address.
func originOf(u *url.URL) string {
	if u.Scheme != "https" && u.Scheme != "http" || u.User != nil || !hostPattern.MatchString(u.Host) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// fromHere reports whether a button was pressed on a page of ours. The token
// in the path is what allows anything; this keeps other pages from pressing
// with a token that they were given. Browsers that do not tell where a
// request comes from send the origin "null", because of our referrer policy.
func (p *Pages) fromHere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "null" || origin == originOf(p.public)
}

// readBody reads what a form sent and forgets it; it returns the status that
// refuses it, or 0.
func readBody(w http.ResponseWriter, r *http.Request) int {
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	}
	return 0
}
