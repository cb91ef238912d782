package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

const lockedBadge = `SELECT ` + badgeColumns + ` FROM ` + badgeTables + ` WHERE `

// SaveObservation implements [core.Tx].
//
// A badge of an award that the provider now knows under another id, because
// it was replaced or awarded again, stays behind as what it is; the award
// goes over to the new badge.
func (t *tx) SaveObservation(ctx context.Context, o core.Observation, now time.Time, plan core.PollPlan) (core.Change, error) {
	o = cleanObservation(o)
	before, heir, err := t.findObserved(ctx, o)
	if errors.Is(err, core.ErrNotFound) {
		return t.insertObserved(ctx, o, heir, now, plan)
	}
	if err != nil {
		return core.Change{}, err
	}
	change := core.Change{Before: before.badge(), After: before.badge()}
	if !says(o, before) {
		return change, t.planPoll(ctx, before, plan, before.ProviderID == "" && o.ProviderID != "", o.ProviderID)
	}
	if err := t.saveTemplates(ctx, []core.Template{o.Template}, now); err != nil {
		return core.Change{}, err
	}
	after := before
	observe(&after, o)
	if after.NextPollAt, err = t.nextPoll(ctx, before.ID, plan); err != nil {
		return core.Change{}, err
	}
	_, err = t.exec(ctx, `UPDATE badges SET provider_id = ?, template_id = ?, recipient_shown = ?, recipient = ?,
			first_name = ?, last_name = ?, locale = ?, stage = ?, issued_at = ?, expires_at = ?, accept_url = ?,
			stage_at = CASE WHEN stage <> ? THEN ? ELSE stage_at END, was_public = was_public OR stage = 'public',
			accepted_at = CASE WHEN accepted_at = 0 THEN ? ELSE accepted_at END,
			public_at = CASE WHEN public_at = 0 THEN ? ELSE public_at END,
			badge_url = ?, owner_url = ?, replaced_by = ?, moving = ?, provider_time = ?, read_at = ?, next_poll_at = ?, updated_at = ?
		WHERE id = ?`,
		after.ProviderID, after.TemplateID, after.RecipientShown, after.Recipient,
		after.FirstName, after.LastName, after.Locale, after.Stage, after.IssuedAt, after.ExpiresAt, after.AcceptURL,
		after.Stage, ms(now), after.cameTo(core.StageAccepted, now), after.cameTo(core.StagePublic, now), after.BadgeURL, after.OwnerURL, after.ReplacedBy, after.Moving, after.ProviderTime, after.ReadAt, after.NextPollAt, ms(now),
		after.ID)
	if err != nil {
		return core.Change{}, err
	}
	change, err = t.changed(ctx, change, before.ID)
	if err != nil || !change.Moved {
		return change, err
	}
	return change, t.touch(ctx, texts{before.Recipient, after.Recipient}, now)
}

// changed reads the badge again, with its template, and compares.
func (t *tx) changed(ctx context.Context, c core.Change, id string) (core.Change, error) {
	after, err := t.badge(ctx, id)
	if err != nil {
		return core.Change{}, err
	}
	c.After = after
	c.Moved = c.New || visible(c.Before) != visible(after)
	return c, nil
}

// visible is what a person sees of a badge.
func visible(b core.Badge) core.Badge {
	return core.Badge{
		Stage: b.Stage, Recipient: b.Recipient, BadgeURL: b.BadgeURL, ExpiresAt: b.ExpiresAt, ReplacedBy: b.ReplacedBy,
		Template: core.Template{Name: b.Template.Name, ImageURL: b.Template.ImageURL},
	}
}

