package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// badgeColumns reads a [badgeRow] from badgeTables.
const (
	badgeColumns = `b.id, b.award_id, b.provider_id, b.template_id, b.recipient_shown, b.recipient, b.first_name,
	b.last_name, b.locale, b.stage, b.issued_at, b.expires_at, b.certificate_number, b.certificate_url, b.accept_url,
	b.badge_url, b.owner_url, b.replaced_by, b.moving, b.decided_at, b.provider_time, b.read_at, b.next_poll_at,
	COALESCE(t.name, '') AS template_name, COALESCE(t.description, '') AS template_description,
	COALESCE(t.image_url, '') AS template_image`
	badgeTables = `badges b LEFT JOIN templates t ON t.id = b.template_id`
)

// badgeRow is a badge as it is stored. Its JSON names serve as the columns
// of rows.
type badgeRow struct {
	ID                  string `db:"id" json:"id"`
	AwardID             string `db:"award_id" json:"award_id"`
	ProviderID          string `db:"provider_id" json:"provider_id"`
	TemplateID          string `db:"template_id" json:"template_id"`
	RecipientShown      string `db:"recipient_shown" json:"recipient_shown"`
	Recipient           string `db:"recipient" json:"recipient"`
	FirstName           string `db:"first_name" json:"first_name"`
	LastName            string `db:"last_name" json:"last_name"`
	Locale              string `db:"locale" json:"locale"`
	Stage               string `db:"stage" json:"stage"`
	IssuedAt            int64  `db:"issued_at" json:"issued_at"`
	ExpiresAt           int64  `db:"expires_at" json:"expires_at"`
	CertificateNumber   string `db:"certificate_number" json:"certificate_number"`
	CertificateURL      string `db:"certificate_url" json:"certificate_url"`
	AcceptURL           string `db:"accept_url" json:"-"`
	BadgeURL            string `db:"badge_url" json:"-"`
	OwnerURL            string `db:"owner_url" json:"-"`
	ReplacedBy          string `db:"replaced_by" json:"-"`
	Moving              bool   `db:"moving" json:"moving"`
	DecidedAt           int64  `db:"decided_at" json:"decided_at"`
	ProviderTime        int64  `db:"provider_time" json:"-"`
	ReadAt              int64  `db:"read_at" json:"-"`
	NextPollAt          int64  `db:"next_poll_at" json:"-"`
	TemplateName        string `db:"template_name" json:"-"`
	TemplateDescription string `db:"template_description" json:"-"`
	TemplateImage       string `db:"template_image" json:"-"`
}

func (r badgeRow) stage() core.Stage { return core.Stage(r.Stage) }

func (r badgeRow) badge() core.Badge {
	return core.Badge{
		ID: r.ID, AwardID: r.AwardID, ProviderID: r.ProviderID,
		Template: core.Template{
			ID: r.TemplateID, Name: r.TemplateName, Description: r.TemplateDescription, ImageURL: r.TemplateImage,
		},
		Recipient: core.Email{Shown: r.RecipientShown, Normal: r.Recipient},
		FirstName: r.FirstName, LastName: r.LastName, Locale: r.Locale,
		Stage: r.stage(), IssuedAt: at(r.IssuedAt), ExpiresAt: at(r.ExpiresAt),
		Certificate: core.Certificate{Number: r.CertificateNumber, URL: r.CertificateURL},
		AcceptURL:   r.AcceptURL, BadgeURL: r.BadgeURL, OwnerURL: r.OwnerURL, ReplacedBy: r.ReplacedBy,
		ProviderTime: at(r.ProviderTime), ReadAt: at(r.ReadAt),
	}
}

func (r runner) badge(ctx context.Context, id string) (core.Badge, error) {
	var row badgeRow
	err := r.get(ctx, &row, `SELECT `+badgeColumns+` FROM `+badgeTables+` WHERE b.id = ?`, id)
	return row.badge(), err
}

// Badge implements [core.BadgeStore].
func (d *DB) Badge(ctx context.Context, id string) (core.Badge, error) {
	return d.run().badge(ctx, id)
}

// viewQuery reads [viewRow]s of the member given first.
const viewQuery = `SELECT ` + badgeColumns + `, b.shared_at > 0 AS shared,
		COALESCE(h.id, '') AS handoff_id, COALESCE(h.member_id, '') AS handoff_member,
		COALESCE(h.state, '') AS handoff_state, COALESCE(h.opened_at, 0) AS handoff_opened,
		COALESCE(h.expires_at, 0) AS handoff_expires
	FROM members m JOIN addresses d ON d.member_id = m.id JOIN badges b ON b.recipient = d.normal
	LEFT JOIN templates t ON t.id = b.template_id
	LEFT JOIN handoffs h ON h.id = (
		SELECT n.id FROM handoffs n WHERE n.badge_id = b.id ORDER BY n.opened_at DESC, n.id DESC LIMIT 1)
	WHERE m.id = ? `

type viewRow struct {
	badgeRow
	Shared         bool   `db:"shared"`
	HandoffID      string `db:"handoff_id"`
	HandoffMember  string `db:"handoff_member"`
	HandoffState   string `db:"handoff_state"`
	HandoffOpened  int64  `db:"handoff_opened"`
	HandoffExpires int64  `db:"handoff_expires"`
}

func (r viewRow) view() core.BadgeView {
	v := core.BadgeView{Badge: r.badge(), Shared: r.Shared}
	if r.HandoffID != "" {
		v.Handoff = &core.Handoff{
			ID: r.HandoffID, BadgeID: r.ID, MemberID: r.HandoffMember, State: core.HandoffState(r.HandoffState),
			OpenedAt: at(r.HandoffOpened), ExpiresAt: at(r.HandoffExpires),
		}
	}
	return v
}

// BadgesOf implements [core.PersonStore].
func (d *DB) BadgesOf(ctx context.Context, memberID string) ([]core.BadgeView, error) {
	var found []viewRow
	err := d.run().all(ctx, &found, viewQuery+`ORDER BY CASE
			WHEN b.stage IN ('granted', 'pending') THEN 0
			WHEN b.stage IN ('accepted', 'public') THEN 1
			WHEN b.stage = 'unknown' THEN 2 ELSE 3 END,
		b.issued_at DESC, b.created_at DESC, b.id DESC`, memberID)
	views := make([]core.BadgeView, 0, len(found))
	for _, row := range found {
		views = append(views, row.view())
	}
	return views, err
}

// BadgeViewFor implements [core.BadgeStore].
func (d *DB) BadgeViewFor(ctx context.Context, badgeID, memberID string) (core.BadgeView, error) {
	var row viewRow
	err := d.run().get(ctx, &row, viewQuery+`AND b.id = ?`, memberID, badgeID)
	return row.view(), err
}

// DuePolls implements [core.BadgeStore].
func (d *DB) DuePolls(ctx context.Context, now time.Time, limit int, retry time.Duration) ([]core.Badge, error) {
	var due []badgeRow
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var ids []string
		due = nil
		err := t.all(ctx, &ids, `UPDATE badges SET next_poll_at = ? WHERE id IN (
				SELECT id FROM badges WHERE next_poll_at > 0 AND next_poll_at <= ?
				ORDER BY next_poll_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
			RETURNING id`, ms(now.Add(retry)), ms(now), limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		return t.all(ctx, &due, `SELECT `+badgeColumns+` FROM `+badgeTables+` WHERE b.id IN $texts ORDER BY b.id`, texts(ids))
	})
	badges := make([]core.Badge, 0, len(due))
	for _, row := range due {
		badges = append(badges, row.badge())
	}
	return badges, err
}
