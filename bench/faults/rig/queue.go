package rig

import (
	"context"
	"fmt"

	"github.com/laurelbot/laurel/bench/seed"
)

// QueueDirect puts direct messages to people into the outbox, n for each
// person, as if something had been decided that they are to be told.
func (s *Stage) QueueDirect(ctx context.Context, p Platform, people []int, n int) error {
	prefix, platform := "s", "slack"
	if p == Discord {
		prefix, platform = "d", "discord"
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	added := int64(len(people) * n)
	base := s.queued.Add(added) - added
	list := make([]int64, 0, len(people))
	for _, one := range people {
		list = append(list, int64(one))
	}
	_, err = tx.ExecContext(
		ctx, `CREATE TEMP TABLE queued ON COMMIT DROP AS
		SELECT a.id AS account, a.platform, a.tenant, a.platform || ':' || a.tenant || ':' || a.user_id AS lane,
			'00000000-0000-7000-b000-' || lpad(($3::bigint + (p.nr - 1) * $4::bigint + g)::text, 12, '0') AS post, g,
			$7::text || lpad((p.person - 1 + $5::bigint)::text, 12, '0') AS badge
		FROM unnest($6::bigint[]) WITH ORDINALITY AS p(person, nr)
		JOIN accounts a ON a.id = $1::text || lpad(p.person::text, 35, '0') AND a.platform = $2::text
		CROSS JOIN generate_series(1, $4::bigint) g`,
		prefix, platform, base, n, s.People(), arrayText(list), seed.BadgePrefix,
	)
	if err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	for _, statement := range []string{
		`INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
		SELECT post, account, 'badge', badge, NULL, '', 0, false, (SELECT now_ms FROM clock) FROM queued`,
		`INSERT INTO lanes (lane, platform, tenant, next_at, active)
		SELECT DISTINCT lane, platform, tenant, (SELECT now_ms FROM clock), true FROM queued ORDER BY lane
		ON CONFLICT (lane) DO UPDATE SET active = true`,
		`INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, attempts, available_at, created_at)
		SELECT lane, 'post', post, '', post || '.k', true, 'ready', 0, (SELECT now_ms FROM clock), (SELECT now_ms FROM clock)
		FROM queued ORDER BY g, lane`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("queue messages: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	return nil
}

// arrayText is an array as PostgreSQL reads it.
func arrayText(list []int64) string {
	text := fmt.Sprint(list)
	out := []byte("{" + text[1:len(text)-1] + "}")
	for i, b := range out {
		if b == ' ' {
			out[i] = ','
		}
	}
	return string(out)
}

// Range are the numbers from first to last.
func Range(first, last int) []int {
	out := make([]int, 0, last-first+1)
	for i := first; i <= last; i++ {
		out = append(out, i)
	}
	return out
}
