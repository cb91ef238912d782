package rig

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/bench/seed"
)

// Verdict is what comes of holding the log of clicks against the tables.
type Verdict struct {
	Clicks int
	// OK were answered with 200, Failed with another status, Cut got no
	// answer although a replica took the connection, and Refused found none.
	OK, Failed, Cut, Refused int
	// Slow were answered, or given up, after the given limit.
	Slow int
	Max  time.Duration
	// Claimed were answered with 200 and have their rows; Told have none, and
	// the person was told so; Lost have none and nobody was told.
	Claimed, Told, Lost int
	// Doubled have more than one handoff, audit row or event.
	Doubled int
	// Torn have some of their rows but not all.
	Torn int
	// Silent have a handoff and 200, and no card ever showed the link.
	Silent int
	// Late were told to try again although the handoff was opened then.
	Late int
	// LateEntries are those, and ClaimedEntries all that were claimed.
	LateEntries, ClaimedEntries []Entry
}

// String is the verdict in one line.
func (v Verdict) String() string {
	return fmt.Sprintf("%d clicks, %d with 200, %d claimed, %d told to try again, %d lost, %d doubled, %d torn, %d without a card, max %s",
		v.Clicks, v.OK, v.Claimed, v.Told, v.Lost, v.Doubled, v.Torn, v.Silent, v.Max.Round(time.Millisecond))
}

// Whole reports whether nothing acknowledged was lost, doubled, torn or left
// without its card.
func (v Verdict) Whole() bool { return v.Lost == 0 && v.Doubled == 0 && v.Torn == 0 && v.Silent == 0 }

// rows are how many rows of each kind a badge has.
type rows struct{ handoffs, audits, events int }

func (s *Stage) rows(ctx context.Context) (map[string]rows, error) {
	found := map[string]rows{}
	for query, add := range map[string]func(*rows, int){
		`SELECT badge_id, count(*) FROM handoffs GROUP BY 1`:                                             func(r *rows, n int) { r.handoffs = n },
		`SELECT subject, count(*) FROM audit WHERE kind = 'badge.claim' GROUP BY 1`:                      func(r *rows, n int) { r.audits = n },
		`SELECT ref, count(*) FROM outbox WHERE kind = 'event' AND payload = 'badge.claimed' GROUP BY 1`: func(r *rows, n int) { r.events = n },
	} {
		list, err := s.DB.QueryContext(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("look into tables: %w", err)
		}
		for list.Next() {
			var id string
			var n int
			if err := list.Scan(&id, &n); err != nil {
				return nil, fmt.Errorf("look into tables: %w", err)
			}
			r := found[id]
			add(&r, n)
			found[id] = r
		}
		if err := list.Err(); err != nil {
			return nil, fmt.Errorf("look into tables: %w", err)
		}
		if err := list.Close(); err != nil {
			return nil, fmt.Errorf("look into tables: %w", err)
		}
	}
	return found, nil
}

// Judge holds a log against the tables and against what people were shown.
// The bot must be at rest.
func (s *Stage) Judge(ctx context.Context, l *Ledger, limit time.Duration) (Verdict, error) {
	stored, err := s.rows(ctx)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	for _, e := range l.Entries() {
		v.Clicks++
		v.Max = max(v.Max, e.Latency)
		if e.Latency > limit {
			v.Slow++
		}
		switch {
		case e.Status == http.StatusOK:
			v.OK++
		case e.Status != 0:
			v.Failed++
		case e.Refused:
			v.Refused++
		default:
			v.Cut++
		}
		said := map[Say]bool{e.Said: true}
		for _, c := range s.Desk.Cards(e.N) {
			said[c.Say] = true
		}
		r := stored[seed.BadgeID(e.Badge)]
		complete := r == rows{1, 1, 1}
		if max(r.handoffs, r.audits, r.events) > 1 {
			v.Doubled++
		}
		if !complete && r != (rows{}) && max(r.handoffs, r.audits, r.events) == 1 {
			v.Torn++
		}
		if e.Status != http.StatusOK {
			continue
		}
		switch {
		case r.handoffs > 0:
			v.Claimed++
			v.ClaimedEntries = append(v.ClaimedEntries, e)
			if !said[SayLink] && !said[SayExpired] && !said[SayLater] {
				v.Silent++
			}
			if !said[SayLink] && !said[SayExpired] && said[SayLater] {
				v.Late++
				v.LateEntries = append(v.LateEntries, e)
			}
		case said[SayLater]:
			v.Told++
		default:
			v.Lost++
		}
	}
	return v, nil
}
