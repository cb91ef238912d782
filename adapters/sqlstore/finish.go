package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core/delivery"
)

// outcomeRow is an [delivery.Outcome] as the statements take it.
type outcomeRow struct {
	ID       int64  `json:"id"`
	Attempts int    `json:"attempts"`
	State    string `json:"state"`
	RetryAt  int64  `json:"retry_at"`
	Cause    string `json:"cause"`
	// Uncounted is 1 where the attempt does not count.
	Uncounted    int   `json:"uncounted"`
	LimitedSince int64 `json:"limited_since"`
	// Untried is 1 where it is as if nobody had tried.
	Untried int `json:"untried"`
}

type laneTimeRow struct {
	Lane   string `json:"lane"`
	NextAt int64  `json:"next_at"`
}

type placeRow struct {
	Post          string `json:"post"`
	MessageKey    string `json:"message_key"`
	PlaceSealed   string `json:"place_sealed"`
	EditableUntil int64  `json:"editable_until"`
	Shown         bool   `json:"shown"`
	// Same keeps the message key as it is: it may be another post's by now.
	Same bool `json:"same"`
}

// The statements of usual outcomes.
const (
	finishLanes = `SELECT lane FROM lanes WHERE lane IN $texts ORDER BY lane FOR UPDATE`
	// Lanes are locked before anything in them is changed, as everywhere: they
	// are counted first.
	finishOutcomes = `WITH locked AS (` + finishLanes + `)
	UPDATE outbox SET state = u.state, cause = u.cause,
		available_at = CASE u.state WHEN 'ready' THEN u.retry_at ELSE outbox.available_at END,
		done_at = CASE WHEN u.state IN ('sent', 'dead') THEN CAST(? AS bigint) ELSE 0 END,
		payload = CASE WHEN outbox.kind = 'mail' AND u.state IN ('sent', 'dead') THEN '' ELSE outbox.payload END,
		uncounted = outbox.uncounted + CAST(u.uncounted AS int), limited_since = CAST(u.limited_since AS bigint),
		first_try_at = CASE CAST(u.untried AS int) WHEN 1 THEN 0 ELSE outbox.first_try_at END
	FROM $rows(id bigint, attempts int, state text, retry_at bigint, cause text, uncounted int, limited_since bigint, untried int)
	WHERE outbox.id = u.id AND outbox.state = 'sending' AND outbox.attempts = u.attempts
		AND (SELECT count(*) FROM locked) >= 0
	RETURNING outbox.id`
	// A lane that has nothing more to send goes to sleep at once, or every
	// message would cost another look. Nothing is overlooked that way: whoever
	// makes a delivery due wakes its lane in the same transaction, and so needs
	// the lock that finishOutcomes took. If that transaction had it first, it
	// was over before finishOutcomes ended, and this statement, whose view of
	// the tables is younger, finds what it added. If it gets the lock after
	// this transaction, it wakes a lane that sleeps already. Only lanes that
	// were locked are changed, because on another one this statement might
	// have to wait with a view from before: an outcome that was stored has a
	// lane that its statement saw and locked, for a lane goes only with its
	// deliveries or after them.
	finishPaces = `UPDATE lanes SET next_at = u.next_at, active = EXISTS (
		SELECT 1 FROM outbox o WHERE o.lane = lanes.lane AND o.state IN ('ready', 'sending'))
	FROM $rows(lane text, next_at bigint) WHERE lanes.lane = u.lane
	RETURNING lanes.active`
	finishForeign = `UPDATE posts SET message_key = NULL WHERE id IN (
	SELECT other.id FROM $rows(post text, message_key text) JOIN posts mine ON mine.id = u.post
	JOIN posts other ON other.account_id = mine.account_id AND other.message_key = u.message_key
	WHERE u.message_key <> '' AND other.id <> mine.id)`
	finishPlaces = `UPDATE posts SET place_sealed = u.place_sealed,
		message_key = CASE WHEN u.same THEN posts.message_key ELSE NULLIF(u.message_key, '') END,
		editable_until = u.editable_until, shown = u.shown
	FROM $rows(post text, message_key text, place_sealed text, editable_until bigint, shown boolean, same boolean)
	WHERE posts.id = u.post`
)

// FinishDeliveries implements [delivery.Store]. An outcome of an attempt
// whose lease ran out and that was made again since changes nothing.
func (d *DB) FinishDeliveries(ctx context.Context, now time.Time, outcomes []delivery.Outcome) (more bool, err error) {
	if len(outcomes) == 0 {
		return false, nil
	}
	d.prepare(ctx, finishLanes, finishOutcomes, finishPaces, finishForeign, finishPlaces)
	err = d.inTx(ctx, func(ctx context.Context, t *tx) (err error) {
		more, err = t.finish(ctx, now, outcomes)
		return err
	})
	return more, err
}

