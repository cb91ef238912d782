package sqlstore

import (
	"context"
	"math"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// editReminderFor is how old a reminder's message may be to be edited into
// the next one. An edit rings no bell: after some days a new message follows.
const editReminderFor = 6 * 24 * time.Hour

// snoozeMatters is for how long after its end somebody's quiet matters to what
// is due, at least.
const snoozeMatters = 30 * 24 * time.Hour

// wishesRow is what a member wants.
type wishesRow struct {
	Stopped      bool   `db:"stopped"`
	SnoozedUntil int64  `db:"snoozed_until"`
	Zone         string `db:"zone"`
	From         int    `db:"hours_from"`
	To           int    `db:"hours_to"`
	Days         int    `db:"days"`
	AskedZone    bool   `db:"asked_zone"`
}

const wishesColumns = `m.stopped, m.snoozed_until, m.zone, m.hours_from, m.hours_to, m.days, m.asked_zone`

func (r wishesRow) wishes() core.Wishes {
	return core.Wishes{
		Stopped: r.Stopped, SnoozedUntil: at(r.SnoozedUntil), Zone: r.Zone, AskedZone: r.AskedZone,
		From: minutes(r.From), To: minutes(r.To), Days: core.Weekdays(r.Days),
	}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// dueMember is a member whose time to be looked at has come.
type dueMember struct {
	wishesRow
	ID           string `db:"id"`
	RemindAt     int64  `db:"remind_at"`
	RemindFrom   int64  `db:"remind_from"`
	RemindedOn   string `db:"reminded_on"`
	ReminderPost string `db:"reminder_post"`
}

// remindRow is what is stored of a decision about a member.
type remindRow struct {
	ID   string `json:"id"`
	Next int64  `json:"next"`
	// Day and Post are those of the reminder, or as they were.
	Day  string `json:"day"`
	Post string `json:"post"`
}

// stepRow is a step that is done by a reminder.
type stepRow struct {
	BadgeID  string `json:"badge_id"`
	Policy   string `json:"policy"`
	Step     int    `json:"step"`
	Reminder string `json:"reminder"`
}

// carriedRow is a reminder and the one that takes its place unseen.
type carriedRow struct {
	From string `json:"from_id"`
	To   string `json:"to_id"`
}

// reminderPost is a post that shows a reminder from now on.
type reminderPost struct {
	ID      string `json:"id"`
	Account string `json:"account_id"`
	Subject string `json:"subject_id"`
}

// reminding is everything that a look at some members has led to.
type reminding struct {
	counts  core.RemindCounts
	members []remindRow
	steps   []stepRow
	// fresh are posts that are new, taken those that are edited.
	fresh, taken []reminderPost
	// carried are reminders that nobody saw, whose steps the next ones take over.
	carried []carriedRow
	lanes   []laneRow
	queue   []queueRow
}

// PlanReminders implements [core.RemindStore]. Members are locked first, then
// lanes, then posts.
func (d *DB) PlanReminders(
	ctx context.Context, now time.Time, after core.Cursor, limit int, decide func(core.Remindable) core.Reminding,
) (core.RemindCounts, core.Cursor, error) {
	var counts core.RemindCounts
	next := after
	d.prepare(ctx, dueMembers, chosenAccounts, occasionsOf, stepsDone)
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var due []dueMember
		err := t.hot().all(ctx, &due, dueMembers, ms(now), ms(after.At), after.ID, limit)
		if err != nil || len(due) == 0 {
			counts, next = core.RemindCounts{}, after
			return err
		}
		last := due[len(due)-1]
		next = core.Cursor{At: at(last.RemindAt), ID: last.ID}
		plan, err := t.remind(ctx, now, due, decide)
		if err != nil {
			return err
		}
		counts = plan.counts
		counts.Late = now.Sub(at(due[0].RemindAt))
		return t.storeReminders(ctx, now, plan)
	})
	return counts, next, err
}

// The statements of planning.
const (
	dueMembers = `SELECT m.id, m.remind_at, m.remind_from, m.reminded_on, m.reminder_post, ` + wishesColumns + `
		FROM members m WHERE m.remind_at > 0 AND m.remind_at <= ?
			AND (m.remind_at, m.id) > (CAST(? AS bigint), CAST(? AS text))
		ORDER BY m.remind_at, m.id LIMIT ? FOR UPDATE SKIP LOCKED`
	// A person is reminded where they were last seen.
	chosenAccounts = `SELECT ` + accountColumns + ` FROM (
			SELECT a.*, row_number() OVER (PARTITION BY a.member_id ORDER BY a.seen_at DESC, a.id DESC) AS n
			FROM accounts a WHERE a.member_id IN $texts AND NOT EXISTS (SELECT 1 FROM installations i
				WHERE i.platform = a.platform AND i.tenant = a.tenant AND i.dead <> '')) AS a
		WHERE a.n = 1`
	occasionsOf = `SELECT d.member_id, d.verified_at, b.id, b.template_id, b.stage, b.stage_at, b.issued_at, b.expires_at,
			b.was_public OR b.stage = 'accepted' AND EXISTS (SELECT 1 FROM member_tasks k WHERE k.member_id = d.member_id
				AND k.task = 'public' AND k.scope = b.id AND k.said = 'skipped') AS was_public, b.shared_at,
			COALESCE((SELECT max(h.followed_at) FROM handoffs h WHERE h.badge_id = b.id), 0) AS followed_at
		FROM addresses d JOIN badges b ON b.recipient = d.normal
		WHERE d.member_id IN $texts AND b.stage IN ('granted', 'pending', 'accepted', 'public')
		ORDER BY b.issued_at, b.id`
	stepsDone = `SELECT badge_id, policy, max(step) AS step FROM reminder_steps
		WHERE badge_id IN $texts GROUP BY badge_id, policy`
)

