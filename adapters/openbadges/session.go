package openbadges

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// session is one verification.
type session struct {
	v         *Verifier
	ctx       context.Context
	now       time.Time
	recipient string
	r         *report
	budget    *budget
}

// budget counts what one verification costs. It is safe for concurrent use.
type budget struct {
	// most is how many addresses may be fetched, mostNodes how many nodes
	// of RDF may be canonicalized, with what comes with each.
	most, mostNodes int

	mu      sync.Mutex
	fetches int
	hops    int
	nodes   int
	values  int
	worked  int
	// done are documents that were canonicalized, by their hash.
	done map[string][]byte
}

// maxRemembered is how many canonical documents one verification remembers.
const maxRemembered = 8

func (b *budget) canonical(key string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	canonical, ok := b.done[key]
	return canonical, ok
}

func (b *budget) remember(key string, canonical []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = map[string][]byte{}
	}
	if len(b.done) < maxRemembered {
		b.done[key] = canonical
	}
}

// graph reports whether a graph of so many nodes and values may be
// canonicalized.
func (b *budget) graph(nodes, values int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes += nodes
	b.values += values
	return b.nodes <= b.mostNodes && b.values <= b.mostNodes*valuesPerNode
}

// work reports whether so much more may be done to tell nodes apart, or with
// statements that are signed one by one.
func (b *budget) work(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.worked += n
	return b.worked <= b.mostNodes*workPerNode
}

// fetch reports whether another address may be fetched.
func (b *budget) fetch() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fetches++
	return b.fetches <= b.most
}

// errTooMany says that a badge wants more fetches than one is worth.
var errTooMany = errors.New("too many documents")

// hop counts a step from one place to the next, and reports whether it may
// be taken.
func (s *session) hop() bool {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.budget.hops++
	return s.budget.hops <= maxHops
}

// Media types that documents come in, the preferred ones first.
var (
	acceptBadge = []string{
		"application/vc+ld+json", "application/vc", "application/vc+jwt", "application/ld+json", "application/json",
		"image/png", "image/svg+xml", "*/*;q=0.1",
	}
	acceptJSON = []string{"application/ld+json", "application/json", "*/*;q=0.1"}
)

// get fetches an address that stands in a document. Addresses with http are
// asked over https, unless the client is told otherwise.
func (s *session) get(address string, limit int64, accept []string) (fetch.Response, error) {
	if !s.budget.fetch() {
		return fetch.Response{}, errTooMany
	}
	if plain, ok := strings.CutPrefix(address, "http://"); ok && !s.v.client.AllowsHTTP(address) {
		address = "https://" + plain
	}
	return s.v.client.Get(s.ctx, address, limit, accept...)
}

// document fetches a JSON object and says where it came from.
func (s *session) document(address string, limit int64) (map[string]any, string, error) {
	resp, err := s.get(address, limit, acceptJSON)
	if err != nil {
		return nil, "", err
	}
	if !resp.OK() {
		return nil, "", &fetch.StatusError{Status: resp.Status}
	}
	doc, err := s.parse(resp.Body, int(limit))
	if err != nil {
		return nil, "", err
	}
	return doc, resp.URL, nil
}

// parse reads a JSON object. Long lists wait for their turn: in memory they
// take many times what they are as a text.
func (s *session) parse(body []byte, limit int) (map[string]any, error) {
	if len(body) > maxDocumentBytes {
		if !take(s.ctx, s.v.lists) {
			return nil, fetch.ErrTimeout
		}
		defer func() { <-s.v.lists }()
	}
	return parseObject(body, limit)
}

// ownDocument fetches a JSON object that has to come from the host that was
// asked: an address there that forwards anywhere must not speak for it.
func (s *session) ownDocument(address string) (map[string]any, error) {
	doc, from, err := s.document(address, maxDocumentBytes)
	if err == nil && !sameAuthority(from, address) {
		return nil, fmt.Errorf("%w: it leads to another host", fetch.ErrForbidden)
	}
	return doc, err
}

