package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/laurelbot/laurel/bench/seed"
)

// templateDatabase is what the databases of stages are copied from.
const templateDatabase = "faults_template"

// Tenant is the workspace of the people in Slack.
const Tenant = "T0FAULTS01"

// Sizes of the generated world.
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
func (r *Rig) Owner(badge int) int { return r.world().Owner(badge) }

func (r *Rig) world() seed.World {
	now := time.Now()
	return seed.World{Badges: r.Badges(), People: r.People(), Tenant: Tenant, Now: now, Later: now.AddDate(1, 0, 0)}
}

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
	err = r.world().Fill(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, "VACUUM ANALYZE")
	}
	return errors.Join(err, db.Close())
}
