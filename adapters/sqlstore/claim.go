package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

const issueSource = "issue"

// Claim implements [core.ClaimStore]. PostgreSQL does the usual claim in one
// statement; what that does not do is done step by step. A card of these is
// not leased: only who has locked a lane may say that nothing waits in it.
func (d *DB) Claim(ctx context.Context, p core.ClaimParams) (core.Opening, error) {
	var o core.Opening
	if d.dialect.postgres {
		err := d.again(ctx, func() (err error) {
			o, err = d.claimAtOnce(ctx, p)
			return err
		})
		if !errors.Is(err, core.ErrUnmet) {
			return o, err
		}
		p.LeaseUntil = time.Time{}
	}
	err := d.inTx(ctx, func(ctx context.Context, t *tx) (err error) {
		o, err = t.claim(ctx, p)
		return err
	})
	return o, err
}

// claimRow is what a claim led to: the handoff, its badge, who claimed, and
// the delivery where it was leased.
type claimRow struct {
	badgeRow
	HandoffID string `db:"handoff_id"`
	MemberID  string `db:"handoff_member"`
	State     string `db:"handoff_state"`
	OpenedAt  int64  `db:"handoff_opened"`
	EndsAt    int64  `db:"handoff_expires"`
	// DeliveryID is 0 where the delivery was not leased.
	DeliveryID  int64  `db:"delivery_id"`
	Post        string `db:"post_id"`
	Key         string `db:"delivery_key"`
	AccountID   string `db:"account_id"`
	Owner       string `db:"owner"`
	Language    string `db:"account_locale"`
	TimeZone    string `db:"account_zone"`
	DisplayName string `db:"account_name"`
}

// claimLane is the lane of what shows a claim.
func claimLane(p core.ClaimParams) string {
	if p.Place.MessageKey == core.HomeKey {
		return p.Actor.HomeLane()
	}
	return p.Actor.Lane()
}

func (r claimRow) opening(p core.ClaimParams) core.Opening {
	h := core.Handoff{
		ID: r.HandoffID, BadgeID: r.ID, MemberID: r.MemberID, State: core.HandoffState(r.State),
		OpenedAt: at(r.OpenedAt), ExpiresAt: at(r.EndsAt),
	}
	o := core.Opening{Handoff: h, Fresh: r.HandoffID == p.HandoffID}
	if r.DeliveryID != 0 {
		o.Parcel = &core.Parcel{
			Delivery: r.DeliveryID, Lane: claimLane(p), Key: r.Key, QueuedAt: p.Now,
			Post: core.Post{
				ID: r.Post, Subject: core.Subject{Kind: core.SubjectHandoff, ID: h.ID}, Place: p.Place,
				Account: core.Account{
					ID: r.AccountID, Identity: p.Actor, MemberID: r.Owner,
					Locale: r.Language, TimeZone: r.TimeZone, DisplayName: r.DisplayName,
				},
			},
			View: core.HandoffView{Handoff: h, Badge: r.badge(), Owned: true, Locale: r.Language},
		}
	}
	return o
}

