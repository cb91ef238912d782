package openbadges

import (
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// Where http is allowed, addresses are asked as they stand.
func TestPlainHTTPWhenTold(t *testing.T) {
	t.Parallel()
	plain := func(d doc) doc {
		for _, name := range []string{"id", "badge", "issuer"} {
			if s, ok := d[name].(string); ok {
				d[name] = strings.Replace(s, "https:", "http:", 1)
			}
		}
		return d
	}
	httpOf := func(s string) string { return strings.Replace(s, "https:", "http:", 1) }
	w := newWorld(map[string]page{
		httpOf(assertionURL): {body: plain(someAssertion())}, httpOf(classURL): {body: plain(someClass())}, httpOf(issuerURL): {body: plain(someIssuer())},
	})
	q := core.BadgeQuery{Link: httpOf(assertionURL)}
	wantStatus(t, w.verifier().Verify(t.Context(), q), core.VerdictUnreachable)
	v := New(Options{Client: fetch.New(fetch.Options{Transport: w, AllowHTTP: true}), Clock: &fixed{at: present}})
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
}

// The cache forgets what was not used for longest.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache(2, time.Minute)
	for _, key := range []string{"a", "b"} {
		c.put(key, doc{"id": key}, key, present)
	}
	c.get("a", present)
	c.put("c", doc{}, "c", present)
	c.put("c", doc{"id": "c"}, "c", present)
	for key, want := range map[string]bool{"a": true, "b": false, "c": true} {
		if _, _, ok := c.get(key, present); ok != want {
			t.Errorf("%s remembered: %t, want %t", key, ok, want)
		}
	}
	if _, _, ok := c.get("a", present.Add(-time.Second)); ok {
		t.Error("remembered before it was put")
	}
}
