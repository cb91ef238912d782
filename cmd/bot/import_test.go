package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

const (
	// importRows is the size of the file that an import is held against.
	importRows = 100_000
	// importWithin is how long one import of it may take on a loaded machine
	// of two cores.
	importWithin = 2 * time.Minute
)

const importHeader = "award_id,email,first_name,last_name,locale,badge_template_id,issued_at,expires_at,certificate_number,certificate_url\n"

// writeAwards writes a file of n made-up awards and returns its path. Row i
// stands in line i+2.
func writeAwards(t *testing.T, n int, row func(i int) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "awards.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	_, _ = w.WriteString(importHeader)
	for i := range n {
		_, _ = w.WriteString(row(i))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// awardRow is a good row: three of four people have one award, the others
// several; names need quotes and are not ASCII; one in ten never expires.
func awardRow(i int) string {
	locales := []string{"en", "de", "es", "pt-BR", ""}
	person, expires := i, "2031-11-20"
	if i%4 == 3 {
		person = i % 1000
	}
	if i%10 == 0 {
		expires = ""
	}
	return fmt.Sprintf("award-%06d,person-%d@example.org,\"Zoë, %d\",Müller-Example,%s,template-%d,2026-11-20,%s,EX-%06d,https://certificates.example.org/%d\n",
		i, person, i, locales[i%len(locales)], i%7, expires, i, i)
}

// importInto runs the command as a person would.
func importInto(t *testing.T, databaseURL string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	status = run(t.Context(), append([]string{"import", "--secret-key", key, "--database-url", databaseURL}, args...), &out, &err)
	return status, out.String(), err.String()
}

// openDatabase looks into the store past the store.
func openDatabase(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	driver, source := "postgres", databaseURL
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func countRows(t *testing.T, db *sql.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// forEachDatabase runs a test on an empty database of each kind.
func forEachDatabase(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, testpg.New(t))
	})
}

// The large file goes through the built binary: what is timed is what people
// run, without the race detector, which slows SQLite down tenfold.
func TestImportOfHundredThousandRows(t *testing.T) {
	t.Parallel()
	bot := buildProgram(t)
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		file := writeAwards(t, importRows, awardRow)
		importTimed := func(want string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), importWithin)
			defer cancel()
			var errs bytes.Buffer
			cmd := bot.command(ctx, t, map[string]string{"DATABASE_URL": databaseURL, "SECRET_KEY": goodEnvironment()["SECRET_KEY"]}, "import", file)
			cmd.Stderr = &errs
			begin := time.Now()
			out, err := cmd.Output()
			took := time.Since(begin)
			if err != nil || string(out) != want {
				t.Fatalf("%v, %q; want %q\n%s", err, out, want, errs.String())
			}
			t.Logf("%d rows in %s: %.0f rows/s", importRows, took.Round(time.Millisecond), importRows/took.Seconds())
		}
		importTimed("100000 rows: 100000 new, 0 changed, 0 unchanged, 0 rejected\n")
		db := openDatabase(t, databaseURL)
		if n := countRows(t, db, `SELECT count(*) FROM badges WHERE stage = 'granted'`); n != importRows {
			t.Errorf("%d badges are granted", n)
		}
		if n := countRows(t, db, `SELECT count(DISTINCT recipient) FROM badges`); n != importRows*3/4+250 {
			t.Errorf("%d people", n)
		}
		if n := countRows(t, db, `SELECT count(*) FROM badges WHERE expires_at = 0`); n != importRows/10 {
			t.Errorf("%d badges never expire", n)
		}
		newest := countRows(t, db, `SELECT count(*) FROM badges WHERE first_name = 'Zoë, 99999' AND last_name = 'Müller-Example' AND template_id = 'template-4'
			AND award_id = 'award-099999' AND certificate_number = 'EX-099999' AND recipient = 'person-999@example.org'`)
		if newest != 1 {
			t.Errorf("the last row was stored %d times", newest)
		}
		before := tableCounts(t, db)
		importTimed("100000 rows: 0 new, 0 changed, 100000 unchanged, 0 rejected\n")
		sameCounts(t, before, tableCounts(t, db))
	})
}

