package core

import "context"

// AwardCounts says what a set of awards changed.
type AwardCounts struct {
	New, Changed, Unchanged int
}

// Add adds b to c.
func (c *AwardCounts) Add(b AwardCounts) {
	c.New += b.New
	c.Changed += b.Changed
	c.Unchanged += b.Unchanged
}

// AwardSink takes in awards. Saying the same thing twice changes nothing.
type AwardSink interface {
	// ImportAwards takes in a batch in one transaction: all or none. Several
	// may be taken in at once.
	ImportAwards(ctx context.Context, awards []Award) (AwardCounts, error)
}
