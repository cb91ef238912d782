package openbadges

import (
	"context"
	"maps"
	"runtime"
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

// However large what is remembered is, it takes little memory all together.
func TestCacheIsLight(t *testing.T) {
	t.Parallel()
	values := func(n int) doc {
		list := make([]any, n)
		for i := range list {
			list[i] = doc{}
		}
		return doc{"x": list}
	}
	c := newCache(cacheSize, time.Minute)
	for i := range cacheSize {
		c.put(strings.Repeat("x", i), values(1000), "", present)
	}
	if c.weight > cacheBytes || c.order.Len() != len(c.entries) || c.order.Len() < 10 {
		t.Errorf("%d bytes in %d documents", c.weight, len(c.entries))
	}
	if _, _, ok := c.get(strings.Repeat("x", cacheSize-1), present); !ok {
		t.Error("the last one is forgotten")
	}
	// One that is too large is not remembered, and pushes none out.
	before := len(c.entries)
	c.put("y", values(5000), "", present)
	if _, _, ok := c.get("y", present); ok || len(c.entries) != before {
		t.Errorf("remembered: %t, and %d of %d others", ok, len(c.entries), before)
	}
	for key := range maps.Clone(c.entries) {
		c.get(key, present.Add(time.Minute))
	}
	if c.weight != 0 || c.order.Len() != 0 {
		t.Errorf("%d bytes are left", c.weight)
	}
}

// Long lists are read a few at a time, of all verifications together.
func TestLongListsWait(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const address = "https://example.org/revocations"
	long := make([]any, maxDocumentBytes/50)
	for i := range long {
		long[i] = "https://example.org/credentials/" + strings.Repeat("x", 30)
	}
	w := newWorld(map[string]page{address: {body: doc{"revokedCredential": long}}})
	d := prove(t, with(someCredential(), doc{"credentialStatus": doc{"id": address, "type": "1EdTechRevocationList"}}), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
	v := w.verifier()
	for range listsAtOnce {
		v.lists <- struct{}{}
	}
	q := fileOf(t, d)
	done := make(chan core.Verdict, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- v.Verify(ctx, q) }()
	for w.times(address) == 0 {
		runtime.Gosched()
	}
	cancel()
	wantStatus(t, <-done, core.VerdictUnreachable)
	<-v.lists
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
	if len(v.lists) != listsAtOnce-1 {
		t.Errorf("%d turns are taken", len(v.lists))
	}
}

// What a document takes in memory depends on its values, not on its length.
func TestValuesAreBounded(t *testing.T) {
	t.Parallel()
	objects := func(n int) []byte { return []byte(`{"x":[` + strings.Repeat(`{},`, n) + `1]}`) }
	for _, tt := range []struct {
		n, limit int
		fits     bool
	}{{9_000, maxDocumentBytes, true}, {11_000, maxDocumentBytes, false}, {11_000, maxListBytes, true}, {251_000, maxListBytes, false}} {
		if _, err := parseObject(objects(tt.n), tt.limit); tt.fits != (err == nil) {
			t.Errorf("%d in %d bytes: %v", tt.n, tt.limit, err)
		}
	}
}
