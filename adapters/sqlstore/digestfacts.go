package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// DigestFacts implements [core.DigestStore]. What happened in the period is
// found by indexes; how all badges stand is counted batch by batch and
// remembered.
func (d *DB) DigestFacts(ctx context.Context, from, to time.Time) (core.DigestFacts, error) {
	var out core.DigestFacts
	r := d.run()
	// Where this has to wait nothing else was read for nothing.
	all, err := d.survey.read(ctx, r)
	if err != nil {
		return out, err
	}
	out.All, out.Standing, out.Unlinked = all.funnel, all.standing, all.unlinked
	var counts []countRow
	err = r.all(ctx, &counts, `SELECT state AS name, count(*) AS n FROM outbox WHERE state IN ('waiting', 'dead') GROUP BY state`)
	if err != nil {
		return out, err
	}
	for _, c := range counts {
		switch delivery.State(c.Name) {
		case delivery.StateWaiting:
			out.Waiting = c.N
		case delivery.StateDead:
			out.Dead = c.N
		default:
		}
	}
	if out.Cohort, out.Templates, err = r.cohort(ctx, from, to); err != nil {
		return out, err
	}
	return out, r.progress(ctx, &out, from, to)
}

// earnedAt is when a badge was earned, as indexed.
const earnedAt = `(CASE WHEN b.issued_at > 0 THEN b.issued_at ELSE b.created_at END)`

// kept leaves out what was taken back.
const kept = `b.stage NOT IN ('withdrawn', 'revoked', 'replaced')`

// funnelColumns count the badges b by how far they came, those that were
// accepted in the first steps as well; what else came there is in handoffs.
const funnelColumns = `COALESCE(sum(CASE WHEN ` + kept + ` THEN 1 ELSE 0 END), 0) AS granted,
	COALESCE(sum(CASE WHEN ` + kept + ` AND b.accepted_at > 0 THEN 1 ELSE 0 END), 0) AS accepted,
	COALESCE(sum(CASE WHEN ` + kept + ` AND b.public_at > 0 THEN 1 ELSE 0 END), 0) AS public,
	COALESCE(sum(CASE WHEN ` + kept + ` AND b.shared_at > 0 THEN 1 ELSE 0 END), 0) AS shared`

// underWay are the badges b that were not accepted yet and had a link, with
// when it was last followed. Its conditions are followed by others.
const underWay = `SELECT b.id, b.template_id, max(h.followed_at) AS followed
	FROM badges b JOIN handoffs h ON h.badge_id = b.id WHERE b.accepted_at = 0 AND ` + kept

type funnelRow struct {
	Granted  int64 `db:"granted"`
	Accepted int64 `db:"accepted"`
	Public   int64 `db:"public"`
	Shared   int64 `db:"shared"`
}

// linkedRow counts those of [underWay].
type linkedRow struct {
	Claimed   int64 `db:"claimed"`
	HandedOff int64 `db:"handed_off"`
}

const linkedColumns = `count(*) AS claimed, COALESCE(sum(CASE WHEN w.followed > 0 THEN 1 ELSE 0 END), 0) AS handed_off`

func (r funnelRow) funnel(l linkedRow) core.Funnel {
	return core.Funnel{
		Granted: r.Granted, Claimed: r.Accepted + l.Claimed, HandedOff: r.Accepted + l.HandedOff, Accepted: r.Accepted,
		Public: r.Public, Shared: r.Shared,
	}
}

func addFunnel(sum *core.Funnel, f core.Funnel) {
	sum.Granted += f.Granted
	sum.Claimed += f.Claimed
	sum.HandedOff += f.HandedOff
	sum.Accepted += f.Accepted
	sum.Public += f.Public
	sum.Shared += f.Shared
}

// cohortParts is in how many parts of a period badges are counted, each by a
// statement of its own: an import may have brought millions in one week.
const cohortParts = 10

