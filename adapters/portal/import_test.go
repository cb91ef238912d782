package portal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	csvHeader = "award_id,email,first_name,last_name,locale,badge_template_id,issued_at,expires_at,certificate_number,certificate_url"
	goodRow   = "A-1,ada@example.org,Ada,Example,de,t1,2026-11-20,2031-11-20,C-1,https://certificates.example.org/1"
)

func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "awards.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadCSVForms(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"plain":        csvHeader + "\n" + goodRow + "\n",
		"no last line": csvHeader + "\n" + goodRow,
		"crlf and bom": "\xef\xbb\xbf" + csvHeader + "\r\n" + goodRow + "\r\n\r\n,,,,,,,,,\r\n",
		"semicolon":    strings.ReplaceAll(csvHeader+"\n"+goodRow, ",", ";"),
		"quoted":       "\xef\xbb\xbf\"" + strings.ReplaceAll(csvHeader+"\"\n\""+goodRow, ",", `","`) + `"`,
		"upper case":   strings.ToUpper(csvHeader) + "\n" + goodRow,
		"spaces":       strings.ReplaceAll(csvHeader+"\n"+goodRow, ",", " , "),
		"with reason":  csvHeader + ",line,reason\n" + goodRow + ",7,was wrong",
		"other order": "certificate_url,badge_template_id,award_id,email,first_name,last_name,locale,issued_at,expires_at,certificate_number\n" +
			"https://certificates.example.org/1,t1,A-1,ada@example.org,Ada,Example,de,2026-11-20,2031-11-20,C-1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := ReadCSV(strings.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for row, err := range f.Rows() {
				if err != nil || len(row.Problems) > 0 {
					t.Fatal(err, row.Problems)
				}
				n++
				a := row.Award
				if row.Line != 2 || a.AwardID != "A-1" || a.Recipient.Normal != "ada@example.org" || a.FirstName != "Ada" ||
					a.LastName != "Example" || a.Locale != "de" || a.TemplateID != "t1" || a.Certificate.Number != "C-1" ||
					a.Certificate.URL != "https://certificates.example.org/1" || a.IssuedAt.Year() != 2026 || a.ExpiresAt.Year() != 2031 {
					t.Errorf("row %+v", row)
				}
			}
			if n != 1 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

