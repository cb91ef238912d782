package openbadges

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// page is what an address answers.
type page struct {
	status   int
	kind     string
	body     any // string, []byte, or what is written as JSON
	location string
	err      error
	// endless answers with body again and again.
	endless bool
}

// world is a small web without a network.
type world struct {
	mu    sync.Mutex
	pages map[string]page
	asked map[string]int
}

func newWorld(pages map[string]page) *world {
	return &world{pages: pages, asked: map[string]int{}}
}

// RoundTrip answers from the pages.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	p, ok := w.pages[r.URL.String()]
	w.asked[r.URL.String()]++
	w.mu.Unlock()
	if !ok {
		p = page{status: http.StatusNotFound}
	}
	if p.err != nil {
		return nil, p.err
	}
	if p.status == 0 {
		p.status = http.StatusOK
	}
	header := http.Header{}
	if p.kind != "" {
		header.Set("Content-Type", p.kind)
	}
	if p.location != "" {
		header.Set("Location", p.location)
		if p.status == http.StatusOK {
			p.status = http.StatusFound
		}
	}
	var body io.Reader
	switch b := p.body.(type) {
	case nil:
		body = strings.NewReader("")
	case string:
		body = strings.NewReader(b)
	case []byte:
		body = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	if p.endless {
		raw, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		body = &endless{what: raw}
	}
	return &http.Response{StatusCode: p.status, Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: r}, nil
}

// endless is a body that never ends.
type endless struct{ what []byte }

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.what)
	}
	return n, nil
}

func (w *world) times(address string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[address]
}

func (w *world) set(address string, p page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[address] = p
}

// fixed is a clock that stands still until it is moved.
type fixed struct {
	mu sync.Mutex
	at time.Time
}

func (f *fixed) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fixed) move(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// present is when all tests take place.
var present = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (w *world) verifier() *Verifier {
	return New(Options{
		Client: fetch.New(fetch.Options{Transport: w, Timeout: 30 * time.Second}), Clock: &fixed{at: present}, MaxTime: time.Minute,
	})
}

// doc is a JSON object.
type doc = map[string]any

// with returns a copy with other properties; nil takes one away.
func with(d doc, changes doc) doc {
	d = maps.Clone(d)
	for name, v := range changes {
		if v == nil {
			delete(d, name)
		} else {
			d[name] = v
		}
	}
	return d
}

const (
	assertionURL = "https://example.org/assertions/1"
	classURL     = "https://example.org/classes/1"
	issuerURL    = "https://example.org/issuer"
)

// An evidently made-up badge of version 2.0.
func someAssertion() doc {
	return doc{
		"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": assertionURL,
		"recipient": doc{
			"type": "email", "hashed": true, "salt": "deadsea",
			"identity": "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942",
		},
		"badge": classURL, "issuedOn": "2024-05-01T10:00:00Z", "verification": doc{"type": "hosted"},
	}
}

func someClass() doc {
	return doc{
		"@context": "https://w3id.org/openbadges/v2", "type": "BadgeClass", "id": classURL,
		"name": "Made-up Badge", "description": "For nothing at all.", "image": "https://example.org/badge.png",
		"criteria": doc{"narrative": "Be made up."}, "issuer": issuerURL,
	}
}

func someIssuer() doc {
	return doc{
		"@context": "https://w3id.org/openbadges/v2", "type": "Issuer", "id": issuerURL,
		"name": "Example Body", "url": "https://example.org", "email": "body@example.org",
	}
}

func hostedWorld() *world {
	return newWorld(map[string]page{
		assertionURL: {body: someAssertion()}, classURL: {body: someClass()}, issuerURL: {body: someIssuer()},
	})
}

// wantStatus fails when the verdict is another one, and shows why it is.
func wantStatus(t *testing.T, v core.Verdict, want core.VerdictStatus) {
	t.Helper()
	if v.Status != want {
		t.Fatalf("status %q (%s), want %q; checks: %+v", v.Status, v.Reason, want, v.Checks)
	}
}

func wantCheck(t *testing.T, v core.Verdict, name string, want core.CheckResult) {
	t.Helper()
	c, ok := v.Check(name)
	if !ok || c.Result != want {
		t.Fatalf("check %s is %q (%s), want %q; all: %+v", name, c.Result, c.Detail, want, v.Checks)
	}
}

var errDown = errors.New("connection refused")
