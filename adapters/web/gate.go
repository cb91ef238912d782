package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// proxies are the networks whose word is taken for who a client is.
type proxies []netip.Prefix

// PrivateNetworks are the networks that nobody on the public internet has an
// address of (https://www.iana.org/assignments/iana-ipv4-special-registry/,
// https://www.iana.org/assignments/iana-ipv6-special-registry/): the proxies
// that are believed unless others are named.
func PrivateNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
	}
}

// clientOf is whose limits a request counts for: the address that it comes
// from, of IPv6 the network of one customer. Behind a proxy that is known it is
// the nearest address that the proxies name and that is none of theirs; nobody
// else is believed.
func (known proxies) clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	from, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	from = from.Unmap().WithZone("")
	if known.hold(from) {
		named := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(named) - 1; i >= 0 && known.hold(from); i-- {
			next, err := netip.ParseAddr(strings.TrimSpace(named[i]))
			if err != nil {
				break
			}
			from = next.Unmap().WithZone("")
		}
	}
	if from.Is6() {
		if network, err := from.Prefix(64); err == nil {
			return network.Addr().String()
		}
	}
	return from.String()
}

func (known proxies) hold(a netip.Addr) bool {
	return slices.ContainsFunc(known, func(p netip.Prefix) bool { return p.Contains(a) })
}

// gate lets in a number at once, of each client fewer.
type gate struct {
	all, each int

	mu     sync.Mutex
	within int
	by     map[string]int
}

func newGate(all, each int) *gate { return &gate{all: all, each: each, by: map[string]int{}} }

// enter reports whether there is a place, and returns how it is given back.
func (g *gate) enter(client string) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.within >= g.all || g.by[client] >= g.each {
		return nil, false
	}
	g.within++
	g.by[client]++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.within--
		if g.by[client]--; g.by[client] == 0 {
			delete(g.by, client)
		}
	}), true
}
