package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// clientOf is whose limits a request counts for: the address that it comes
// from, of IPv6 the network of one customer. Behind a proxy, which is known by
// its private address, it is the nearest public one that the proxies name;
// from the public internet nobody is believed.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	from, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	from = from.Unmap().WithZone("")
	if inside(from) {
		named := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(named) - 1; i >= 0 && inside(from); i-- {
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

func inside(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

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
