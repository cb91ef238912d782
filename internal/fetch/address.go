package fetch

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"code.dny.dev/ssrf"
)

// maxURLBytes is the longest address that is fetched.
const maxURLBytes = 4096

// check holds an address against the rules that need no name server: what a
// name resolves to is checked when it is dialled.
func (c *Client) check(u *url.URL) error {
	switch {
	case c.also.have(u):
		return nil
	case u.Scheme != "https" && (u.Scheme != "http" || !c.allowHTTP):
		return fmt.Errorf("%w: not https", ErrForbidden)
	case u.User != nil:
		return fmt.Errorf("%w: carries a user name", ErrForbidden)
	case u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("%w: no host", ErrForbidden)
	}
	switch port := u.Port(); {
	case port == "":
		// An empty port with a colon is odd, and nothing real needs it.
		if strings.HasSuffix(u.Host, ":") {
			return fmt.Errorf("%w: unusual port", ErrForbidden)
		}
	case u.Scheme == "https" && port == "443", u.Scheme == "http" && port == "80":
	default:
		return fmt.Errorf("%w: unusual port", ErrForbidden)
	}
	return checkHost(u.Hostname())
}

// checkHost refuses addresses that are private as they stand, so that the
// verdict is the same whatever the name server says.
func checkHost(host string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" || ssrf.New().SafeAddr(ip) != nil {
			return fmt.Errorf("%w: private address", ErrForbidden)
		}
		return nil
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case !strings.Contains(host, "."):
		return fmt.Errorf("%w: no public name", ErrForbidden)
	case strings.Contains(host, ".."), len(host) > 253:
		return fmt.Errorf("%w: malformed name", ErrForbidden)
	// Names that RFC 6761, RFC 6762 and RFC 8375 keep out of the public tree.
	case last == "localhost", last == "local", last == "internal", last == "onion", last == "arpa":
		return fmt.Errorf("%w: no public name", ErrForbidden)
	// Old resolvers read 127.1 and 0x7f.1 as addresses; no public name ends
	// in a number (RFC 3696, section 2).
	case last == "" || last[0] >= '0' && last[0] <= '9':
		return fmt.Errorf("%w: malformed name", ErrForbidden)
	}
	return nil
}

// parse reads an address as a person or a document gives it.
func (c *Client) parse(raw string) (*url.URL, error) {
	if len(raw) > maxURLBytes {
		return nil, fmt.Errorf("%w: too long", ErrForbidden)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed", ErrForbidden)
	}
	u.Fragment, u.RawFragment = "", ""
	if err := c.check(u); err != nil {
		return nil, err
	}
	return u, nil
}
