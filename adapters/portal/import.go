package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// defaultBatch is how many awards are taken in together.
	defaultBatch = 1000
	// maxProblems is how many problems a report keeps; it counts all.
	maxProblems = 1000
	// progressEvery is the number of rows between two reports of progress.
	progressEvery = 500
)

// ErrInvalidRows says that a file has wrong rows and that nothing of it was
// imported. The report tells which.
var ErrInvalidRows = errors.New("file has invalid rows, nothing was imported")

// errFileChanged says that the file is not what was checked.
var errFileChanged = errors.New("file changed while it was imported")

// ImportOptions says how a file is imported.
type ImportOptions struct {
	// SkipInvalid imports the good rows and writes the others to
	// FILE.rejected.csv.
	SkipInvalid bool
	// DecidedAt is the time of the decisions in the file; zero is when the
	// file was last changed.
	DecidedAt time.Time
	// Progress is told how much of the work is done; it may be nil. The file
	// is read twice, so total is twice its size in bytes.
	Progress func(done, total int64)
	// BatchSize is how many awards are taken in together; zero is 1000.
	BatchSize int
}

// Report says what an import did.
type Report struct {
	// Rows is Valid plus Invalid.
	Rows, Valid, Invalid int
	// Problems are the first 1000.
	Problems []Problem
	// Counts says what changed.
	Counts core.AwardCounts
	// RejectedFile is where the invalid rows are, or empty.
	RejectedFile string
}

// Import brings the awards of a file into sink. It reads the file twice:
// once to check all of it, once to import in batches; it keeps nothing but
// the award ids in memory. Importing a file again changes nothing, so an
// import that was interrupted is simply repeated. Errors: [ErrInvalidRows];
// others concern the file or the sink, and Counts says what was imported
// until then.
func Import(ctx context.Context, path string, sink core.AwardSink, opts ImportOptions) (report Report, err error) {
	file, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return Report{}, fmt.Errorf("open file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Report{}, errors.New("open file: not a regular file")
	}
	if opts.BatchSize <= 0 {
		opts.BatchSize = defaultBatch
	}
	if opts.DecidedAt.IsZero() {
		opts.DecidedAt = info.ModTime().UTC()
	}
	if opts.Progress == nil {
		opts.Progress = func(int64, int64) {}
	}
	im := importer{file: file, path: path, size: info.Size(), sink: sink, opts: opts, report: &report}
	if err := im.check(ctx); err != nil {
		return report, err
	}
	return report, im.load(ctx)
}

type importer struct {
	file   *os.File
	path   string
	size   int64
	sink   core.AwardSink
	opts   ImportOptions
	report *Report
	// rows counts what was read in both passes.
	rows int
}

func (im *importer) open() (*CSV, error) {
	if _, err := im.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return ReadCSV(im.file)
}

// check reads the whole file, collects what is wrong and, where rows may be
// skipped, writes them to their own file.
func (im *importer) check(ctx context.Context) (err error) {
	f, err := im.open()
	if err != nil {
		return err
	}
	var bad *rejected
	defer func() {
		if err != nil && bad != nil {
			err = errors.Join(err, bad.discard())
		}
	}()
	at := f.offset()
	for row, err := range f.Rows() {
		if err != nil {
			return err
		}
		if err := im.step(ctx, row.End, 0); err != nil {
			return err
		}
		from := at
		at = row.End
		if len(row.Problems) == 0 {
			im.report.Valid++
			continue
		}
		im.report.Invalid++
		room := maxProblems - len(im.report.Problems)
		im.report.Problems = append(im.report.Problems, row.Problems[:min(room, len(row.Problems))]...)
		if !im.opts.SkipInvalid {
			continue
		}
		if bad == nil {
			if bad, err = newRejected(rejectedPath(im.path), f); err != nil {
				return err
			}
		}
		raw := ""
		if row.Cells == nil {
			if raw, err = rawLines(im.file, from, at); err != nil {
				return err
			}
		}
		bad.add(row, raw)
	}
	im.report.Rows = im.report.Valid + im.report.Invalid
	im.opts.Progress(im.size, 2*im.size)
	if bad != nil {
		done := bad
		bad = nil
		if err := done.finish(); err != nil {
			return err
		}
		im.report.RejectedFile = done.path
	}
	if im.report.Invalid > 0 && !im.opts.SkipInvalid {
		return ErrInvalidRows
	}
	return nil
}

// load reads the file again and imports its valid rows.
func (im *importer) load(ctx context.Context) (err error) {
	f, err := im.open()
	if err != nil {
		return err
	}
	keeper := &keeper{sink: im.sink, counts: &im.report.Counts}
	defer func() { err = errors.Join(err, keeper.settleAll()) }()
	batch := make([]core.Award, 0, im.opts.BatchSize)
	valid, invalid := 0, 0
	for row, err := range f.Rows() {
		if err != nil {
			return err
		}
		if len(row.Problems) > 0 {
			if invalid++; invalid > im.report.Invalid {
				return errFileChanged
			}
			continue
		}
		if valid++; valid > im.report.Valid {
			return errFileChanged
		}
		row.Award.DecidedAt = im.opts.DecidedAt
		if batch = append(batch, row.Award); len(batch) == im.opts.BatchSize {
			if err := keeper.keep(ctx, batch); err != nil {
				return err
			}
			batch = make([]core.Award, 0, im.opts.BatchSize)
		}
		if err := im.step(ctx, row.End, im.size); err != nil {
			return err
		}
	}
	if err := errors.Join(keeper.keep(ctx, batch), keeper.settleAll()); err != nil {
		return err
	}
	if valid != im.report.Valid || invalid != im.report.Invalid {
		return errFileChanged
	}
	im.opts.Progress(2*im.size, 2*im.size)
	return nil
}

// step tells the progress from time to time and stops when nobody waits any
// more.
func (im *importer) step(ctx context.Context, done, before int64) error {
	if im.rows++; im.rows%progressEvery != 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	im.opts.Progress(before+done, 2*im.size)
	return nil
}
