package portal

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

// columns are those of a file, in their usual order.
var columns = []string{
	fieldAwardID, fieldEmail, fieldFirstName, fieldLastName, fieldLocale, fieldTemplateID,
	fieldIssuedAt, fieldExpiresAt, fieldCertificateNumber, fieldCertificateURL,
}

// requiredColumns may not be missing.
var requiredColumns = []string{
	fieldAwardID, fieldEmail, fieldFirstName, fieldLastName, fieldTemplateID, fieldIssuedAt,
}

// Columns that are added to rejected rows, and ignored when such a file is
// read again after mending it.
const (
	columnLine   = "line"
	columnReason = "reason"
)

const (
	// maxHeader is how far the header line may reach, in bytes.
	maxHeader = 4096
	// utf8BOM begins files of spreadsheet programs.
	utf8BOM = "\xef\xbb\xbf"
)

// Problem says what is wrong in one place of a file. It never repeats what
// is written there, which may be personal.
type Problem struct {
	// Line counts from 1, the header included.
	Line int
	// Column is the column's name, or empty when the whole line is meant.
	Column string
	Reason string
}

// String names line, column and reason.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Reason)
	}
	return fmt.Sprintf("line %d, column %s: %s", p.Line, p.Column, p.Reason)
}

// Row is one row of a file.
type Row struct {
	// Line is where the row begins.
	Line int
	// Award is usable when there are no problems.
	Award    core.Award
	Problems []Problem
	// Cells is the row as it was written, in the order of the file's header;
	// nil when the line could not be split. It is valid until the next row.
	Cells []string
	// End is the number of bytes read, this row included.
	End int64
}

// CSV is an opened file of awards.
type CSV struct {
	// Header is the file's own, in lower case.
	Header []string
	// Separator is a comma or a semicolon.
	Separator rune
	// BOM says that the file began with a byte order mark.
	BOM bool

	reader *csv.Reader
	// index is where each column stands, -1 where it is missing.
	index map[string]int
	// seen holds the line of every award id met.
	seen map[string]int
}

// ReadCSV opens a file of awards: UTF-8 with or without byte order mark, a
// header naming the columns in any order, comma or semicolon between them,
// lines ending in LF or CRLF. Its errors, each a sentence for the person who
// made the file, concern the header; those of rows come with the rows.
func ReadCSV(r io.Reader) (*CSV, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	start, err := buffered.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file: %w", err)
	}
	f := &CSV{Separator: ',', seen: map[string]int{}}
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New("line 1: the file is UTF-16; save it as CSV UTF-8")
	case bytes.HasPrefix(start, []byte(utf8BOM)):
		f.BOM = true
		start = start[len(utf8BOM):]
		if _, err := buffered.Discard(len(utf8BOM)); err != nil {
			return nil, fmt.Errorf("read file: %w", err)
		}
	}
	first, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		f.Separator = ';'
	}
	f.reader = csv.NewReader(buffered)
	f.reader.Comma = f.Separator
	f.reader.FieldsPerRecord = -1
	f.reader.ReuseRecord = true
	header, err := f.reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, errors.New("line 1: the header cannot be read")
	}
	return f, f.readHeader(header)
}

func (f *CSV) readHeader(header []string) error {
	f.index = make(map[string]int, len(columns))
	for _, name := range columns {
		f.index[name] = -1
	}
	for i, cell := range header {
		name := strings.ToLower(strings.TrimSpace(cell))
		f.Header = append(f.Header, name)
		at, known := f.index[name]
		switch {
		case !utf8.ValidString(cell):
			return errors.New("line 1: the header is not UTF-8; save the file as CSV UTF-8")
		case name == columnLine || name == columnReason:
		case !known:
			return fmt.Errorf("line 1: unknown column %q", short(name))
		case at >= 0:
			return fmt.Errorf("line 1: column %s stands twice", name)
		default:
			f.index[name] = i
		}
	}
	for _, name := range requiredColumns {
		if f.index[name] < 0 {
			return fmt.Errorf("line 1: column %s is missing", name)
		}
	}
	return nil
}

// short keeps what a message repeats of a file short.
func short(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}

// Rows yields every row that is not empty, checked. An error means that the
// file itself cannot be read any further; no row comes after it.
func (f *CSV) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			cells, err := f.reader.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var malformed *csv.ParseError
			if errors.As(err, &malformed) {
				p := Problem{Line: malformed.StartLine, Reason: malformedReason(malformed)}
				row := Row{Line: p.Line, Problems: []Problem{p}, End: f.offset()}
				if !yield(row, nil) {
					return
				}
				continue
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("read file: %w", err))
				return
			}
			if !slices.ContainsFunc(cells, func(s string) bool { return s != "" }) {
				continue
			}
			if !yield(f.row(cells), nil) {
				return
			}
		}
	}
}

func malformedReason(e *csv.ParseError) string {
	if e.Line != e.StartLine {
		return "a quotation mark is not closed"
	}
	return "a quotation mark stands in the wrong place"
}

// offset is the number of bytes read.
func (f *CSV) offset() int64 {
	n := f.reader.InputOffset()
	if f.BOM {
		n += int64(len(utf8BOM))
	}
	return n
}

func (f *CSV) row(cells []string) Row {
	line, _ := f.reader.FieldPos(0)
	row := Row{Line: line, Cells: cells, End: f.offset()}
	problem := func(column, reason string) {
		row.Problems = append(row.Problems, Problem{Line: line, Column: column, Reason: reason})
	}
	if len(cells) != len(f.Header) {
		problem("", fmt.Sprintf("has %d columns, the header has %d", len(cells), len(f.Header)))
		return row
	}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			at, _ := f.reader.FieldPos(i)
			row.Problems = append(row.Problems, Problem{Line: at, Column: f.Header[i], Reason: "is not UTF-8; save the file as CSV UTF-8"})
		}
	}
	if len(row.Problems) > 0 {
		return row
	}
	cell := func(name string) string {
		if i := f.index[name]; i >= 0 {
			return cells[i]
		}
		return ""
	}
	award, wrong := rawAward{
		awardID: cell(fieldAwardID), email: cell(fieldEmail), firstName: cell(fieldFirstName),
		lastName: cell(fieldLastName), locale: cell(fieldLocale), templateID: cell(fieldTemplateID),
		issuedAt: cell(fieldIssuedAt), expiresAt: cell(fieldExpiresAt),
		certificateNumber: cell(fieldCertificateNumber), certificateURL: cell(fieldCertificateURL),
	}.parse()
	for _, w := range wrong {
		problem(w.Field, w.Reason)
	}
	if award.AwardID != "" {
		if earlier, again := f.seen[award.AwardID]; again {
			problem(fieldAwardID, fmt.Sprintf("stands in line %d already", earlier))
		} else {
			// Cells share memory with their line; the clone lets go of it.
			f.seen[strings.Clone(award.AwardID)] = line
		}
	}
	row.Award = award
	return row
}