// claim opens a handoff step by step. The locks are PostgreSQL's: no second
// claim of the badge, and no address removed meanwhile.
func (t *tx) claim(ctx context.Context, p core.ClaimParams) (core.Opening, error) {
	var row claimRow
	err := t.get(ctx, &row, `SELECT `+badgeColumns+`, a.id AS account_id, a.member_id AS owner,
			a.locale AS account_locale, a.time_zone AS account_zone, a.display_name AS account_name
		FROM accounts a JOIN addresses d ON d.member_id = a.member_id JOIN badges b ON b.recipient = d.normal
		LEFT JOIN templates t ON t.id = b.template_id
		WHERE a.platform = ? AND a.tenant = ? AND a.user_id = ? AND b.id = ? AND b.stage IN ('granted', 'pending')
		FOR NO KEY UPDATE OF b FOR SHARE OF d`,
		p.Actor.Platform, p.Actor.Tenant, p.Actor.User, p.BadgeID)
	if errors.Is(err, core.ErrNotFound) {
		return core.Opening{}, core.ErrUnmet
	}
	if err != nil {
		return core.Opening{}, err
	}
	var stale []string
	err = t.all(ctx, &stale, `UPDATE handoffs SET state = 'expired', closed_at = ?
		WHERE badge_id = ? AND state IN ('preparing', 'open') AND expires_at <= ? RETURNING id`,
		ms(p.Now), p.BadgeID, ms(p.Now))
	if err != nil {
		return core.Opening{}, err
	}
	state, expires := core.HandoffOpen, p.ExpiresAt
	if row.stage() == core.StageGranted {
		state, expires = core.HandoffPreparing, p.IssueBy
	}
	var h handoffRow
	err = t.get(ctx, &h, `INSERT INTO handoffs (`+handoffColumns+`) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (badge_id) WHERE state IN ('preparing', 'open') DO NOTHING RETURNING `+handoffColumns,
		p.HandoffID, p.BadgeID, row.Owner, state, ms(p.Now), ms(expires))
	if errors.Is(err, core.ErrNotFound) {
		err = t.get(ctx, &h, `SELECT `+handoffColumns+` FROM handoffs
			WHERE badge_id = ? AND state IN ('preparing', 'open')`, p.BadgeID)
	}
	if err != nil {
		return core.Opening{}, err
	}
	row.HandoffID, row.MemberID, row.State, row.OpenedAt, row.EndsAt = h.ID, h.MemberID, h.State, h.OpenedAt, h.ExpiresAt
	if p.PostID != "" {
		if err := t.showClaim(ctx, &row, p); err != nil {
			return core.Opening{}, err
		}
	}
	if err := t.tellHandoffs(ctx, stale, false, p.Now); err != nil {
		return core.Opening{}, err
	}
	if h.ID == p.HandoffID {
		if err := t.noteClaim(ctx, row, p); err != nil {
			return core.Opening{}, err
		}
	}
	return row.opening(p), nil
}

// showClaim adds the post and its delivery, and leases it if it can be sent
// at once.
func (t *tx) showClaim(ctx context.Context, row *claimRow, p core.ClaimParams) error {
	var idle bool
	err := t.get(ctx, &idle, `SELECT NOT EXISTS (SELECT 1 FROM lanes WHERE lane = ? AND (active OR next_at > ?))
		AND NOT EXISTS (SELECT 1 FROM installations WHERE platform = ? AND tenant = ? AND dead <> '')`,
		claimLane(p), ms(p.Now), p.Actor.Platform, p.Actor.Tenant)
	if err != nil {
		return err
	}
	row.Post, err = t.AddPost(ctx, core.Post{
		ID: p.PostID, Account: core.Account{ID: row.AccountID},
		Subject: core.Subject{Kind: core.SubjectHandoff, ID: row.HandoffID}, Place: p.Place,
	}, p.Now)
	if err != nil {
		return err
	}
	if err := t.Tell(ctx, row.Post, true, p.Now); err != nil || !idle || p.LeaseUntil.IsZero() {
		return err
	}
	var leased deliveryRow
	err = t.get(ctx, &leased, `UPDATE outbox SET state = 'sending', attempts = 1, available_at = ?, first_try_at = ?
		WHERE ref = ? AND kind = 'post' AND state = 'ready' RETURNING id, delivery_key`,
		ms(p.LeaseUntil), ms(p.Now), row.Post)
	if err != nil {
		return err
	}
	row.DeliveryID, row.Key = leased.ID, leased.Key
	_, err = t.exec(ctx, `UPDATE lanes SET next_at = ? WHERE lane = ?`, ms(p.LeaseUntil), claimLane(p))
	return err
}

// noteClaim does what follows from a handoff that was opened just now.
func (t *tx) noteClaim(ctx context.Context, row claimRow, p core.ClaimParams) error {
	if err := t.Audit(ctx, row.Owner, "badge.claim", p.BadgeID, p.Now); err != nil {
		return err
	}
	if row.stage() == core.StageGranted {
		k := inbox.KindIssue
		if err := t.QueueWork(ctx, issueSource, p.HandoffID, core.WorkKind(k), p.HandoffID, p.Now); err != nil {
			return err
		}
	}
	if p.Announce {
		return t.QueueEvent(ctx, core.EventClaimed, p.BadgeID, p.EventID, p.Now)
	}
	return nil
}
