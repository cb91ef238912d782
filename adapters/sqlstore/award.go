package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

// importChunk keeps one statement of a large import well below the server's
// time limit for statements.
const importChunk = 2000

const replaceSource = "replace"

// ImportAwards implements [core.AwardSink]. An award of the same recipient
// and template as a badge that was only seen at the provider is that badge's;
// it counts as new.
func (d *DB) ImportAwards(ctx context.Context, awards []core.Award) (core.AwardCounts, error) {
	var counts core.AwardCounts
	d.prepare(ctx, badgesOfAwards, badgesOfPeople)
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		counts = core.AwardCounts{}
		var people texts
		for _, chunk := range chunks(awards) {
			n, touched, err := t.importAwards(ctx, chunk)
			if err != nil {
				return err
			}
			counts.Add(n)
			people = append(people, touched...)
		}
		// Lanes are locked after members, of which each chunk has its own.
		return t.tellAwarded(ctx, people)
	})
	if err != nil {
		return core.AwardCounts{}, err
	}
	return counts, nil
}

// chunks splits awards so that none has an award twice.
func chunks(awards []core.Award) [][]core.Award {
	var out [][]core.Award
	seen := make(map[string]bool, min(len(awards), importChunk))
	begin := 0
	for i, a := range awards {
		if seen[a.AwardID] || i-begin == importChunk {
			out = append(out, awards[begin:i])
			begin = i
			clear(seen)
		}
		seen[a.AwardID] = true
	}
	if begin < len(awards) {
		out = append(out, awards[begin:])
	}
	return out
}

type matchKey struct{ recipient, template string }

// importAwards also returns whose badges came or changed.
func (t *tx) importAwards(ctx context.Context, awards []core.Award) (core.AwardCounts, texts, error) {
	stored, free, err := t.findAwards(ctx, awards)
	if err != nil {
		return core.AwardCounts{}, nil, err
	}
	var counts core.AwardCounts
	var fresh, updated []badgeRow
	var moved []string
	for _, a := range awards {
		a = cleanAward(a)
		row, known := stored[a.AwardID]
		if !known {
			counts.New++
			key := matchKey{a.Recipient.Normal, a.TemplateID}
			fits := func(r badgeRow) bool { return sameDecision(r, ms(a.IssuedAt)) }
			if i := slices.IndexFunc(free[key], fits); i >= 0 {
				row := free[key][i]
				free[key] = slices.Delete(free[key], i, i+1)
				attachAward(&row, a)
				updated = append(updated, row)
				continue
			}
			fresh = append(fresh, grantedRow(a))
			continue
		}
		if ms(a.DecidedAt) <= row.DecidedAt {
			counts.Unchanged++
			continue
		}
		before := row
		decide(&row, a)
		before.DecidedAt = row.DecidedAt
		if before == row {
			counts.Unchanged++
		} else {
			counts.Changed++
		}
		if row.Moving && row.Recipient != before.Recipient {
			moved = append(moved, row.ID)
		}
		updated = append(updated, row)
	}
	if err := t.insertAwards(ctx, fresh); err != nil {
		return counts, nil, err
	}
	if err := t.updateAwards(ctx, updated); err != nil {
		return counts, nil, err
	}
	people, err := t.touchAwarded(ctx, fresh, updated)
	if err != nil {
		return counts, nil, err
	}
	return counts, people, t.queueReplacements(ctx, updated, moved)
}

// The statements of an import. They are kept prepared, and not only to save
// planning: for a list that it knows PostgreSQL would rather read the whole
// table, again for each of the first some hundred thousand awards.
const (
	badgesOfAwards = `SELECT ` + badgeColumns + ` FROM ` + badgeTables + `
		WHERE b.award_id IN $texts AND b.award_id <> '' ORDER BY b.id FOR UPDATE OF b`
	badgesOfPeople = `SELECT ` + badgeColumns + ` FROM ` + badgeTables + `
		WHERE b.recipient IN $texts AND b.award_id = '' AND b.provider_id <> ''
			AND b.stage NOT IN ('rejected', 'revoked', 'replaced', 'withdrawn')
		ORDER BY b.id`
)

