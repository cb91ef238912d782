package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/schollz/progressbar/v3"

	"github.com/laurelbot/laurel/adapters/portal"
)

type importCmd struct {
	File        string `arg:"" type:"existingfile" help:"CSV file with the columns award_id, email, first_name, last_name, locale, badge_template_id, issued_at, expires_at, certificate_number, certificate_url."`
	SkipInvalid bool   `help:"Take in the good rows and write the others to FILE.rejected.csv."`
}

// Run imports a file. Importing it again changes nothing.
func (c *importCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	log := newLog(s, t.err)
	db, _, err := openStore(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if !s.NoMigrate {
		if err := db.Migrate(ctx); err != nil {
			return fmt.Errorf("bring DATABASE_URL up to date: %w", err)
		}
	}
	bar := progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(t.err), progressbar.OptionSetDescription("importing"),
		progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
	)
	report, err := portal.Import(ctx, c.File, db, portal.ImportOptions{
		SkipInvalid: c.SkipInvalid,
		Progress: func(done, total int64) {
			bar.ChangeMax64(total)
			_ = bar.Set64(done)
		},
	})
	_ = bar.Finish()
	for _, p := range report.Problems {
		fmt.Fprintln(t.err, p)
	}
	if hidden := report.Invalid - len(report.Problems); hidden > 0 && len(report.Problems) > 0 {
		fmt.Fprintf(t.err, "… and more in further rows\n")
	}
	if errors.Is(err, portal.ErrInvalidRows) {
		return fmt.Errorf("%d of %d rows are wrong, nothing was imported: mend them, or use --skip-invalid", report.Invalid, report.Rows)
	}
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	fmt.Fprintf(t.out, "%d rows: %d new, %d changed, %d unchanged, %d rejected\n",
		report.Rows, report.Counts.New, report.Counts.Changed, report.Counts.Unchanged, report.Invalid)
	if report.RejectedFile != "" {
		fmt.Fprintln(t.out, "rejected rows are in", report.RejectedFile)
	}
	return nil
}