// findObserved finds and locks the badge that o is about. When there is none
// the error is [core.ErrNotFound], and heir is the badge whose award belongs
// to the new one, or has no ID.
func (t *tx) findObserved(ctx context.Context, o core.Observation) (found, heir badgeRow, err error) {
	if o.ProviderID != "" {
		err = t.get(ctx, &found, lockedBadge+`b.provider_id = ? AND b.provider_id <> '' FOR UPDATE OF b`, o.ProviderID)
		if !errors.Is(err, core.ErrNotFound) {
			return found, heir, err
		}
	}
	if o.ExternalID != "" {
		err = t.get(ctx, &found, lockedBadge+`b.award_id = ? AND b.award_id <> '' FOR UPDATE OF b`, o.ExternalID)
		if err == nil && found.ProviderID != "" && found.ProviderID != o.ProviderID {
			if !o.Stage.Ended() && newer(o, found) {
				heir = found
			}
			return badgeRow{}, heir, core.ErrNotFound
		}
		if !errors.Is(err, core.ErrNotFound) {
			return found, heir, err
		}
	}
	if o.Stage.Ended() {
		// What ended before says nothing about an award that is still to come.
		return found, heir, core.ErrNotFound
	}
	// An award that was issued at another time is a renewal, see sameDecision.
	issued := ms(o.IssuedAt)
	if o.Stage == core.StagePending {
		issued = 0
	}
	err = t.get(ctx, &found, lockedBadge+`b.recipient = ? AND b.template_id = ? AND b.stage = 'granted'
		AND b.provider_id = '' AND (CAST(? AS bigint) = 0 OR b.issued_at = 0 OR b.issued_at BETWEEN ? AND ?)
		ORDER BY b.id LIMIT 1 FOR UPDATE OF b`, o.Recipient.Normal, o.Template.ID,
		issued, issued-issuedApart.Milliseconds(), issued+issuedApart.Milliseconds())
	return found, heir, err
}