// findAwards finds and locks the badges of the awards, and those that are
// only known from the provider and may be an award's.
func (t *tx) findAwards(ctx context.Context, awards []core.Award) (map[string]badgeRow, map[matchKey][]badgeRow, error) {
	ids := make(texts, 0, len(awards))
	for _, a := range awards {
		ids = append(ids, clean(a.AwardID))
	}
	var found []badgeRow
	err := t.hot().all(ctx, &found, badgesOfAwards, ids)
	if err != nil {
		return nil, nil, err
	}
	stored := make(map[string]badgeRow, len(found))
	for _, row := range found {
		stored[row.AwardID] = row
	}
	// Each person once: a body may award one of them many times. Their badges
	// of other templates are few, and left aside by who looks for one.
	people := make(texts, 0, len(awards))
	asked := make(map[string]bool, len(awards))
	for i, a := range awards {
		if _, known := stored[ids[i]]; !known && !asked[a.Recipient.Normal] {
			asked[a.Recipient.Normal] = true
			people = append(people, a.Recipient.Normal)
		}
	}
	if len(people) == 0 {
		return stored, nil, nil
	}
	found = nil
	err = t.hot().all(ctx, &found, badgesOfPeople, people)
	if err != nil {
		return nil, nil, err
	}
	free := make(map[matchKey][]badgeRow, len(found))
	for _, row := range found {
		key := matchKey{row.Recipient, row.TemplateID}
		free[key] = append(free[key], row)
	}
	return stored, free, nil
}

func grantedRow(a core.Award) badgeRow {
	row := badgeRow{ID: core.NewID(), AwardID: a.AwardID, Stage: string(core.StageGranted), DecidedAt: ms(a.DecidedAt)}
	takeAll(&row, a)
	return row
}

// issuedApart is how far the dates of an award and of the badge that the
// provider shows for it may lie apart.
const issuedApart = 90 * 24 * time.Hour

// sameDecision reports whether a badge at the provider and an award issued at
// the given time can be one: a renewal after years is a new badge, although
// person and template are the same.
func sameDecision(r badgeRow, issued int64) bool {
	if r.Stage == string(core.StagePending) || r.IssuedAt == 0 || issued == 0 {
		return true
	}
	return max(r.IssuedAt-issued, issued-r.IssuedAt) <= issuedApart.Milliseconds()
}

// takeAll takes over everything: the provider does not know the badge yet.
func takeAll(r *badgeRow, a core.Award) {
	takePerson(r, a)
	r.Recipient, r.RecipientShown = a.Recipient.Normal, a.Recipient.Shown
	r.TemplateID = a.TemplateID
	r.IssuedAt, r.ExpiresAt = ms(a.IssuedAt), ms(a.ExpiresAt)
}

// takePerson takes over what the provider does not decide.
func takePerson(r *badgeRow, a core.Award) {
	r.FirstName, r.LastName, r.Locale = a.FirstName, a.LastName, a.Locale
	r.CertificateNumber, r.CertificateURL = a.Certificate.Number, a.Certificate.URL
}

// attachAward gives a badge that was seen at the provider its award.
func attachAward(r *badgeRow, a core.Award) {
	r.AwardID, r.DecidedAt = a.AwardID, ms(a.DecidedAt)
	takePerson(r, a)
}

// decide applies a newer decision. A badge that was withdrawn is granted
// again. One that is pending at the provider moves to a changed address; one
// that its earner holds stays where it is.
func decide(r *badgeRow, a core.Award) {
	r.DecidedAt = ms(a.DecidedAt)
	switch r.stage() {
	case core.StageGranted, core.StageWithdrawn:
		r.Stage = string(core.StageGranted)
		takeAll(r, a)
		return
	case core.StagePending:
		if a.Recipient.Normal != r.Recipient {
			r.Recipient, r.RecipientShown, r.Moving = a.Recipient.Normal, a.Recipient.Shown, true
		}
	}
	takePerson(r, a)
}

const awardColumns = `id, award_id, template_id, recipient_shown, recipient, first_name, last_name, locale, stage,
	issued_at, expires_at, certificate_number, certificate_url, moving, decided_at`

const awardRows = `$rows(id text, award_id text, template_id text, recipient_shown text, recipient text,
	first_name text, last_name text, locale text, stage text, issued_at bigint, expires_at bigint,
	certificate_number text, certificate_url text, moving boolean, decided_at bigint)`

func (t *tx) insertAwards(ctx context.Context, fresh []badgeRow) error {
	if len(fresh) == 0 {
		return nil
	}
	n, err := t.exec(ctx, `INSERT INTO badges (`+awardColumns+`, stage_at, created_at, updated_at)
		SELECT `+awardColumns+`, (SELECT now_ms FROM clock), (SELECT now_ms FROM clock), (SELECT now_ms FROM clock) FROM `+awardRows+`
		WHERE true ON CONFLICT (award_id) WHERE award_id <> '' DO NOTHING`, rows{fresh})
	if err == nil && n < int64(len(fresh)) {
		err = errConflict()
	}
	return err
}