func TestReadCSVOptionalColumns(t *testing.T) {
	t.Parallel()
	f, err := ReadCSV(strings.NewReader("award_id,email,first_name,last_name,badge_template_id,issued_at\nA-1,ada@example.org,Ada,Example,t1,2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range f.Rows() {
		if err != nil || len(row.Problems) > 0 || !row.Award.ExpiresAt.IsZero() {
			t.Fatal(err, row)
		}
	}
}

func TestReadCSVHeaderRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ content, want string }{
		"empty":     {"", "empty"},
		"only bom":  {"\xef\xbb\xbf", "empty"},
		"utf-16":    {"\xff\xfea\x00", "UTF-16"},
		"not utf-8": {"award_id,\xe4\n", "not UTF-8"},
		"unknown":   {csvHeader + ",colour\n", `unknown column "colour"`},
		"twice":     {csvHeader + ",email\n", "column email stands twice"},
		"missing":   {strings.Replace(csvHeader, "email,", "", 1) + "\n", "column email is missing"},
		"no header": {goodRow + "\n", "unknown column"},
		"quote":     {"award_id\",x\n", "cannot be read"},
	} {
		_, err := ReadCSV(strings.NewReader(tc.content))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func TestImportRefusesWrongRows(t *testing.T) {
	t.Parallel()
	row := func(from, to string) string { return strings.Replace(goodRow, from, to, 1) }
	content := strings.Join([]string{
		csvHeader,
		goodRow,
		row("A-1", "A-2"),
		row("ada@example.org", "ada"),
		goodRow,
		"A-3,too,few",
		row("A-1", "A\xff"),
		`A-4,"ada@example.org"x,Ada,Example,de,t1,2026-11-20,,,`,
		strings.Replace(row("A-1", "A-5"), "2031-11-20", "2020-01-01", 1),
		row("A-1", ""),
	}, "\n") + "\n"
	path := write(t, content)
	sink := &fakeSink{}
	report, err := Import(t.Context(), path, sink, ImportOptions{DecidedAt: testTime})
	if !errors.Is(err, ErrInvalidRows) || len(sink.batches) > 0 {
		t.Fatalf("error %v, imported %v", err, sink.batches)
	}
	want := []string{
		"line 4, column email: is not an e-mail address",
		"line 4, column award_id: stands in line 2 already",
		"line 5, column award_id: stands in line 2 already",
		"line 6: has 3 columns, the header has 10",
		"line 7, column award_id: is not UTF-8; save the file as CSV UTF-8",
		"line 8: a quotation mark stands in the wrong place",
		"line 9, column expires_at: is not after issued_at",
		"line 10, column award_id: is missing",
	}
	var got []string
	for _, p := range report.Problems {
		got = append(got, p.String())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("problems:\n%s", strings.Join(got, "\n"))
	}
	if report.Rows != 9 || report.Valid != 2 || report.Invalid != 7 {
		t.Errorf("report %+v", report)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}

	report, err = Import(t.Context(), path, sink, ImportOptions{DecidedAt: testTime, SkipInvalid: true})
	if err != nil {
		t.Fatal(err)
	}
	if report.Counts.New != 2 || len(sink.awards) != 2 || !sink.awards["A-2"].DecidedAt.Equal(testTime) {
		t.Errorf("report %+v", report)
	}
	if want := strings.TrimSuffix(path, ".csv") + ".rejected.csv"; report.RejectedFile != want {
		t.Errorf("rejected file %q", report.RejectedFile)
	}
	rejected, err := os.ReadFile(report.RejectedFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(rejected)), "\n")
	if len(lines) != 8 || lines[0] != csvHeader+",line,reason" ||
		lines[1] != row("ada@example.org", "ada")+",4,email is not an e-mail address; award_id stands in line 2 already" ||
		!strings.HasPrefix(lines[3], "A-3,too,few,,,,,,,,6,") || !strings.Contains(lines[5], `A-4,""ada@example.org""x`) {
		t.Errorf("rejected file:\n%s", rejected)
	}
	if info, err := os.Stat(report.RejectedFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestImportInBatches(t *testing.T) {
	t.Parallel()
	path := write(t, generate(2500))
	sink := &fakeSink{}
	last, ended := int64(-1), int64(0)
	opts := ImportOptions{Progress: func(done, total int64) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last, ended = done, total
	}}
	report, err := Import(t.Context(), path, sink, opts)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(sink.batches)
	if !reflect.DeepEqual(sink.batches, []int{500, 1000, 1000}) || report.Counts.New != 2500 || last != ended {
		t.Errorf("batches %v, report %+v, progress %d of %d", sink.batches, report, last, ended)
	}
	if sink.awards["A-7"].DecidedAt.IsZero() {
		t.Error("no time of decision")
	}
	again, err := Import(t.Context(), path, sink, ImportOptions{})
	if err != nil || again.Counts.Unchanged != 2500 || again.Counts.New+again.Counts.Changed != 0 {
		t.Errorf("second import %+v, %v", again, err)
	}
	broken := &fakeSink{failAt: 2}
	report, err = Import(t.Context(), path, broken, ImportOptions{})
	if err == nil || report.Counts.New != len(broken.awards) || report.Counts.New == 0 {
		t.Errorf("broken sink: %+v, %v", report.Counts, err)
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "ok": "ok", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x"} {
		if got := harmless(in); got != want {
			t.Errorf("harmless(%q) = %q", in, got)
		}
	}
}

func generate(n int) string {
	var b strings.Builder
	b.WriteString(csvHeader + "\n")
	for i := range n {
		fmt.Fprintf(&b, "A-%d,person%d@example.org,Ada,Example %d,de,0b6f3d1e-5a3c-4b1e-9d2f-000000000001,2026-11-20,2031-11-20,C-%d,https://certificates.example.org/%d\n", i, i, i, i, i)
	}
	return b.String()
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte(csvHeader + "\n" + goodRow + "\n"))
	f.Add([]byte("\xef\xbb\xbf" + strings.ReplaceAll(csvHeader+"\r\n"+goodRow, ",", ";")))
	f.Add([]byte(csvHeader + "\n\"A\n\",,\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := ReadCSV(bytes.NewReader(content))
		if err != nil {
			return
		}
		end := int64(0)
		for row, err := range file.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if row.End < end || row.End > int64(len(content)) || row.Line < 1 {
				t.Fatalf("line %d ends at %d after %d of %d", row.Line, row.End, end, len(content))
			}
			end = row.End
			if len(row.Problems) == 0 && (row.Award.AwardID == "" || row.Award.Recipient.IsZero() || row.Award.IssuedAt.IsZero()) {
				t.Fatalf("incomplete award %+v", row.Award)
			}
		}
	})
}

func BenchmarkReadCSV(b *testing.B) {
	const rows = 100_000
	content := generate(rows)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := ReadCSV(strings.NewReader(content))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for row, err := range f.Rows() {
			if err != nil || len(row.Problems) > 0 {
				b.Fatal(err, row.Problems)
			}
			n++
		}
		if n != rows {
			b.Fatalf("%d rows", n)
		}
	}
}
