package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core/delivery"
)

// Outlook is what there is to do and when, for somebody who looks on.
type Outlook struct {
	// Deliveries are those that are not done, and the dead ones that are kept;
	// Inbox the items that are not done, and the parked ones. The next due
	// comes first; at most OutlookLimit of each.
	Deliveries []OutlookDelivery
	Inbox      []OutlookItem
	// Due is the next moment of each kind of thing that happens by itself,
	// after the time asked for.
	Due []Due
}

// OutlookLimit is how many deliveries and how many inbox items an Outlook
// holds at most.
const OutlookLimit = 40

// OutlookDelivery is a delivery without what it says and to whom.
type OutlookDelivery struct {
	ID       int64
	Kind     delivery.Kind
	Platform string
	State    delivery.State
	Attempts int
	NextAt   time.Time
	Cause    string
}

// OutlookItem is an inbox item without its payload.
type OutlookItem struct {
	ID       int64
	Source   string
	Kind     string
	State    string
	Attempts int
	NextAt   time.Time
	Cause    string
}

// Due is when something of a kind happens next.
type Due struct {
	What DueKind
	At   time.Time
}

// DueKind names what happens.
type DueKind string

// The kinds.
const (
	DueDelivery     DueKind = "delivery"
	DueInbox        DueKind = "inbox"
	DueHandoff      DueKind = "handoff"
	DueVerification DueKind = "verification"
	DueBadge        DueKind = "badge"
	DueAddress      DueKind = "address"
	// DueReminder: somebody is looked at for reminders.
	DueReminder DueKind = "reminder"
	// DueCall: a call to claim is posted.
	DueCall DueKind = "call"
	// DueDigest: a digest is sent.
	DueDigest DueKind = "digest"
	// DueRoles: what a platform knows for its roles is looked at.
	DueRoles DueKind = "roles"
)

// Outlook looks ahead from now.
func (d *DB) Outlook(ctx context.Context, now time.Time) (Outlook, error) {
	var out Outlook
	r := d.run()
	var deliveries []struct {
		ID       int64  `db:"id"`
		Kind     string `db:"kind"`
		Platform string `db:"platform"`
		State    string `db:"state"`
		Attempts int    `db:"attempts"`
		NextAt   int64  `db:"next_at"`
		Cause    string `db:"cause"`
	}
	err := r.all(ctx, &deliveries, `SELECT o.id, o.kind, COALESCE(l.platform, '') AS platform, o.state, o.attempts, o.cause,
			CASE WHEN l.next_at > o.available_at THEN l.next_at ELSE o.available_at END AS next_at
		FROM outbox o LEFT JOIN lanes l ON l.lane = o.lane
		WHERE o.state IN ('ready', 'sending', 'waiting', 'dead')
		ORDER BY CASE WHEN o.state IN ('ready', 'sending') THEN 0 ELSE 1 END, next_at, o.id LIMIT ?`, OutlookLimit)
	if err != nil {
		return Outlook{}, err
	}
	for _, o := range deliveries {
		out.Deliveries = append(out.Deliveries, OutlookDelivery{
			ID: o.ID, Kind: delivery.Kind(o.Kind), Platform: o.Platform, State: delivery.State(o.State),
			Attempts: o.Attempts, NextAt: at(o.NextAt), Cause: o.Cause,
		})
	}
	var items []struct {
		ID       int64  `db:"id"`
		Source   string `db:"source"`
		Kind     string `db:"kind"`
		State    string `db:"state"`
		Attempts int    `db:"attempts"`
		NextAt   int64  `db:"available_at"`
		Cause    string `db:"cause"`
	}
	err = r.all(ctx, &items, `SELECT id, source, kind, state, attempts, available_at, cause FROM inbox
		WHERE state IN ('ready', 'running', 'parked')
		ORDER BY CASE WHEN state = 'parked' THEN 1 ELSE 0 END, available_at, id LIMIT ?`, OutlookLimit)
	if err != nil {
		return Outlook{}, err
	}
	for _, i := range items {
		out.Inbox = append(out.Inbox, OutlookItem{
			ID: i.ID, Source: i.Source, Kind: i.Kind, State: i.State, Attempts: i.Attempts, NextAt: at(i.NextAt), Cause: i.Cause,
		})
	}
	out.Due, err = d.due(ctx, now)
	return out, err
}

// due finds the next moment of each kind in one query.
func (d *DB) due(ctx context.Context, now time.Time) ([]Due, error) {
	var found []struct {
		What string `db:"what"`
		At   int64  `db:"at"`
	}
	t := ms(now)
	err := d.run().all(ctx, &found, `SELECT what, at FROM (
		SELECT 'delivery' AS what, COALESCE(min(next_at), 0) AS at FROM lanes WHERE active AND next_at > ?
		UNION ALL SELECT 'inbox', COALESCE(min(available_at), 0) FROM inbox
			WHERE state IN ('ready', 'running') AND available_at > ?
		UNION ALL SELECT 'handoff', COALESCE(min(expires_at), 0) FROM handoffs
			WHERE state IN ('preparing', 'open') AND expires_at > ?
		UNION ALL SELECT 'verification', COALESCE(min(expires_at), 0) FROM verifications
			WHERE state = 'open' AND expires_at > ?
		UNION ALL SELECT 'badge', COALESCE(min(next_poll_at), 0) FROM badges WHERE next_poll_at > ?
		UNION ALL SELECT 'address', COALESCE(min(next_refresh_at), 0) FROM addresses WHERE next_refresh_at > ?
		UNION ALL SELECT 'reminder', COALESCE(min(remind_at), 0) FROM members WHERE remind_at > ?
		UNION ALL SELECT 'call', COALESCE(min(next_at), 0) FROM calls WHERE next_at > ?
		UNION ALL SELECT 'digest', COALESCE(min(next_at), 0) FROM digests WHERE next_at > ?
		UNION ALL SELECT 'roles', COALESCE(min(due_at), 0) FROM role_connections WHERE due_at > ?
		) d WHERE at > 0 ORDER BY at`, t, t, t, t, t, t, t, t, t, t)
	out := make([]Due, 0, len(found))
	for _, f := range found {
		out = append(out, Due{What: DueKind(f.What), At: at(f.At)})
	}
	return out, err
}
