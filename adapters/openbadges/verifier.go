package openbadges

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// Bounds of one verification.
const (
	// maxTime is how long it may take, fetches included.
	maxTime = 10 * time.Second
	// maxDocumentBytes bounds each JSON document and each token.
	maxDocumentBytes = 1 << 20
	// maxListBytes bounds lists of revoked badges and lists of states.
	maxListBytes = 4 << 20
	// maxFetches bounds how many addresses are fetched, endorsements apart.
	maxFetches = 24
	// maxHops bounds how often one badge leads to another place: a link to
	// a picture to an address to another address.
	maxHops = 5
	// cacheTime is how long an issuer or a class is remembered. Badges,
	// keys, and whatever tells of revocation are fetched each time; the
	// issuers of signed badges as well, since they name keys and lists.
	cacheTime = time.Minute
	// cacheSize is how many are remembered, cacheBytes how much memory they
	// take all together.
	cacheSize  = 256
	cacheBytes = 8 << 20
	// listsAtOnce is how many long lists are read at once, of all verifications.
	listsAtOnce = 2
)

// ContextLoader gives JSON-LD contexts by their address. It must not ask the
// network: whoever can change a context can change what a signature covers.
type ContextLoader interface {
	// Context returns the decoded document, which is not changed by
	// anybody, or an error when the address is not known.
	Context(address string) (any, error)
}

// Options of a verifier.
type Options struct {
	// Client fetches; nil is the guarded client of production.
	Client *fetch.Client
	// Pages are known public pages beside those of Credly.
	Pages []Page
	// Clock tells the present; nil is the machine's.
	Clock core.Clock
	// Contexts are known contexts; nil are the embedded ones.
	Contexts ContextLoader
	// MaxTime bounds one verification; zero means ten seconds.
	MaxTime time.Duration
}

// Verifier verifies badges. It is safe for concurrent use.
type Verifier struct {
	client   *fetch.Client
	clock    core.Clock
	contexts ContextLoader
	pages    []Page
	maxTime  time.Duration
	cache    *cache
	pictures *pictures
	// lists are the turns for reading long lists.
	lists chan struct{}
	// generators are those of all bbs-2023 proofs.
	generators *bbsGenerators
}

var (
	_ core.Verifier        = (*Verifier)(nil)
	_ core.VerdictPictures = (*Verifier)(nil)
)

type machineClock struct{}

// Now is the time of this machine.
func (machineClock) Now() time.Time { return time.Now().UTC() }

// New makes a verifier.
func New(o Options) *Verifier {
	v := &Verifier{
		client: o.Client, clock: o.Clock, contexts: o.Contexts, maxTime: o.MaxTime, pages: append(credlyPages(), o.Pages...), generators: &bbsGenerators{},
	}
	if v.client == nil {
		v.client = fetch.New(fetch.Options{UserAgent: "Laurel badge verifier"})
	}
	if v.clock == nil {
		v.clock = machineClock{}
	}
	if v.contexts == nil {
		v.contexts = EmbeddedContexts()
	}
	if v.maxTime <= 0 {
		v.maxTime = maxTime
	}
	v.cache, v.pictures, v.lists = newCache(cacheSize, cacheTime), newPictures(), make(chan struct{}, listsAtOnce)
	return v
}

// Verify answers whether a badge is genuine now.
func (v *Verifier) Verify(ctx context.Context, q core.BadgeQuery) core.Verdict {
	ctx, cancel := context.WithTimeout(ctx, v.maxTime)
	defer cancel()
	now := v.clock.Now().UTC()
	s := &session{v: v, ctx: ctx, now: now, recipient: q.Recipient, r: newReport(now), budget: &budget{most: maxFetches, mostNodes: 2 * maxGraphNodes}}
	switch {
	case len(q.File) > core.MaxBadgeFileBytes:
		s.r.fail(core.CheckInput, core.VerdictMalformed, "the file is larger than 10 MB")
	case len(q.File) > 0:
		s.file(q.File)
	default:
		s.link(q.Link)
	}
	return s.r.verdict()
}
