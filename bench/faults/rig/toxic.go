package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Network is a proxy on the way to a server, which can do to connections what
// networks do (https://github.com/Shopify/toxiproxy#toxics).
type Network struct {
	proxy *toxiproxy.Proxy
}

// NewNetwork starts a proxy before a server.
func NewNetwork(upstream string) (*Network, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "network", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}
	return &Network{proxy: p}, nil
}

// Address is where it listens.
func (n *Network) Address() string { return n.proxy.Listen }

// Close cuts all connections and takes no new ones.
func (n *Network) Close() error {
	n.proxy.Stop()
	return nil
}

// Poison does something to all connections, in both directions, until Cure:
// kind is that of a toxic, e.g. timeout, latency, reset_peer.
func (n *Network) Poison(kind string, attributes map[string]any) error {
	for _, direction := range []string{"upstream", "downstream"} {
		text, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
		if err != nil {
			return fmt.Errorf("describe toxic: %w", err)
		}
		if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
			return fmt.Errorf("add toxic: %w", err)
		}
	}
	return nil
}

// Cure ends everything that Poison does.
func (n *Network) Cure(ctx context.Context) { n.proxy.Toxics.ResetToxics(ctx) }