// cohort counts the badges that were earned in a period, by template.
func (r runner) cohort(ctx context.Context, from, to time.Time) (core.Funnel, []core.TemplateFacts, error) {
	byTemplate := map[string]*core.TemplateFacts{}
	part := to.Sub(from)/cohortParts + time.Millisecond
	for at := from; at.Before(to); at = at.Add(part) {
		end := at.Add(part)
		if end.After(to) {
			end = to
		}
		if err := r.cohortOf(ctx, at, end, byTemplate); err != nil {
			return core.Funnel{}, nil, err
		}
	}
	var sum core.Funnel
	var templates []core.TemplateFacts
	for _, f := range byTemplate {
		addFunnel(&sum, f.Cohort)
		templates = append(templates, *f)
	}
	slices.SortFunc(templates, func(a, b core.TemplateFacts) int {
		return cmp.Or(cmp.Compare(b.Cohort.Granted, a.Cohort.Granted), cmp.Compare(a.Name, b.Name))
	})
	return sum, templates, nil
}

// cohortOf adds those of a part of a period.
func (r runner) cohortOf(ctx context.Context, from, to time.Time, sum map[string]*core.TemplateFacts) error {
	const inPeriod = earnedAt + ` >= ? AND ` + earnedAt + ` < ?`
	var found []struct {
		funnelRow
		ID   string `db:"template_id"`
		Name string `db:"name"`
	}
	err := r.all(ctx, &found, `SELECT b.template_id, COALESCE(t.name, '') AS name, `+funnelColumns+`
		FROM badges b LEFT JOIN templates t ON t.id = b.template_id
		WHERE `+inPeriod+` AND `+kept+` GROUP BY b.template_id, t.name`, ms(from), ms(to))
	if err != nil || len(found) == 0 {
		return err
	}
	var linked []struct {
		linkedRow
		ID string `db:"template_id"`
	}
	err = r.all(ctx, &linked, `SELECT template_id, `+linkedColumns+` FROM (`+underWay+` AND `+inPeriod+`
		GROUP BY b.id, b.template_id) AS w GROUP BY template_id`, ms(from), ms(to))
	if err != nil {
		return err
	}
	links := make(map[string]linkedRow, len(linked))
	for _, l := range linked {
		links[l.ID] = l.linkedRow
	}
	for _, row := range found {
		if sum[row.ID] == nil {
			sum[row.ID] = &core.TemplateFacts{Name: row.Name}
		}
		addFunnel(&sum[row.ID].Cohort, row.funnel(links[row.ID]))
	}
	return nil
}

// firstFollowed are the badges whose link was followed in a period for the
// first time.
const firstFollowed = ` FROM handoffs h JOIN badges b ON b.id = h.badge_id
	WHERE h.followed_at > 0 AND h.followed_at >= ? AND h.followed_at < ? AND NOT EXISTS (
		SELECT 1 FROM handoffs e WHERE e.badge_id = h.badge_id AND e.followed_at > 0 AND e.followed_at < ?)
	GROUP BY b.id, b.issued_at, b.created_at`

// progress counts what came how far in a period.
func (r runner) progress(ctx context.Context, out *core.DigestFacts, from, to time.Time) error {
	f, t := ms(from), ms(to)
	var moved struct {
		Accepted int64 `db:"accepted"`
		Public   int64 `db:"public"`
	}
	// What was accepted or made public since came into its present stage not
	// before that.
	err := r.get(ctx, &moved, `SELECT
			COALESCE(sum(CASE WHEN b.accepted_at >= ? AND b.accepted_at < ? THEN 1 ELSE 0 END), 0) AS accepted,
			COALESCE(sum(CASE WHEN b.public_at >= ? AND b.public_at < ? THEN 1 ELSE 0 END), 0) AS public
		FROM badges b WHERE b.accepted_at > 0 AND b.stage_at >= ?`, f, t, f, t, f)
	if err != nil {
		return err
	}
	out.Accepted, out.Public = moved.Accepted, moved.Public
	err = r.get(ctx, &out.Claimed, `SELECT count(*) FROM (SELECT b.id`+firstFollowed+`) AS c`, f, t, f)
	if err != nil || out.Claimed == 0 {
		return err
	}
	var took int64
	err = r.get(ctx, &took, `SELECT min(h.followed_at) - `+earnedAt+` AS took`+firstFollowed+`
		ORDER BY took LIMIT 1 OFFSET ?`, f, t, f, (out.Claimed-1)/2)
	out.TimeToClaim = time.Duration(max(took, 0)) * time.Millisecond
	return err
}

// surveyBatch is how many badges one statement of a survey reads. Its result
// is good for a few minutes, and for less where counting was quick: then
// nobody has to look at old numbers.
const (
	surveyBatch = 20_000
	surveyEvery = stagesEvery
	surveyWorth = 100
	// surveyPatience is how long somebody waits for another one who counts.
	surveyPatience = 2 * time.Second
)

