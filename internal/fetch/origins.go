package fetch

import (
	"net"
	"net/netip"
	"net/url"
)

// origins are what an operator allows beside the rules: their schemes by the
// address that is dialled.
type origins map[string]string

// newOrigins reads them. What is no origin at an IP address allows nothing.
func newOrigins(list []string) origins {
	known := origins{}
	for _, one := range list {
		u, err := url.Parse(one)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			continue
		}
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			continue
		}
		known[dialledFor(u)] = u.Scheme
	}
	return known
}

// dialledFor is the address that is dialled for an origin at an IP address.
func dialledFor(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// have reports whether an address lies at one of the origins.
func (o origins) have(u *url.URL) bool {
	return u.User == nil && u.Opaque == "" && u.Scheme != "" && o[dialledFor(u)] == u.Scheme
}