type occasionRow struct {
	MemberID   string `db:"member_id"`
	VerifiedAt int64  `db:"verified_at"`
	ID         string `db:"id"`
	TemplateID string `db:"template_id"`
	Stage      string `db:"stage"`
	StageAt    int64  `db:"stage_at"`
	IssuedAt   int64  `db:"issued_at"`
	ExpiresAt  int64  `db:"expires_at"`
	WasPublic  bool   `db:"was_public"`
	SharedAt   int64  `db:"shared_at"`
	FollowedAt int64  `db:"followed_at"`
}

func (r occasionRow) occasion(from int64) core.Occasion {
	return core.Occasion{
		BadgeID: r.ID, Stage: core.Stage(r.Stage), Since: at(max(r.StageAt, r.VerifiedAt, from)),
		FollowedAt: at(r.FollowedAt), ExpiresAt: at(r.ExpiresAt), WasPublic: r.WasPublic, SharedAt: at(r.SharedAt),
		Done: map[core.Policy]int{},
	}
}

// lasting returns until when a person has a badge of each template.
func lasting(badges []occasionRow) map[string]int64 {
	last := make(map[string]int64, len(badges))
	for _, b := range badges {
		last[b.TemplateID] = max(last[b.TemplateID], b.lasts())
	}
	return last
}

// lasts is until when the badge is valid.
func (r occasionRow) lasts() int64 {
	if r.ExpiresAt == 0 {
		return math.MaxInt64
	}
	return r.ExpiresAt
}

// remind asks about each member and collects what follows.
func (t *tx) remind(
	ctx context.Context, now time.Time, due []dueMember, decide func(core.Remindable) core.Reminding,
) (reminding, error) {
	var out reminding
	ids, posts := make(texts, 0, len(due)), make(texts, 0, len(due))
	for _, m := range due {
		ids = append(ids, m.ID)
		if m.ReminderPost != "" {
			posts = append(posts, m.ReminderPost)
		}
	}
	accounts, err := t.chosenAccounts(ctx, ids)
	if err != nil {
		return out, err
	}
	customs, err := t.customsOf(ctx, accounts)
	if err != nil {
		return out, err
	}
	occasions, err := t.hot().occasionsOf(ctx, due, ids)
	if err != nil {
		return out, err
	}
	if err := t.lastSteps(ctx, now, due, occasions); err != nil {
		return out, err
	}
	shown, err := t.earlierReminders(ctx, posts)
	if err != nil {
		return out, err
	}
	for _, m := range due {
		account, reachable := accounts[m.ID]
		got := decide(core.Remindable{
			MemberID: m.ID, Zone: account.TimeZone, Reachable: reachable, Wishes: m.wishes(),
			Customs: customs[account.Team], Occasions: occasions[m.ID],
			RemindedOn: m.RemindedOn,
		})
		out.add(now, m, account, got, shown[m.ReminderPost])
	}
	return out, nil
}

// add notes a decision about a member.
func (out *reminding) add(now time.Time, m dueMember, account accountRow, got core.Reminding, earlier *earlierReminder) {
	out.counts.Looked++
	if got.Reason != "" {
		if out.counts.Skipped == nil {
			out.counts.Skipped = map[string]int{}
		}
		out.counts.Skipped[got.Reason]++
	}
	row := remindRow{ID: m.ID, Next: ms(got.Next), Day: m.RemindedOn, Post: m.ReminderPost}
	if len(got.Steps) == 0 {
		out.members = append(out.members, row)
		return
	}
	id := core.ReminderID(m.ID, got.Day)
	for _, s := range got.Steps {
		out.steps = append(out.steps, stepRow{BadgeID: s.BadgeID, Policy: string(s.Policy), Step: s.Number, Reminder: id})
	}
	out.counts.Reminders++
	out.counts.Steps += len(got.Steps)

	identity := account.account().Identity
	lane := identity.Lane()
	tell := func(post string) {
		out.queue = append(out.queue, queueRow{
			N: len(out.queue), Lane: lane, Kind: string(delivery.KindPost), Ref: post, Key: core.NewID(), Fallback: true,
		})
	}
	out.lanes = append(out.lanes, laneRow{Lane: lane, Platform: account.Platform, Tenant: account.Tenant})
	if earlier.editable(account.ID, now) {
		out.taken = append(out.taken, reminderPost{ID: earlier.ID, Account: account.ID, Subject: id})
		row.Post = earlier.ID
		if !earlier.Shown && earlier.recent(now) {
			out.carried = append(out.carried, carriedRow{From: earlier.SubjectID, To: id})
		}
	} else {
		row.Post = core.NewID()
		out.fresh = append(out.fresh, reminderPost{ID: row.Post, Account: account.ID, Subject: id})
		if earlier != nil && earlier.AccountID == account.ID && earlier.Shown {
			tell(earlier.ID)
		}
	}
	tell(row.Post)
	row.Day = got.Day
	out.members = append(out.members, row)
}