// known fetches an issuer or a class, or remembers it, unless it has to be
// fresh.
func (s *session) known(address string, fresh bool) (map[string]any, string, error) {
	key := fold(address)
	if !fresh {
		if doc, from, ok := s.v.cache.get(key, s.now); ok {
			return doc, from, nil
		}
	}
	doc, from, err := s.document(address, maxDocumentBytes)
	if err == nil {
		s.v.cache.put(key, doc, from, s.now)
	}
	return doc, from, err
}

// why says in words for an operator why a document did not come.
func why(err error) string {
	var status *fetch.StatusError
	switch {
	case errors.As(err, &status) && status.Status == http.StatusNotFound:
		return "there is nothing at its address (404)"
	case errors.As(err, &status):
		return "its server refuses (" + status.Error() + ")"
	case errors.Is(err, errNotJSON):
		return "it is not JSON: " + err.Error()
	case errors.Is(err, errTooMany):
		return "too many documents would have to be fetched"
	case errors.Is(err, fetch.ErrForbidden):
		return "its address may not be fetched: " + err.Error()
	case errors.Is(err, context.Canceled):
		return "the verification was stopped"
	default:
		return err.Error()
	}
}

// unfetched is the verdict about a badge one of whose documents did not come.
func unfetched(err error) core.VerdictStatus {
	if errors.Is(err, errNotJSON) {
		return core.VerdictMalformed
	}
	return core.VerdictUnreachable
}

// fold makes addresses comparable: http and https are the same place here,
// as are a host in upper case and a default port. Fragments stay.
func fold(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return address
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":443")
	u.Scheme, u.Host = "https", host
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// authority is the host and port of an address, folded.
func authority(address string) string {
	u, err := url.Parse(fold(address))
	if err != nil {
		return ""
	}
	return u.Host
}

// sameAuthority reports whether two web addresses lie on one host.
func sameAuthority(a, b string) bool {
	return isURL(a) && isURL(b) && authority(a) != "" && authority(a) == authority(b)
}

// cache remembers issuers and classes for a short time, the latest used ones.
type cache struct {
	mu      sync.Mutex
	size    int
	life    time.Duration
	weight  int
	order   *list.List
	entries map[string]*list.Element
}

type entry struct {
	key, from string
	doc       map[string]any
	at        time.Time
	weight    int
}

func newCache(size int, life time.Duration) *cache {
	return &cache{size: size, life: life, order: list.New(), entries: map[string]*list.Element{}}
}

func (c *cache) get(key string, now time.Time) (map[string]any, string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.entries[key]
	if !ok {
		return nil, "", false
	}
	e, _ := found.Value.(*entry)
	if age := now.Sub(e.at); age < 0 || age >= c.life {
		c.drop(found)
		return nil, "", false
	}
	c.order.MoveToFront(found)
	return e.doc, e.from, true
}

func (c *cache) put(key string, doc map[string]any, from string, now time.Time) {
	e := &entry{key: key, from: from, doc: doc, at: now, weight: weigh(doc)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.drop(old)
	}
	if e.weight > cacheBytes/8 {
		return // It would push out many others.
	}
	c.entries[key] = c.order.PushFront(e)
	c.weight += e.weight
	for c.order.Len() > c.size || c.weight > cacheBytes {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(one *list.Element) {
	e, _ := c.order.Remove(one).(*entry)
	delete(c.entries, e.key)
	c.weight -= e.weight
}

// What values of a document take in memory beside their texts, in bytes.
const (
	valueBytes  = 48
	objectBytes = 320
)

// weigh is about how much memory a document takes, in bytes.
func weigh(v any) int {
	n := valueBytes
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, inner := range v {
			n += weigh(inner)
		}
	case map[string]any:
		n += objectBytes
		for name, inner := range v {
			n += len(name) + weigh(inner)
		}
	}
	return n
}
