package core

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Limits of reading assertions for one person.
const (
	// maxAssertions is how many are read.
	maxAssertions = 30
	// maxAssertionsBytes is how much they may hold altogether.
	maxAssertionsBytes = 4 << 20
	// assertionsWithin is how long reading all of them may take.
	assertionsWithin = 10 * time.Second
	// assertionsAtOnce are on their way at the same time.
	assertionsAtOnce = 4
)

// Hosting is what a [Provider] may know of the Open Badges assertions that it
// hosts for everybody, see
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#HostedBadge.
type Hosting interface {
	// AssertionURL returns the address of a badge's assertion, or "".
	AssertionURL(providerID string) string
	// Assertion reads it as everybody can. [ErrNoSuchBadge] where it is not
	// there for everybody, [ErrTooLarge] where it is too large; any other
	// error is temporary.
	Assertion(ctx context.Context, providerID string) ([]byte, error)
}

// ErrTooLarge says that an answer is larger than is read.
var ErrTooLarge = errors.New("answer too large")

// Missing is why there is no assertion, in a word; empty where there is one.
type Missing string

// Reasons.
const (
	// MissingNotPublic: the badge is not there for everybody to see.
	MissingNotPublic Missing = "not_public"
	// MissingNotServed: the provider does not serve it to everybody.
	MissingNotServed Missing = "not_served"
	// MissingUnreachable: the provider did not answer in time.
	MissingUnreachable Missing = "unreachable"
	// MissingTooLarge: it, or all of them together, are too large.
	MissingTooLarge Missing = "too_large"
	// MissingTooMany: there are more badges than are read at once.
	MissingTooMany Missing = "too_many"
)

// Assertion is the hosted assertion of a credential.
type Assertion struct {
	// URL is where it is hosted; empty where it cannot be.
	URL string
	// Document is JSON as the provider served it, or nil.
	Document []byte
	Missing  Missing
}

// Assertions reads the assertions of credentials, in their order. It takes ten
// seconds at most, and a few megabytes.
func (c *Certificates) Assertions(ctx context.Context, all []Credential) []Assertion {
	ctx, cancel := context.WithTimeout(ctx, assertionsWithin)
	defer cancel()
	out := make([]Assertion, len(all))
	host, hosted := c.Provider.(Hosting)
	var group sync.WaitGroup
	slots := make(chan struct{}, assertionsAtOnce)
	asked := 0
	for i, one := range all {
		switch {
		case !one.Public() || !hosted || one.ProviderID == "":
			out[i].Missing = MissingNotPublic
			continue
		case asked == maxAssertions:
			out[i] = Assertion{URL: host.AssertionURL(one.ProviderID), Missing: MissingTooMany}
			continue
		}
		asked++
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out[i] = readAssertion(ctx, host, one.ProviderID)
		})
	}
	group.Wait()
	size := 0
	for i := range out {
		if size += len(out[i].Document); out[i].Document != nil && size > maxAssertionsBytes {
			out[i].Document, out[i].Missing = nil, MissingTooLarge
		}
	}
	return out
}

func readAssertion(ctx context.Context, host Hosting, providerID string) Assertion {
	a := Assertion{URL: host.AssertionURL(providerID)}
	document, err := host.Assertion(ctx, providerID)
	switch {
	case err == nil:
		a.Document = document
	case errors.Is(err, ErrNoSuchBadge):
		a.Missing = MissingNotServed
	case errors.Is(err, ErrTooLarge):
		a.Missing = MissingTooLarge
	default:
		a.Missing = MissingUnreachable
	}
	return a
}
