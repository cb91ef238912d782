package portal

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxRawLine is how much of a line that could not be split is kept, in bytes.
const maxRawLine = 64 << 10

// rejectedPath returns FILE.rejected.csv for FILE.csv.
func rejectedPath(path string) string {
	if ext := filepath.Ext(path); strings.EqualFold(ext, ".csv") {
		path = strings.TrimSuffix(path, ext)
	}
	return path + ".rejected.csv"
}

// rejected writes the rows that were not taken: the original cells
// unchanged, and the line and what is wrong. The file appears under its name
// when it is complete; only its owner can read it, because it names people.
type rejected struct {
	path  string
	file  *os.File
	out   *csv.Writer
	buf   *bufio.Writer
	keep  []int
	width int
}

func newRejected(path string, f *CSV) (*rejected, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create file of rejected rows: %w", err)
	}
	w := &rejected{path: path, file: file, buf: bufio.NewWriter(file)}
	w.out = csv.NewWriter(w.buf)
	w.out.Comma = f.Separator
	var header []string
	for i, name := range f.Header {
		if name != columnLine && name != columnReason {
			w.keep = append(w.keep, i)
			header = append(header, name)
		}
	}
	w.width = len(f.Header)
	if f.BOM {
		// Errors of the buffer stay with it and come out at the end.
		_, _ = w.buf.WriteString(utf8BOM)
	}
	_ = w.out.Write(append(header, columnLine, columnReason))
	return w, nil
}

// add writes one row. Raw is the text of a line that could not be split; it
// stands in the first column, so that nothing is lost.
func (w *rejected) add(row Row, raw string) {
	cells := make([]string, len(w.keep), len(w.keep)+2)
	switch {
	case row.Cells == nil:
		cells[0] = strings.TrimRight(raw, "\r\n")
	case len(row.Cells) == w.width:
		for i, from := range w.keep {
			cells[i] = row.Cells[from]
		}
	default:
		// With other columns than the header has, none can be told apart.
		cells = append(make([]string, 0, len(row.Cells)+2), row.Cells...)
		for len(cells) < len(w.keep) {
			cells = append(cells, "")
		}
	}
	var reasons []string
	for _, p := range row.Problems {
		if p.Column == "" {
			reasons = append(reasons, p.Reason)
			continue
		}
		reasons = append(reasons, p.Column+" "+p.Reason)
	}
	_ = w.out.Write(append(cells, strconv.Itoa(row.Line), harmless(strings.Join(reasons, "; "))))
}

// harmless keeps a spreadsheet program from taking a text for a formula, see
// https://owasp.org/www-community/attacks/CSV_Injection.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// finish gives the file its name.
func (w *rejected) finish() error {
	w.out.Flush()
	err := errors.Join(w.out.Error(), w.buf.Flush(), w.file.Sync(), w.file.Close())
	if err == nil {
		err = os.Rename(w.file.Name(), w.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write file of rejected rows: %w", err), os.Remove(w.file.Name()))
	}
	return nil
}

// discard removes what was written so far.
func (w *rejected) discard() error {
	if err := errors.Join(w.file.Close(), os.Remove(w.file.Name())); err != nil {
		return fmt.Errorf("remove file of rejected rows: %w", err)
	}
	return nil
}

// rawLines returns the bytes between two places of a file.
func rawLines(file io.ReaderAt, from, to int64) (string, error) {
	raw := make([]byte, min(max(to-from, 0), maxRawLine))
	if _, err := file.ReadAt(raw, from); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read rejected line: %w", err)
	}
	return string(raw), nil
}
