package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/laurelbot/laurel/core"
)

// importRows are the awards of a file.
const importRows = 200_000

// measureImport imports a file with the bot's command, and awards of the same
// number by the store alone.
func measureImport(ctx context.Context, s *stage) error {
	file := filepath.Join(s.folder, "awards.csv")
	if err := writeAwards(file); err != nil {
		return err
	}
	var command, again, store []float64
	for range s.few() {
		first, second, used, err := s.importFile(ctx, file)
		if err != nil {
			return err
		}
		alone, err := s.importAlone(ctx)
		if err != nil {
			return err
		}
		perSecond := func(d time.Duration) float64 { return importRows / d.Seconds() }
		fmt.Fprintf(s.out, "imported %.0f rows/s by the command, CPU each: app %v, database %v; %.0f/s the same file again, %.0f/s by the store alone\n",
			perSecond(first), used.app, used.database, perSecond(second), perSecond(alone))
		command, again, store = append(command, perSecond(first)), append(again, perSecond(second)), append(store, perSecond(alone))
	}
	s.goals.atLeast("CSV import by the command, rows per second", median(command), 50_000, "%.0f")
	s.goals.told("the same file again", fmt.Sprintf("%.0f", median(again)))
	s.goals.told("import by the store alone, rows per second", fmt.Sprintf("%.0f", median(store)))
	return nil
}

func writeAwards(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "award_id,email,first_name,last_name,locale,badge_template_id,issued_at,expires_at,certificate_number,certificate_url")
	for n := range importRows {
		fmt.Fprintf(w, "award-%d,person.%d@example.org,Person,No. %d,en-US,template-%d,2026-11-02,,C-%d,https://certificates.example.org/%d\n",
			n, n/2, n/2, n%20, n, n)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}

// importFile imports a file into an empty database, and once more.
func (s *stage) importFile(ctx context.Context, file string) (first, second time.Duration, used usage, err error) {
	db, err := s.world.spare(ctx, s)
	if err != nil {
		return 0, 0, used, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for i, took := range []*time.Duration{&first, &second} {
		before, err := family(s.world.pid)
		if err != nil {
			return 0, 0, used, err
		}
		cmd := exec.CommandContext(ctx, s.binary, "import", file) //nolint:gosec // Its own binary and file.
		cmd.Env = s.settings.environment("127.0.0.1:0", s.world.copyOf(spareDatabase))
		began := time.Now()
		out, err := cmd.CombinedOutput()
		*took = time.Since(began)
		if err != nil {
			return 0, 0, used, fmt.Errorf("import: %w: %s", err, out)
		}
		after, err := family(s.world.pid)
		if err != nil {
			return 0, 0, used, err
		}
		if i == 0 {
			app := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			used.app, used.database = usage{app, after}.each(usage{database: before}, importRows)
		}
	}
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM badges`).Scan(&n); err != nil {
		return 0, 0, used, fmt.Errorf("count badges: %w", err)
	}
	if n != importRows {
		return 0, 0, used, fmt.Errorf("%d of %d rows were imported", n, importRows)
	}
	return first, second, used, nil
}

// importAlone hands awards to the store in batches of the command's size.
func (s *stage) importAlone(ctx context.Context) (took time.Duration, err error) {
	const batch = 1000
	db, err := s.world.spare(ctx, s)
	if err != nil {
		return 0, err
	}
	if err := db.Close(); err != nil {
		return 0, fmt.Errorf("close database: %w", err)
	}
	store, err := s.openStore(ctx, s.world.copyOf(spareDatabase))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := time.Now()
	began := now
	for n := 0; n < importRows; n += batch {
		awards := make([]core.Award, batch)
		for i := range awards {
			address := fmt.Sprintf("person.%d@example.org", (n+i)/2)
			awards[i] = core.Award{
				AwardID: fmt.Sprintf("award-%d", n+i), Recipient: core.Email{Shown: address, Normal: address},
				FirstName: "Person", LastName: fmt.Sprintf("No. %d", n+i), TemplateID: fmt.Sprintf("template-%d", n%20),
				IssuedAt: now, DecidedAt: now,
			}
		}
		if _, err := store.ImportAwards(ctx, awards); err != nil {
			return 0, fmt.Errorf("import awards: %w", err)
		}
	}
	return time.Since(began), nil
}