func (t *tx) finish(ctx context.Context, now time.Time, outcomes []delivery.Outcome) (more bool, err error) {
	lanes := make(texts, 0, len(outcomes))
	list := make([]outcomeRow, 0, len(outcomes))
	for _, o := range outcomes {
		lanes = append(lanes, o.Delivery.Lane)
		row := outcomeRow{
			ID: o.Delivery.ID, Attempts: o.Delivery.Attempts, State: string(o.State),
			RetryAt: max(ms(roundUp(o.RetryAt)), ms(now)), Cause: clean(o.Cause), LimitedSince: ms(o.LimitedSince),
		}
		if o.Uncounted {
			row.Uncounted = 1
		}
		if o.Untried {
			row.Untried = 1
		}
		list = append(list, row)
	}
	if err := t.absorb(ctx, now, lanes, list); err != nil {
		return false, err
	}
	var done []int64
	if err := t.hot().all(ctx, &done, finishOutcomes, lanes, ms(now), rows{list}); err != nil {
		return false, err
	}
	valid := make(map[int64]bool, len(done))
	for _, id := range done {
		valid[id] = true
	}
	return t.follow(ctx, now, outcomes, valid)
}

// absorb makes room for deliveries that are to be repeated: a second one of
// the same post that waits behind goes, because the repeated one will tell
// what is true then. The repeated one stays, because only under its key can
// an attempt whose answer was lost be recognised.
func (t *tx) absorb(ctx context.Context, now time.Time, lanes texts, list []outcomeRow) error {
	var repeated []outcomeRow
	for _, row := range list {
		if delivery.State(row.State) == delivery.StateReady {
			repeated = append(repeated, row)
		}
	}
	if len(repeated) == 0 {
		return nil
	}
	var locked []string
	if err := t.hot().all(ctx, &locked, finishLanes, lanes); err != nil {
		return err
	}
	var absorbed []struct {
		Ref      string `db:"ref"`
		Fallback bool   `db:"fallback"`
	}
	err := t.all(ctx, &absorbed, `UPDATE outbox SET state = 'sent', cause = 'superseded', done_at = ?
		WHERE kind = 'post' AND state = 'ready' AND ref IN (
			SELECT o.ref FROM outbox o JOIN $rows(id bigint, attempts int) ON o.id = u.id
			WHERE o.kind = 'post' AND o.state = 'sending' AND o.attempts = u.attempts)
		RETURNING ref, fallback`, ms(now), rows{repeated})
	if err != nil {
		return err
	}
	var refs texts
	for _, row := range absorbed {
		if row.Fallback {
			refs = append(refs, row.Ref)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	_, err = t.exec(ctx, `UPDATE outbox SET fallback = true WHERE kind = 'post' AND state = 'sending' AND ref IN $texts`, refs)
	return err
}

// follow does what the valid outcomes entail beside the delivery itself.
func (t *tx) follow(ctx context.Context, now time.Time, outcomes []delivery.Outcome, valid map[int64]bool) (more bool, err error) {
	var lanes []laneTimeRow
	var places, named []placeRow
	for _, o := range outcomes {
		if !valid[o.Delivery.ID] {
			continue
		}
		next := ms(roundUp(now.Add(o.Pause)))
		if o.State == delivery.StateReady {
			next = max(next, ms(roundUp(o.RetryAt)))
		}
		lanes = append(lanes, laneTimeRow{Lane: o.Delivery.Lane, NextAt: next})
		if o.Place != nil && o.Delivery.Kind == delivery.KindPost {
			row := placeRow{
				Post: o.Delivery.Ref, MessageKey: clean(o.Place.MessageKey), PlaceSealed: t.db.sealPlace(*o.Place),
				EditableUntil: ms(o.Place.EditableUntil), Shown: o.Place.Shown, Same: o.SameMessage,
			}
			places = append(places, row)
			if !o.SameMessage {
				named = append(named, row)
			}
		}
		if o.DeadInstallation != nil {
			cause := o.Cause
			if cause == "" {
				cause = "credentials void"
			}
			err := t.markInstallation(ctx, o.DeadInstallation.Platform, o.DeadInstallation.Tenant, cause, now)
			if err != nil {
				return false, err
			}
		}
	}
	if len(lanes) == 0 {
		return false, nil
	}
	var active []bool
	err = t.hot().all(ctx, &active, finishPaces, rows{lanes})
	more = slices.Contains(active, true)
	if err != nil || len(places) == 0 {
		return more, err
	}
	if len(named) > 0 {
		// The same message was followed as another post: this one has it now.
		if _, err := t.hot().exec(ctx, finishForeign, rows{named}); err != nil {
			return false, err
		}
	}
	_, err = t.hot().exec(ctx, finishPlaces, rows{places})
	return more, err
}
