package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// rolling is R1: replicas are replaced one at a time under load, and the
// first new one brings a newer schema.
type rolling struct{}

func (rolling) Name() string { return "rolling restart with a migration" }

func (rolling) Criterion() string {
	return "no click fails; 0 lost, 0 doubled; old and new replicas work on the new schema"
}

func (k rolling) Run(ctx context.Context, r *rig.Rig) (_ Figure, err error) {
	old, version, err := k.previous(ctx, r)
	if err != nil {
		return "", err
	}
	database := "faults_rolling"
	if err := r.PG.Admin(ctx, "CREATE DATABASE "+database+" TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := errors.Join(r.Migrate(ctx, old, database), r.Seed(ctx, database)); err != nil {
		return "", errors.Join(err, r.PG.Admin(context.WithoutCancel(ctx), "DROP DATABASE "+database+" WITH (FORCE)"))
	}
	return on(ctx, r, rig.Config{Name: "r01", Database: database}, func(s *rig.Stage, found *findings) (Figure, error) {
		schema := func() (int, error) {
			return s.Count(ctx, `SELECT max(version_id)::int FROM goose_db_version WHERE is_applied`)
		}
		before, err := schema()
		if err != nil {
			return "", err
		}
		replicas := rig.Pick(r, 4, 2)
		for range replicas {
			b, err := s.NewBot()
			if err != nil {
				return "", err
			}
			b.Program = old
			if err := b.Start(ctx); err != nil {
				return "", err
			}
		}
		c := s.NewClient(true)
		defer c.Close()
		step := rig.Pick(r, 3*time.Second, time.Second)
		load := c.Begin(ctx, 0, rig.Pick(r, 60, 30), time.Duration(replicas+2)*step)
		for _, b := range s.Bots {
			if err := rig.Sleep(ctx, step-500*time.Millisecond); err != nil {
				return "", err
			}
			if _, err := b.Stop(); err != nil {
				return "", err
			}
			b.Program = r.Binary
			if err := b.Start(ctx); err != nil {
				return "", err
			}
		}
		if err := load.Wait(); err != nil {
			return "", err
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		after, err := schema()
		found.add(err)
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		found.want(v.Whole() && v.Failed == 0 && v.Told == 0, "%s", v)
		found.want(v.Claimed == v.Clicks-v.Cut-v.Refused, "%d of %d clicks were claimed", v.Claimed, v.Clicks)
		found.want(v.Refused == 0, "%d clicks found no replica", v.Refused)
		// A connection may be reset in the moment in which a replica stops
		// listening: whoever came then was never heard.
		found.want(v.Cut <= replicas, "%d clicks were cut", v.Cut)
		return Figure(fmt.Sprintf("%d replicas from %s, schema %d to %d; %d of %d claimed, %d cut, max %s",
			replicas, version, before, after, v.Claimed, v.Clicks, v.Cut, ms(v.Max))), nil
	})
}

// previous builds the bot as it was before the newest migrations came, where
// the history is at hand; otherwise the present one stands in for it.
func (rolling) previous(ctx context.Context, r *rig.Rig) (program, version string, err error) {
	present := r.Binary
	migrations, err := fs.Glob(os.DirFS(r.Source), "migrations/postgres/*.sql")
	if err != nil {
		return present, "the same version", nil //nolint:nilerr // Without sources there is nothing older.
	}
	commit, known := older(ctx, r.Source, migrations)
	if commit == "" {
		return present, "the same version", nil
	}
	archive := filepath.Join(r.Dir, "previous.tar")
	if _, err := git(ctx, r.Source, "archive", "--output="+archive, commit); err != nil {
		return "", "", fmt.Errorf("read previous version: %w", err)
	}
	folder := filepath.Join(r.Dir, "previous")
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", "", fmt.Errorf("make folder: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", folder).CombinedOutput(); err != nil { //nolint:gosec // Folders made here.
		return "", "", fmt.Errorf("unpack previous version: %w: %s", err, out)
	}
	program, err = r.Build(ctx, folder, "bot-previous")
	return program, "the version before " + filepath.Base(migrations[known]), err
}

// older is the newest commit that knows fewer migrations, and how many it
// knows. They are the first ones: work that was done side by side lands with
// gaps between its numbers, and such a version never ran anywhere. Nothing
// without a history, or with a shallow one.
func older(ctx context.Context, source string, migrations []string) (commit string, known int) {
	commits, err := git(ctx, source, "log", "--format=%H^", "--", "migrations/postgres")
	if err != nil {
		return "", 0
	}
	for commit := range strings.FieldsSeq(commits) {
		listed, err := git(ctx, source, "ls-tree", "--name-only", commit, "migrations/postgres/")
		if err != nil {
			return "", 0
		}
		then := strings.Fields(listed)
		if n := len(then); 0 < n && n < len(migrations) && slices.Equal(then, migrations[:n]) {
			return commit, n
		}
	}
	return "", 0
}

func git(ctx context.Context, source string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", source}, args...)...).Output() //nolint:gosec // Arguments of this program.
	return strings.TrimSpace(string(out)), err
}
