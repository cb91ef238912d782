package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// stagesEvery is how often badges are counted: that reads all of them, while
// everything else is answered by small indexes.
const stagesEvery = 5 * time.Minute

// Stats says how much there is to do.
type Stats struct {
	// Deliveries counts those that are not done, by state, and the dead ones
	// that are still kept.
	Deliveries map[delivery.State]int64
	// OldestReady is since when the oldest ready delivery waits; zero when
	// there is none.
	OldestReady time.Time
	// Inbox counts items by state: ready, running, parked.
	Inbox map[string]int64
	// Badges counts badges by stage, a few minutes old at most.
	Badges  map[core.Stage]int64
	Members int64
}

// stageCounts is what was counted last.
type stageCounts struct {
	taken   time.Time
	badges  map[core.Stage]int64
	members int64
}

type countRow struct {
	Name string `db:"name"`
	N    int64  `db:"n"`
}

// Stats counts.
func (d *DB) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Deliveries: map[delivery.State]int64{}, Inbox: map[string]int64{}}
	r := d.run()
	var counts []countRow
	err := r.all(ctx, &counts, `SELECT state AS name, count(*) AS n FROM outbox
			WHERE state IN ('ready', 'sending') GROUP BY state
		UNION ALL SELECT state, count(*) FROM outbox WHERE state IN ('waiting', 'dead') GROUP BY state`)
	if err != nil {
		return Stats{}, err
	}
	for _, c := range counts {
		s.Deliveries[delivery.State(c.Name)] = c.N
	}
	var oldest int64
	err = r.get(ctx, &oldest, `SELECT COALESCE(min(created_at), 0) FROM outbox
		WHERE state IN ('ready', 'sending') AND state = 'ready'`)
	if err != nil {
		return Stats{}, err
	}
	s.OldestReady = at(oldest)
	counts = nil
	err = r.all(ctx, &counts, `SELECT state AS name, count(*) AS n FROM inbox
			WHERE state IN ('ready', 'running') GROUP BY state
		UNION ALL SELECT state, count(*) FROM inbox WHERE state = 'parked' GROUP BY state`)
	if err != nil {
		return Stats{}, err
	}
	for _, c := range counts {
		s.Inbox[c.Name] = c.N
	}
	last, err := d.countStages(ctx)
	s.Badges, s.Members = last.badges, last.members
	return s, err
}

// Status implements [core.StatusStore].
func (d *DB) Status(ctx context.Context, since time.Time) (core.Status, error) {
	stats, err := d.Stats(ctx)
	if err != nil {
		return core.Status{}, err
	}
	s := core.Status{
		Badges: stats.Badges, Members: stats.Members,
		Waiting: stats.Deliveries[delivery.StateWaiting], Dead: stats.Deliveries[delivery.StateDead],
	}
	var counts struct {
		Stopped  int64 `db:"stopped"`
		Reminded int64 `db:"reminded"`
	}
	err = d.run().get(ctx, &counts, `SELECT
			(SELECT count(*) FROM members WHERE stopped) AS stopped,
			(SELECT count(*) FROM posts WHERE subject_kind = 'reminder' AND created_at >= ?) AS reminded`, ms(since))
	s.Stopped, s.Reminded = counts.Stopped, counts.Reminded
	return s, err
}

func (d *DB) countStages(ctx context.Context) (stageCounts, error) {
	d.statsMu.Lock()
	defer d.statsMu.Unlock()
	if d.stages.badges != nil && time.Since(d.stages.taken) < stagesEvery {
		return d.stages, nil
	}
	counts, err := d.run().countBadges(ctx, nil, core.StageUnknown, core.StageGranted, core.StagePending, core.StageAccepted,
		core.StagePublic, core.StageRejected, core.StageRevoked, core.StageReplaced, core.StageWithdrawn)
	if err != nil {
		return stageCounts{}, err
	}
	now := stageCounts{taken: time.Now(), badges: map[core.Stage]int64{}}
	for _, c := range counts {
		now.badges[c.stage] += int64(c.N)
	}
	if err := d.run().get(ctx, &now.members, `SELECT count(*) FROM members WHERE NOT channel`); err != nil {
		return stageCounts{}, err
	}
	d.stages = now
	return now, nil
}