func (t *tx) updateAwards(ctx context.Context, updated []badgeRow) error {
	if len(updated) == 0 {
		return nil
	}
	n, err := t.exec(ctx, `UPDATE badges SET award_id = u.award_id, template_id = u.template_id,
			recipient_shown = u.recipient_shown, recipient = u.recipient, first_name = u.first_name,
			last_name = u.last_name, locale = u.locale, stage = u.stage,
			stage_at = CASE WHEN badges.stage <> u.stage THEN (SELECT now_ms FROM clock) ELSE stage_at END, issued_at = u.issued_at,
			expires_at = u.expires_at, certificate_number = u.certificate_number, certificate_url = u.certificate_url,
			moving = u.moving, decided_at = u.decided_at, updated_at = (SELECT now_ms FROM clock)
		FROM `+awardRows+` WHERE badges.id = u.id AND badges.award_id IN ('', u.award_id)`, rows{updated})
	if err == nil && n < int64(len(updated)) {
		err = errConflict()
	}
	return err
}

// touchAwarded has those looked at for reminders whose badges came or changed,
// and returns them.
func (t *tx) touchAwarded(ctx context.Context, fresh, updated []badgeRow) (texts, error) {
	people := make(texts, 0, len(fresh)+len(updated))
	for _, row := range slices.Concat(fresh, updated) {
		people = append(people, row.Recipient)
	}
	if len(people) == 0 {
		return nil, nil
	}
	var now int64
	if err := t.get(ctx, &now, `SELECT now_ms FROM clock`); err != nil {
		return nil, err
	}
	return people, t.touch(ctx, people, at(now))
}

// tellAwarded brings their homes up to date.
func (t *tx) tellAwarded(ctx context.Context, people texts) error {
	if len(people) == 0 {
		return nil
	}
	var now int64
	if err := t.get(ctx, &now, `SELECT now_ms FROM clock`); err != nil {
		return err
	}
	return t.tellHomesTo(ctx, people, at(now))
}

func (t *tx) queueReplacements(ctx context.Context, updated []badgeRow, moved []string) error {
	if len(moved) == 0 {
		return nil
	}
	decided := make(map[string]badgeRow, len(updated))
	for _, row := range updated {
		decided[row.ID] = row
	}
	k := inbox.KindReplace
	items := make([]workRow, 0, len(moved))
	for _, id := range moved {
		row := decided[id]
		items = append(items, workRow{
			Source: replaceSource, Key: row.AwardID + ":" + strconv.FormatInt(row.DecidedAt, 10),
			Kind: string(k), Priority: k.Priority(), Payload: id,
		})
	}
	return t.queueWork(ctx, items)
}

// WithdrawAward implements [core.Tx].
func (t *tx) WithdrawAward(ctx context.Context, awardID string, decided, now time.Time) (core.Badge, error) {
	awardID = clean(awardID)
	var row badgeRow
	err := t.get(ctx, &row, lockedBadge+`b.award_id = ? AND b.award_id <> '' FOR UPDATE OF b`, awardID)
	if errors.Is(err, core.ErrNotFound) {
		row = badgeRow{ID: core.NewID(), AwardID: awardID, Stage: string(core.StageWithdrawn), DecidedAt: ms(decided)}
		return row.badge(), t.insertAwards(ctx, []badgeRow{row})
	}
	if err != nil {
		return core.Badge{}, err
	}
	if row.DecidedAt > ms(decided) {
		return core.Badge{}, core.ErrUnmet
	}
	if row.stage() == core.StageGranted {
		row.Stage = string(core.StageWithdrawn)
	}
	_, err = t.exec(ctx, `UPDATE badges SET stage = ?, decided_at = ?, updated_at = ? WHERE id = ?`,
		row.Stage, ms(decided), ms(now), row.ID)
	return row.badge(), err
}

func cleanAward(a core.Award) core.Award {
	for _, s := range []*string{
		&a.AwardID, &a.FirstName, &a.LastName, &a.Locale, &a.TemplateID, &a.Certificate.Number, &a.Certificate.URL,
	} {
		*s = clean(*s)
	}
	return a
}
