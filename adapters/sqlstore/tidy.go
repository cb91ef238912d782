package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

// How long things are kept after their use, and how many rows one statement
// deletes.
const (
	keepActions       = 24 * time.Hour
	keepDone          = 7 * 24 * time.Hour
	keepVerifications = 24 * time.Hour
	keepJobRuns       = 48 * time.Hour
	keepLanes         = time.Hour
	// keepLimits is longer than any burst takes to gather, so that a limit
	// whose row is gone begins with what it would have had anyway.
	keepLimits = time.Hour
	keepLeases = 24 * time.Hour
	keepDrafts = 24 * time.Hour
	keepPosts  = 180 * 24 * time.Hour
	// renewHomes is how often a home that is opened counts as new, so that it
	// is followed for keepPosts from then on.
	renewHomes = 24 * time.Hour
	// keepAgain is for how long an old post that is kept counts as younger than
	// keepPosts, so that not all of them are looked at each time.
	keepAgain   = 7 * 24 * time.Hour
	tidyBatch   = 1000
	tidyBatches = 100
)

// forgettable are posts p that nothing may have to be told any more. What is
// shown with consent can be taken back however old it is, and a call counts
// and has its button until it is closed.
const forgettable = `NOT (p.subject_kind = 'celebration'
	AND EXISTS (SELECT 1 FROM celebrations c WHERE c.batch = p.subject_id))
	AND NOT (p.subject_kind = 'call' AND EXISTS (SELECT 1 FROM calls c
		WHERE c.state = 'open' AND p.subject_id = c.id || '.' || c.edition))`

// Tidy deletes what is of no use any more, in batches, and leaves what a
// hundred batches of a kind do not finish to the next call. A kind that fails
// does not keep the others.
func (d *DB) Tidy(ctx context.Context, now time.Time) error {
	before := func(keep time.Duration) int64 { return ms(now.Add(-keep)) }
	errs := []error{d.renewKept(ctx, now)}
	for _, kind := range []struct {
		query string
		limit int64
	}{
		{`DELETE FROM actions WHERE key IN (SELECT key FROM actions WHERE started_at < ? LIMIT ?)`, before(keepActions)},
		{`DELETE FROM outbox WHERE id IN (
			SELECT id FROM outbox WHERE done_at > 0 AND done_at < ? LIMIT ?)`, before(keepDone)},
		{`DELETE FROM inbox WHERE id IN (
			SELECT id FROM inbox WHERE done_at > 0 AND done_at < ? AND state IN ('done', 'parked') LIMIT ?)`, before(keepDone)},
		{`DELETE FROM verifications WHERE id IN (
			SELECT id FROM verifications WHERE created_at < ? LIMIT ?)`, before(keepVerifications)},
		{`DELETE FROM job_runs WHERE (job, slot) IN (
			SELECT job, slot FROM job_runs WHERE slot < ? LIMIT ?)`, before(keepJobRuns)},
		{`DELETE FROM outbox WHERE id IN (
			SELECT o.id FROM posts p JOIN outbox o ON o.ref = p.id AND o.kind = 'post'
			WHERE p.created_at < ? AND ` + forgettable + ` LIMIT ?)`, before(keepPosts)},
		{`DELETE FROM posts WHERE id IN (
			SELECT p.id FROM posts p WHERE p.created_at < ? AND ` + forgettable + ` LIMIT ?)`, before(keepPosts)},
		{`DELETE FROM digest_issues WHERE id IN (SELECT id FROM digest_issues WHERE to_at < ? LIMIT ?)`, before(keepPosts)},
		{`DELETE FROM lanes WHERE NOT active AND lane IN (
			SELECT l.lane FROM lanes l WHERE NOT l.active AND l.next_at < ?
				AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.lane = l.lane AND o.state IN ('ready', 'sending'))
			LIMIT ?)`, before(keepLanes)},
		{`DELETE FROM limits WHERE name IN (
			SELECT name FROM limits WHERE next_at < ? LIMIT ? FOR UPDATE SKIP LOCKED)`, before(keepLimits)},
		{`DELETE FROM leases WHERE name IN (
			SELECT name FROM leases WHERE until < ? LIMIT ? FOR UPDATE SKIP LOCKED)`, before(keepLeases)},
		{`DELETE FROM call_drafts WHERE id IN (
			SELECT id FROM call_drafts WHERE created_at < ? LIMIT ?)`, before(keepDrafts)},
		{`DELETE FROM inquiries WHERE id IN (
			SELECT id FROM inquiries WHERE created_at < ? LIMIT ?)`, before(core.KeepInquiries)},
	} {
		for range tidyBatches {
			n, err := d.run().exec(ctx, kind.query, kind.limit, tidyBatch)
			if err != nil {
				errs = append(errs, err)
			}
			if n < tidyBatch {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// renewKept has old posts that are kept looked at again in a week.
func (d *DB) renewKept(ctx context.Context, now time.Time) error {
	for range tidyBatches {
		n, err := d.run().exec(ctx, `UPDATE posts SET created_at = ? WHERE id IN (
			SELECT p.id FROM posts p WHERE p.created_at < ? AND NOT (`+forgettable+`) LIMIT ?)`,
			ms(now.Add(keepAgain-keepPosts)), ms(now.Add(-keepPosts)), tidyBatch)
		if err != nil || n < tidyBatch {
			return err
		}
	}
	return nil
}
