package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestProxies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		given []string
		want  string
	}{
		{[]string{"10.1.2.3/24", " 203.0.113.7"}, "[10.1.2.0/24 203.0.113.7/32]"},
		{[]string{"2001:db8::7", "fd00::/8", "::ffff:10.0.0.1"}, "[2001:db8::7/128 fd00::/8 10.0.0.1/32]"},
		{[]string{"none"}, "[]"},
	} {
		got, err := (&Settings{TrustedProxies: tt.given}).proxies()
		if err != nil || got == nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%q: %v, %v", tt.given, got, err)
		}
	}
	usual, err := (&Settings{}).proxies()
	if err != nil || len(usual) == 0 || usual[0] != netip.MustParsePrefix("10.0.0.0/8") {
		t.Errorf("usually %v, %v", usual, err)
	}
	for _, wrong := range []string{"", "proxy", "10.0.0.0/33", "10.0.0.1:80", "0.0.0.0/0", "::/0", "fe80::1%eth0", "::ffff:10.0.0.0/104", "10.0.0.0/8 10.0.0.1"} {
		for _, given := range [][]string{{wrong}, {"none", wrong}, {"10.0.0.1", wrong}} {
			if got, err := (&Settings{TrustedProxies: given}).proxies(); err == nil || !strings.Contains(err.Error(), "TRUSTED_PROXIES") {
				t.Errorf("%q: %v, %v", given, got, err)
			}
		}
	}
}