func newSurvey() survey { return survey{turn: make(chan struct{}, 1), patience: surveyPatience} }

// survey counts all badges by how far they came. That reads every one of
// them, batch by batch, so that no statement takes long. Where it is cut off
// the next reader goes on.
type survey struct {
	// turn is held by who counts; the others wait for patience at most. Each of
	// them keeps a place that a message to somebody else may need.
	turn     chan struct{}
	patience time.Duration
	// sum is what was counted so far, of the badges up to after; begun is when
	// that began, zero for not.
	sum   surveyed
	after string
	begun time.Time
	// last is the last whole result, and until when it is good.
	last surveyed
	good time.Time
}

// surveyed is what a survey finds: how far badges came, where they are, and
// how many of those that wait nobody can claim.
type surveyed struct {
	funnel   core.Funnel
	standing core.Standing
	unlinked int64
}

// read returns a result that is still good, or counts.
func (s *survey) read(ctx context.Context, r runner) (surveyed, error) {
	if err := s.wait(ctx); err != nil {
		return surveyed{}, err
	}
	defer func() { <-s.turn }()
	now := time.Now()
	if now.Before(s.good) {
		return s.last, nil
	}
	if now.Sub(s.begun) > surveyEvery {
		s.sum, s.after, s.begun = surveyed{}, "", now
	}
	for {
		more, err := s.batch(ctx, r)
		if err != nil {
			return surveyed{}, err
		}
		if more {
			continue
		}
		end := time.Now()
		s.last, s.good, s.begun = s.sum, end.Add(min(surveyWorth*end.Sub(s.begun), surveyEvery)), time.Time{}
		return s.last, nil
	}
}

// errCounting says that somebody else is counting.
var errCounting = &dbError{text: "badges are being counted", unavailable: true}

func (s *survey) wait(ctx context.Context) error {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return errCounting
	case <-ctx.Done():
		return wrap(ctx, ctx.Err())
	}
}

// batch counts the next badges by their ids and reports whether there may be
// more.
func (s *survey) batch(ctx context.Context, r runner) (more bool, err error) {
	var row struct {
		funnelRow
		Pending int64  `db:"pending"`
		Held    int64  `db:"held"`
		Shown   int64  `db:"shown"`
		Last    string `db:"last"`
		Seen    int64  `db:"seen"`
	}
	err = r.get(ctx, &row, `SELECT COALESCE(max(b.id), '') AS last, count(*) AS seen, `+funnelColumns+`,
			COALESCE(sum(CASE WHEN b.stage IN ('granted', 'pending') THEN 1 ELSE 0 END), 0) AS pending,
			COALESCE(sum(CASE WHEN b.stage = 'accepted' THEN 1 ELSE 0 END), 0) AS held,
			COALESCE(sum(CASE WHEN b.stage = 'public' THEN 1 ELSE 0 END), 0) AS shown
		FROM (SELECT id, stage, accepted_at, public_at, shared_at FROM badges WHERE id > ? ORDER BY id LIMIT ?) AS b`,
		s.after, surveyBatch)
	if err != nil || row.Seen == 0 {
		return false, err
	}
	var linked linkedRow
	err = r.get(ctx, &linked, `SELECT `+linkedColumns+` FROM (`+underWay+`
		AND b.id > ? AND b.id <= ? AND h.badge_id > ? AND h.badge_id <= ? GROUP BY b.id, b.template_id) AS w`,
		s.after, row.Last, s.after, row.Last)
	if err != nil {
		return false, err
	}
	var unlinked int64
	err = r.get(ctx, &unlinked, `SELECT count(*) FROM badges b LEFT JOIN addresses d ON d.normal = b.recipient
		WHERE b.id > ? AND b.id <= ? AND b.stage IN ('granted', 'pending') AND d.id IS NULL`, s.after, row.Last)
	if err != nil {
		return false, err
	}
	addFunnel(&s.sum.funnel, row.funnel(linked))
	s.sum.standing.Waiting += row.Pending
	s.sum.standing.Accepted += row.Held
	s.sum.standing.Public += row.Shown
	s.sum.unlinked += unlinked
	s.after = row.Last
	return row.Seen == surveyBatch, nil
}
