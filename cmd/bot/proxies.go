package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/laurelbot/laurel/adapters/web"
)

// noProxies is the value of TRUSTED_PROXIES that believes nobody.
const noProxies = "none"

// proxies reads TRUSTED_PROXIES.
func (s *Settings) proxies() ([]netip.Prefix, error) {
	switch {
	case len(s.TrustedProxies) == 0:
		return web.PrivateNetworks(), nil
	case len(s.TrustedProxies) == 1 && strings.TrimSpace(s.TrustedProxies[0]) == noProxies:
		return []netip.Prefix{}, nil
	}
	known := make([]netip.Prefix, 0, len(s.TrustedProxies))
	for _, text := range s.TrustedProxies {
		network, ok := parseNetwork(strings.TrimSpace(text))
		if !ok {
			return nil, fmt.Errorf("TRUSTED_PROXIES: %q is neither an address nor a network such as 10.1.2.0/24", text)
		}
		if network.Bits() == 0 {
			return nil, fmt.Errorf("TRUSTED_PROXIES: %q is everybody", text)
		}
		known = append(known, network)
	}
	return known, nil
}

func (s *Settings) checkProxies() error {
	_, err := s.proxies()
	return err
}

// parseNetwork reads a network, or one address.
func parseNetwork(text string) (network netip.Prefix, ok bool) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), err == nil && a.Zone() == ""
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err == nil && !network.Addr().Is4In6()
}