// insertObserved stores a badge that was never seen before.
func (t *tx) insertObserved(ctx context.Context, o core.Observation, heir badgeRow, now time.Time, plan core.PollPlan) (core.Change, error) {
	if err := t.saveTemplates(ctx, []core.Template{o.Template}, now); err != nil {
		return core.Change{}, err
	}
	row := badgeRow{ID: core.NewID(), NextPollAt: ms(plan.At)}
	if heir.ID != "" {
		row.AwardID, row.DecidedAt = heir.AwardID, heir.DecidedAt
		row.FirstName, row.LastName, row.Locale = heir.FirstName, heir.LastName, heir.Locale
		row.CertificateNumber, row.CertificateURL = heir.CertificateNumber, heir.CertificateURL
		if _, err := t.exec(ctx, `UPDATE badges SET award_id = '', moving = false WHERE id = ?`, heir.ID); err != nil {
			return core.Change{}, err
		}
	}
	observe(&row, o)
	since := stageAt(o, now)
	n, err := t.exec(ctx, `INSERT INTO badges (id, award_id, provider_id, template_id, recipient_shown, recipient,
			first_name, last_name, locale, stage, issued_at, expires_at, certificate_number, certificate_url,
			accept_url, badge_url, owner_url, replaced_by, decided_at, provider_time, read_at, next_poll_at, stage_at, accepted_at, public_at,
			created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		row.ID, row.AwardID, row.ProviderID, row.TemplateID, row.RecipientShown, row.Recipient,
		row.FirstName, row.LastName, row.Locale, row.Stage, row.IssuedAt, row.ExpiresAt, row.CertificateNumber,
		row.CertificateURL, row.AcceptURL, row.BadgeURL, row.OwnerURL, row.ReplacedBy, row.DecidedAt, row.ProviderTime, row.ReadAt,
		row.NextPollAt, ms(since), row.cameTo(core.StageAccepted, since), row.cameTo(core.StagePublic, since), ms(now), ms(now))
	if err != nil {
		return core.Change{}, err
	}
	if n == 0 {
		return core.Change{}, errConflict()
	}
	if err := t.touch(ctx, texts{row.Recipient}, now); err != nil {
		return core.Change{}, err
	}
	return t.changed(ctx, core.Change{Before: core.Badge{Stage: core.StageUnknown}, New: true}, row.ID)
}

// stageAt is since when a badge that was never seen before is in its stage:
// since the provider says so, unless that is still to come.
func stageAt(o core.Observation, now time.Time) time.Time {
	if !o.At.IsZero() && o.At.Before(now) {
		return o.At
	}
	return now
}

// cameTo is when a badge that is in its stage since then came to a stage at
// the latest; 0 where it did not get there.
func (r badgeRow) cameTo(stage core.Stage, since time.Time) int64 {
	if r.stage() == stage || stage == core.StageAccepted && r.stage().Held() {
		return ms(since)
	}
	return 0
}

// says reports whether o has something to say about the stored badge. A state
// of the provider that is not understood never takes the place of one that
// is, whatever their times, so that the order of arrival does not matter.
func says(o core.Observation, stored badgeRow) bool {
	known, understood := stored.stage() != core.StageUnknown, o.Stage != core.StageUnknown
	if known != understood {
		return understood
	}
	return newer(o, stored)
}

func newer(o core.Observation, stored badgeRow) bool {
	return cmp.Or(cmp.Compare(ms(o.At), stored.ProviderTime), cmp.Compare(ms(o.ReadAt), stored.ReadAt)) >= 0
}

// observe puts what the provider says into r. The body's own word about the
// person stands above the provider's, and about a pending badge that is on
// its way to another address.
func observe(r *badgeRow, o core.Observation) {
	r.ProviderID = cmp.Or(o.ProviderID, r.ProviderID)
	r.TemplateID = cmp.Or(o.Template.ID, r.TemplateID)
	if r.AwardID == "" {
		r.FirstName, r.LastName, r.Locale = o.FirstName, o.LastName, o.Locale
	} else {
		r.FirstName, r.LastName = cmp.Or(r.FirstName, o.FirstName), cmp.Or(r.LastName, o.LastName)
		r.Locale = cmp.Or(r.Locale, o.Locale)
	}
	if r.Moving && (o.Stage != core.StagePending || o.Recipient.Normal == r.Recipient) {
		r.Moving = false
	}
	if !r.Moving && o.Recipient.Normal != "" && o.Recipient.Normal != r.Recipient {
		r.Recipient, r.RecipientShown = o.Recipient.Normal, o.Recipient.Shown
	}
	r.Stage = string(o.Stage)
	r.IssuedAt, r.ExpiresAt = ms(o.IssuedAt), ms(o.ExpiresAt)
	r.AcceptURL = ""
	if o.Stage == core.StagePending {
		r.AcceptURL = o.AcceptURL
	}
	r.BadgeURL, r.OwnerURL, r.ReplacedBy = o.BadgeURL, o.OwnerURL, o.ReplacedBy
	r.ProviderTime, r.ReadAt = ms(o.At), ms(o.ReadAt)
}

// planPoll plans the next reading of a badge about which nothing newer was
// said. A plan of never belongs to the older state: it counts only for a
// badge that has ended. With attach, the badge gets its provider's id.
func (t *tx) planPoll(ctx context.Context, stored badgeRow, plan core.PollPlan, attach bool, providerID string) error {
	next := stored.NextPollAt
	if !plan.At.IsZero() || stored.stage().Ended() {
		var err error
		if next, err = t.nextPoll(ctx, stored.ID, plan); err != nil {
			return err
		}
	}
	if next == stored.NextPollAt && !attach {
		return nil
	}
	if !attach {
		providerID = stored.ProviderID
	}
	_, err := t.exec(ctx, `UPDATE badges SET next_poll_at = ?, provider_id = ? WHERE id = ?`, next, providerID, stored.ID)
	return err
}

// nextPoll is when the plan has the badge read again.
func (t *tx) nextPoll(ctx context.Context, badgeID string, plan core.PollPlan) (int64, error) {
	if plan.At.IsZero() || plan.Soon.IsZero() || !plan.Soon.Before(plan.At) {
		return ms(plan.At), nil
	}
	var watched int
	err := t.get(ctx, &watched, `SELECT count(*) FROM handoffs
		WHERE badge_id = ? AND state = 'followed' AND followed_at > ?`, badgeID, ms(plan.Since))
	if watched > 0 {
		return ms(plan.Soon), err
	}
	return ms(plan.At), err
}

func cleanObservation(o core.Observation) core.Observation {
	for _, s := range []*string{
		&o.ProviderID, &o.ExternalID, &o.Recipient.Shown, &o.Recipient.Normal, &o.FirstName, &o.LastName, &o.Locale,
		&o.Template.ID, &o.AcceptURL, &o.BadgeURL, &o.OwnerURL, &o.ReplacedBy,
	} {
		*s = clean(*s)
	}
	return o
}