func (t *tx) chosenAccounts(ctx context.Context, members texts) (map[string]accountRow, error) {
	var found []accountRow
	if err := t.hot().all(ctx, &found, chosenAccounts, members); err != nil {
		return nil, err
	}
	accounts := make(map[string]accountRow, len(found))
	for _, a := range found {
		accounts[a.MemberID] = a
	}
	return accounts, nil
}

func (r runner) occasionsOf(ctx context.Context, due []dueMember, members texts) (map[string][]core.Occasion, error) {
	var found []occasionRow
	if err := r.all(ctx, &found, occasionsOf, members); err != nil {
		return nil, err
	}
	badges := make(texts, 0, len(found))
	byMember := make(map[string][]occasionRow, len(due))
	for _, row := range found {
		badges = append(badges, row.ID)
		byMember[row.MemberID] = append(byMember[row.MemberID], row)
	}
	var done []struct {
		BadgeID string `db:"badge_id"`
		Policy  string `db:"policy"`
		Step    int    `db:"step"`
	}
	if err := r.all(ctx, &done, stepsDone, badges); err != nil {
		return nil, err
	}
	steps := make(map[string]map[core.Policy]int, len(done))
	for _, s := range done {
		if steps[s.BadgeID] == nil {
			steps[s.BadgeID] = map[core.Policy]int{}
		}
		steps[s.BadgeID][core.Policy(s.Policy)] = s.Step
	}
	out := make(map[string][]core.Occasion, len(due))
	for _, m := range due {
		rows := byMember[m.ID]
		last := lasting(rows)
		for _, row := range rows {
			o := row.occasion(m.RemindFrom)
			if d := steps[row.ID]; d != nil {
				o.Done = d
			}
			// Renewed by another one of the same template that is valid for longer.
			o.Renewed = last[row.TemplateID] > row.lasts()
			out[m.ID] = append(out[m.ID], o)
		}
	}
	return out, nil
}

// lastSteps notes of what the last reminder was about, for those who asked for
// quiet and may be reminded of it again.
func (t *tx) lastSteps(ctx context.Context, now time.Time, due []dueMember, occasions map[string][]core.Occasion) error {
	var last texts
	for _, m := range due {
		if m.SnoozedUntil > 0 && m.RemindedOn != "" && ms(now) < m.SnoozedUntil+snoozeMatters.Milliseconds() {
			last = append(last, core.ReminderID(m.ID, m.RemindedOn))
		}
	}
	if len(last) == 0 {
		return nil
	}
	var found []struct {
		BadgeID string `db:"badge_id"`
		Policy  string `db:"policy"`
		Step    int    `db:"step"`
	}
	if err := t.all(ctx, &found, `SELECT badge_id, policy, step FROM reminder_steps WHERE reminder IN $texts`, last); err != nil {
		return err
	}
	steps := make(map[string]core.Step, len(found))
	for _, s := range found {
		steps[s.BadgeID] = core.Step{BadgeID: s.BadgeID, Policy: core.Policy(s.Policy), Number: s.Step}
	}
	for _, all := range occasions {
		for i := range all {
			all[i].Last = steps[all[i].BadgeID]
		}
	}
	return nil
}

// touch has members looked at again, because something about the badges of
// these addresses has changed. The locks of members come before those of
// lanes, as in planning.
func (t *tx) touch(ctx context.Context, normals texts, now time.Time) error {
	if len(normals) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE members SET remind_at = ? WHERE id IN (
			SELECT member_id FROM addresses WHERE normal IN $texts) AND (remind_at = 0 OR remind_at > ?)`,
		ms(now), normals, ms(now))
	if err != nil {
		return err
	}
	return t.touchRoles(ctx, normals, now)
}

// touchMember does the same for one member.
func (t *tx) touchMember(ctx context.Context, memberID string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE members SET remind_at = ? WHERE id = ? AND (remind_at = 0 OR remind_at > ?)`,
		ms(now), memberID, ms(now))
	if err != nil {
		return err
	}
	return t.touchRolesOf(ctx, texts{memberID}, now)
}
