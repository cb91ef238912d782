package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate(3, 2)
	a1, ok1 := g.enter("a")
	_, ok2 := g.enter("a")
	_, ok3 := g.enter("a")
	b1, ok4 := g.enter("b")
	_, ok5 := g.enter("c")
	if !ok1 || !ok2 || ok3 || !ok4 || ok5 {
		t.Error("the wrong ones are let in")
	}
	a1()
	a1()
	b1()
	if g.within != 1 || len(g.by) != 1 {
		t.Errorf("%d within, %v", g.within, g.by)
	}
}

func TestClientOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ from, forwarded, want string }{
		{"203.0.113.1:80", "", "203.0.113.1"},
		{"203.0.113.1:80", "198.51.100.1", "203.0.113.1"},
		{"127.0.0.1:80", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:80", "192.0.2.1, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:80", "192.0.2.1, 198.51.100.1, 10.0.0.7", "198.51.100.1"},
		{"10.0.0.1:80", "nonsense", "10.0.0.1"},
		{"10.0.0.1:80", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1:80", "10.0.0.9", "10.0.0.9"},
		{"[2001:db8:1:2:3:4:5:6]:80", "", "2001:db8:1:2::"},
		{"[::1]:80", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"},
		{"[::ffff:203.0.113.1]:80", "", "203.0.113.1"},
		{"[fe80::1%eth0]:80", "", "fe80::"},
		{"203.0.113.1", "", "203.0.113.1"},
		{"@", "", ""},
		{"", "", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = tt.from
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		if got := proxies(PrivateNetworks()).clientOf(r); got != tt.want {
			t.Errorf("%s for %s: %q, want %q", tt.from, tt.forwarded, got, tt.want)
		}
	}
}

// Who is named a proxy is believed, and nobody else: behind a router that
// translates addresses everybody may come from a private one.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	const client = "198.51.100.1"
	for _, tt := range []struct {
		trusted  []netip.Prefix
		from     string
		believed bool
	}{
		{nil, "10.0.0.1:80", true},
		{nil, "203.0.113.1:80", false},
		{[]netip.Prefix{}, "10.0.0.1:80", false},
		{[]netip.Prefix{}, "127.0.0.1:80", false},
		{[]netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, "10.0.0.1:80", true},
		{[]netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, "[::ffff:10.0.0.1]:80", true},
		{[]netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}, "10.0.0.2:80", false},
		{[]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, "203.0.113.1:80", true},
		{[]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, "10.0.0.1:80", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = tt.from
		r.Header.Set("X-Forwarded-For", client)
		known := newVerifying(Config{TrustedProxies: tt.trusted}).proxies
		if got := known.clientOf(r); (got == client) != tt.believed {
			t.Errorf("%v of %v is %q", tt.from, tt.trusted, got)
		}
	}
}
