// Package seed generates people with badges that wait, any number of them in
// seconds: by statements of PostgreSQL itself, with ids that follow from a
// number, so that whoever measures knows them without looking.
package seed

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The ids of the generated rows have the length of real ones.
const (
	BadgePrefix   = "00000000-0000-7000-8000-"
	discordPrefix = "80000000"
)

// BadgeID is the id of the n-th badge, from 1 on.
func BadgeID(n int) string { return fmt.Sprintf("%s%012d", BadgePrefix, n) }

// SlackUser is the Slack user of the n-th person, from 1 on.
func SlackUser(n int) string { return fmt.Sprintf("U%010d", n) }

// DiscordUser is the Discord user of the n-th person, from 1 on.
func DiscordUser(n int) string { return fmt.Sprintf("%s%010d", discordPrefix, n) }

// World is what is generated.
type World struct {
	// Badges is how many pending badges there are, and People how many people
	// own them, each with an account in Slack, one in Discord and an address.
	Badges, People int
	// Tenant is the workspace of the people in Slack.
	Tenant string
	// Now is when it all came to be, and Later when the bot is to read it again
	// at the provider.
	Now, Later time.Time
}

// Owner is the number of the person to whom the n-th badge was issued.
func (w World) Owner(badge int) int { return badge%w.People + 1 }

// Fill generates the world in a database that has a schema and no rows.
func (w World) Fill(ctx context.Context, db *sql.DB) error {
	names := strings.NewReplacer(
		"{badges}", strconv.Itoa(w.Badges), "{people}", strconv.Itoa(w.People), "{tenant}", w.Tenant,
		"{now}", strconv.FormatInt(w.Now.UnixMilli(), 10), "{later}", strconv.FormatInt(w.Later.UnixMilli(), 10),
		"{badge}", BadgePrefix, "{discord}", discordPrefix,
	)
	for _, one := range rows {
		if _, err := db.ExecContext(ctx, names.Replace(one)); err != nil {
			return fmt.Errorf("generate rows: %w", err)
		}
	}
	return nil
}

var rows = []string{
	`INSERT INTO members (id, created_at)
	SELECT 'm' || lpad(g::text, 35, '0'), {now} FROM generate_series(1, {people}) g`,
	`INSERT INTO accounts (id, platform, tenant, user_id, member_id, locale, seen_at, created_at)
	SELECT 's' || lpad(g::text, 35, '0'), 'slack', '{tenant}', 'U' || lpad(g::text, 10, '0'),
		'm' || lpad(g::text, 35, '0'), 'en-US', {now}, {now} FROM generate_series(1, {people}) g`,
	`INSERT INTO accounts (id, platform, tenant, user_id, member_id, locale, seen_at, created_at)
	SELECT 'd' || lpad(g::text, 35, '0'), 'discord', '', '{discord}' || lpad(g::text, 10, '0'),
		'm' || lpad(g::text, 35, '0'), 'en-US', {now}, {now} FROM generate_series(1, {people}) g`,
	`INSERT INTO addresses (id, member_id, shown, normal, verified_at, next_refresh_at)
	SELECT 'e' || lpad(g::text, 35, '0'), 'm' || lpad(g::text, 35, '0'),
		'Person.' || g || '@example.org', 'person.' || g || '@example.org', {now}, {later}
	FROM generate_series(1, {people}) g`,
	`INSERT INTO templates (id, name, description, image_url, updated_at)
	SELECT 't' || lpad(g::text, 35, '0'), 'Example certificate ' || g, 'Made up.',
		'https://images.example.org/' || g || '.png', {now} FROM generate_series(1, 20) g`,
	`INSERT INTO badges (id, provider_id, template_id, recipient_shown, recipient, first_name, last_name, stage,
		issued_at, accept_url, badge_url, decided_at, provider_time, read_at, next_poll_at, created_at, updated_at)
	SELECT '{badge}' || lpad(g::text, 12, '0'), 'p' || lpad(g::text, 35, '0'), 't' || lpad((g % 20 + 1)::text, 35, '0'),
		'Person.' || o || '@example.org', 'person.' || o || '@example.org', 'Person', 'No. ' || o, 'pending', {now},
		'https://www.credly.com/go/' || g, 'https://www.credly.com/badges/' || g, {now}, {now}, {now}, {later}, {now}, {now}
	FROM (SELECT g, g % {people} + 1 AS o FROM generate_series(1, {badges}) g) AS every`,
}