func TestImportOfWrongRows(t *testing.T) {
	t.Parallel()
	const rows = 2500
	wrong := map[int]string{
		0:    "award-000000,not an address,Ada,Example,en,template-1,2026-11-20,,,\n",
		1200: "award-001200,person@example.org,Ada,Example,en,template-1,yesterday,,,\n",
		1201: "award-001201,person@example.org,Ada,Example,en\n",
		1202: "award-001199,person@example.org,Ada,Example,en,template-1,2026-11-20,,,\n",
		2499: "award-002499,person@example.org,Ada,Example,en,template-1,2026-11-20,2025-11-20,,\n",
	}
	row := func(i int) string {
		if w, ok := wrong[i]; ok {
			return w
		}
		return awardRow(i)
	}
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		file := writeAwards(t, rows, row)
		status, out, errs := importInto(t, databaseURL, file)
		if status != 1 || out != "" {
			t.Errorf("exit status %d, %q", status, out)
		}
		lines := strings.Split(errs, "\n")
		for _, want := range [][]string{
			{"line 2", "email"},
			{"line 1202", "issued_at"},
			{"line 1203"},
			{"line 1204", "award_id"},
			{"line 2501", "expires_at"},
			{"5 of 2500 rows are wrong, nothing was imported", "--skip-invalid"},
		} {
			if !anyLine(lines, want...) {
				t.Errorf("no line says %q:\n%s", want, errs)
			}
		}
		if strings.Contains(errs, "not an address") || strings.Contains(errs, "person@example.org") {
			t.Errorf("rule 5: the output repeats what the rows say:\n%s", errs)
		}
		db := openDatabase(t, databaseURL)
		if n := countRows(t, db, `SELECT count(*) FROM badges`); n != 0 {
			t.Errorf("%d badges were imported", n)
		}
		reject := strings.TrimSuffix(file, ".csv") + ".rejected.csv"
		if _, err := os.Stat(reject); !os.IsNotExist(err) {
			t.Errorf("a file of rejected rows was written: %v", err)
		}

		status, out, errs = importInto(t, databaseURL, "--skip-invalid", file)
		if status != 0 || !strings.HasPrefix(out, "2500 rows: 2495 new, 0 changed, 0 unchanged, 5 rejected\n") {
			t.Fatalf("exit status %d, %q\n%s", status, out, errs)
		}
		_, path, found := strings.Cut(out, "rejected rows are in ")
		if path = strings.TrimSpace(path); !found || path != reject {
			t.Errorf("rejected rows are in %q", path)
		}
		if n := countRows(t, db, `SELECT count(*) FROM badges`); n != rows-len(wrong) {
			t.Errorf("%d badges were imported", n)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reader := csv.NewReader(bytes.NewReader(data))
		reader.FieldsPerRecord = -1
		rejected, err := reader.ReadAll()
		if err != nil || len(rejected) != len(wrong)+1 {
			t.Fatalf("the rejected file has %d records: %v\n%s", len(rejected), err, data)
		}
		if status, out, _ := importInto(t, databaseURL, "--skip-invalid", file); status != 0 ||
			!strings.HasPrefix(out, "2500 rows: 0 new, 0 changed, 2495 unchanged, 5 rejected\n") {
			t.Errorf("a second import: exit status %d, %q", status, out)
		}
	})
}

// Files that are no table of awards are refused as a whole.
func TestImportOfOtherFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "another table": "name,price\nlaurel,1\n", "not UTF-8": importHeader + "award-1,\xff\xfe@example.org,,,,template-1,2026-11-20,,,\n",
		"binary": "\x00\x01\x02\x03", "without a needed column": "award_id,email\na,b@example.org\n", "an open quote": importHeader + "\"award-1,a@example.org\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := "sqlite:" + filepath.Join(t.TempDir(), "laurel.db")
			status, out, errs := importInto(t, database, writeFile(t, "awards.csv", content))
			if status != 1 || out != "" || !strings.Contains(errs, "bot: ") {
				t.Errorf("exit status %d, %q\n%s", status, out, errs)
			}
			if n := countRows(t, openDatabase(t, database), `SELECT count(*) FROM badges`); n != 0 {
				t.Errorf("%d badges were imported", n)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		if status, _, errs := importInto(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"), "missing.csv"); status != 2 || !strings.Contains(errs, "missing.csv") {
			t.Errorf("exit status %d\n%s", status, errs)
		}
	})
}

func anyLine(lines []string, parts ...string) bool {
	for _, line := range lines {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// tableCounts counts the rows of every table of the store.
func tableCounts(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	list := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if onPostgres(db) {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
	}
	rows, err := db.QueryContext(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(names) < 15 {
		t.Fatalf("only %d tables: %v", len(names), names)
	}
	counts := map[string]int{}
	for _, name := range names {
		counts[name] = countRows(t, db, `SELECT count(*) FROM `+name)
	}
	return counts
}

// onPostgres tells the two databases apart.
func onPostgres(db *sql.DB) bool { return fmt.Sprintf("%T", db.Driver()) == "*pq.Driver" }

// sameCounts compares; what jobs note about themselves changes by itself.
func sameCounts(t *testing.T, before, after map[string]int) {
	t.Helper()
	for name, n := range before {
		if strings.HasPrefix(name, "job_") {
			continue
		}
		if after[name] != n {
			t.Errorf("table %s had %d rows and has %d", name, n, after[name])
		}
	}
}
