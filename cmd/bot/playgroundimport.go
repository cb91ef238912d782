package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/laurelbot/laurel/adapters/portal"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/portalsim"
)

// intake lets the page do what "bot import FILE.csv" does, with the same code.
// What was taken in stands at the simulated portal as well, which can then
// withdraw it.
func (r *rig) intake(a *app) func(context.Context, []byte, bool) console.Intake {
	return func(ctx context.Context, file []byte, skip bool) console.Intake {
		out, awards := readIntake(file)
		if out.Problem != "" {
			return out
		}
		report, err := importBytes(ctx, file, a, skip)
		switch {
		case errors.Is(err, portal.ErrInvalidRows):
			return out
		case errors.Is(err, core.ErrUnavailable):
			out.Problem = errNoDatabase.Error()
			return out
		case err != nil:
			out.Problem = err.Error()
			return out
		}
		out.Done = true
		out.New, out.Changed, out.Unchanged = report.Counts.New, report.Counts.Changed, report.Counts.Unchanged
		for _, award := range awards {
			r.portal.Record(award)
		}
		a.wake()
		return out
	}
}

// readIntake reads a file for the page: what its rows are, and what is wrong
// with them.
func readIntake(file []byte) (out console.Intake, awards []portalsim.Award) {
	f, err := portal.ReadCSV(bytes.NewReader(file))
	if err != nil {
		return console.Intake{Problem: err.Error()}, nil
	}
	for row, err := range f.Rows() {
		if err != nil {
			out.Problem = err.Error()
			return out, nil
		}
		shown := console.IntakeRow{Line: row.Line, What: row.Award.AwardID}
		if to := row.Award.Recipient.Shown; to != "" {
			shown.What += " for " + to
		}
		for _, p := range row.Problems {
			shown.Wrong = append(shown.Wrong, p.String())
		}
		out.Rows = append(out.Rows, shown)
		if len(row.Problems) > 0 {
			out.Bad++
			continue
		}
		out.Good++
		w := row.Award
		awards = append(awards, portalsim.Award{
			ID: w.AwardID, Email: w.Recipient.Shown, FirstName: w.FirstName, LastName: w.LastName, Locale: w.Locale, TemplateID: w.TemplateID,
			IssuedAt: w.IssuedAt, ExpiresAt: w.ExpiresAt, CertificateNumber: w.Certificate.Number, CertificateURL: w.Certificate.URL,
		})
	}
	return out, awards
}

// importBytes imports what is not a file yet.
func importBytes(ctx context.Context, file []byte, a *app, skip bool) (portal.Report, error) {
	dir, err := os.MkdirTemp("", "laurel-import-")
	if err != nil {
		return portal.Report{}, fmt.Errorf("make folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "awards.csv")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return portal.Report{}, fmt.Errorf("keep file: %w", err)
	}
	report, err := portal.Import(ctx, path, a.db, portal.ImportOptions{SkipInvalid: skip, DecidedAt: a.clock.Now()})
	if err != nil {
		return report, fmt.Errorf("import: %w", err)
	}
	return report, nil
}
