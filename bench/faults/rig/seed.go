package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// templateDatabase is what the databases of stages are copied from.
const templateDatabase = "faults_template"

// Tenant is the workspace of the people in Slack.
const Tenant = "T0FAULTS01"

// Sizes of the generated world: badge n belongs to person n % people + 1.
const (
	longBadges, longPeople   = 40_000, 4_000
	shortBadges, shortPeople = 8_000, 2_000
)

// Badges is how many pending badges every stage has.
func (r *Rig) Badges() int { return Pick(r, longBadges, shortBadges) }

// People is how many people own them, each with one account in Slack, one in
// Discord and one address.
func (r *Rig) People() int { return Pick(r, longPeople, shortPeople) }

// Owner is the number of the person to whom a badge was issued.
func (r *Rig) Owner(badge int) int { return badge%r.People() + 1 }

const badgePrefix = "00000000-0000-7000-8000-"

// BadgeID is the id of the n-th badge, from 1 on.
func BadgeID(n int) string { return fmt.Sprintf("%s%012d", badgePrefix, n) }

// SlackUser is the Slack user of the n-th person, from 1 on.
func SlackUser(n int) string { return fmt.Sprintf("U%010d", n) }

// DiscordUser is the Discord user of the n-th person, from 1 on.
func DiscordUser(n int) string { return fmt.Sprintf("80000000%010d", n) }

func (r *Rig) fillTemplate(ctx context.Context) error {
	if err := r.PG.Admin(ctx, "CREATE DATABASE "+templateDatabase+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := r.Migrate(ctx, r.Binary, templateDatabase); err != nil {
		return err
	}
	return r.Seed(ctx, templateDatabase)
}

// Migrate brings a database's schema up to date with a program of the bot.
func (r *Rig) Migrate(ctx context.Context, program, database string) error {
	cmd := exec.CommandContext(ctx, program, "migrate")
	cmd.Env = []string{"DATABASE_URL=" + r.PG.DSN(database), "SECRET_KEY=" + randomKey()}
	cmd.SysProcAttr = attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	return nil
}

// Seed generates the world in a database that has a schema.
func (r *Rig) Seed(ctx context.Context, database string) error {
	db, err := r.PG.Open(database)
	if err != nil {
		return err
	}
	now := time.Now()
	names := strings.NewReplacer(
		"{badges}", fmt.Sprint(r.Badges()), "{people}", fmt.Sprint(r.People()), "{now}", fmt.Sprint(now.UnixMilli()),
		"{later}", fmt.Sprint(now.AddDate(1, 0, 0).UnixMilli()), "{badge}", badgePrefix, "{tenant}", Tenant,
	)
	for _, one := range world {
		if _, err := db.ExecContext(ctx, names.Replace(one)); err != nil {
			return errors.Join(fmt.Errorf("generate rows: %w", err), db.Close())
		}
	}
	return db.Close()
}

// world are the statements that generate it.
var world = []string{
	`INSERT INTO members (id, created_at)
	SELECT 'm' || lpad(g::text, 35, '0'), {now} FROM generate_series(1, {people}) g`,
	`INSERT INTO accounts (id, platform, tenant, user_id, member_id, locale, seen_at, created_at)
	SELECT 's' || lpad(g::text, 35, '0'), 'slack', '{tenant}', 'U' || lpad(g::text, 10, '0'),
		'm' || lpad(g::text, 35, '0'), 'en-US', {now}, {now} FROM generate_series(1, {people}) g`,
	`INSERT INTO accounts (id, platform, tenant, user_id, member_id, locale, seen_at, created_at)
	SELECT 'd' || lpad(g::text, 35, '0'), 'discord', '', '80000000' || lpad(g::text, 10, '0'),
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
	`VACUUM ANALYZE`,
}
