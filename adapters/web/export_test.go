package web

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// same compares a file byte by byte; UPDATE_GOLDEN=1 writes it instead.
func same(t *testing.T, name string, body []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, want) {
		t.Errorf("%s differs, got:\n%s", path, body)
	}
}

// download gets a file, and holds its headers against what every file has.
func download(t *testing.T, s *site, path, mime, name string) []byte {
	t.Helper()
	w := s.get(t, path, "en")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d", path, w.Code)
	}
	for header, want := range map[string]string{
		"Content-Type": mime, "Content-Disposition": `attachment; filename="` + name + `"`, "Cache-Control": "no-store",
		"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %s is %q, want %q", path, header, got, want)
		}
	}
	return w.Body.Bytes()
}

// readTable reads a table as programs do.
func readTable(t interface{ Fatalf(string, ...any) }, body []byte) []map[string]string {
	rest, ok := bytes.CutPrefix(body, []byte(byteOrderMark))
	if !ok {
		t.Fatalf("no byte order mark: %q", body[:min(len(body), 9)])
	}
	r := csv.NewReader(bytes.NewReader(rest))
	rows, err := r.ReadAll()
	if err != nil || !slices.Equal(rows[0], csvColumns()) {
		t.Fatalf("%v, columns %q", err, rows)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, cell := range row {
			named[rows[0][i]] = cell
		}
		out = append(out, named)
	}
	return out
}

func TestCSV(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := download(t, s, testCertPath+"/certificates.csv", "text/csv; charset=utf-8; header=present", "certificates.csv")
	same(t, "certificates.csv", body)
	rows := readTable(t, body)
	if len(rows) != 8 || rows[0]["certificate_number"] != "EX-2021/007" || rows[0]["expires_on"] != "2026-12-22" || rows[0]["state"] != "expiring" {
		t.Errorf("%+v", rows)
	}
	if rows[1]["certificate_number"] != "'=1+1" || !strings.HasPrefix(rows[1]["name"], "'=HYPERLINK") || rows[2]["certificate_number"] != "'+49-17" {
		t.Errorf("a formula got through: %+v", rows[1:3])
	}
	if rows[7]["elsewhere"] != "yes" || rows[7]["visibility"] != "public" || rows[4]["visibility"] != "" || rows[3]["expires_on"] != "" {
		t.Errorf("%+v", rows)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := download(t, s, testCertPath+"/certificates.json", "application/json", "certificates.json")
	same(t, "certificates.json", body)
	var doc jsonDocument
	if err := json.Unmarshal(body, &doc); err != nil || doc.Format != jsonFormat || len(doc.Certificates) != 8 {
		t.Fatalf("%+v, %v", doc, err)
	}
	if doc.Certificates[1].Name != evilName || doc.Certificates[3].ExpiresOn != nil || *doc.Certificates[0].Visibility != "public" {
		t.Errorf("%+v", doc.Certificates)
	}
}

// contentLines are the lines of a calendar, unfolded; what no reader would take is an error.
func contentLines(t interface{ Fatalf(string, ...any) }, body []byte) []string {
	if !utf8.Valid(body) || !bytes.HasSuffix(body, []byte("\r\n")) {
		t.Fatalf("not UTF-8, or the last line does not end: %q", body)
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(string(body), "\r\n"), "\r\n") {
		// https://www.rfc-editor.org/rfc/rfc5545#section-3.1
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Fatalf("a line of %d bytes: %q", len(line), line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded && len(lines) > 0 {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// plainText undoes what a calendar does to a text
// (https://www.rfc-editor.org/rfc/rfc5545#section-3.3.11).
func plainText(t interface{ Fatalf(string, ...any) }, value string) string {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && i+1 < len(value):
			i++
			if n := value[i]; n == 'n' || n == 'N' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(n)
			}
		case c == ',' || c == ';' || c == '\\':
			t.Fatalf("%q is not escaped in %q", c, value)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := download(t, s, testCertPath+"/certificates.ics", "text/calendar; charset=utf-8", "certificates.ics")
	same(t, "certificates.ics", body)
	if other := download(t, s, "/c/"+testCalendarToken+"/certificates.ics", "text/calendar; charset=utf-8", "certificates.ics"); !bytes.Equal(body, other) {
		t.Error("the calendar's own address has something else")
	}
	contentLines(t, body)
	cal, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range cal.Events() {
		ids = append(ids, e.Id())
		start, err := e.GetAllDayStartAt()
		end, wrong := e.GetAllDayEndAt()
		if err != nil || wrong != nil || end.Sub(start) != 24*time.Hour {
			t.Errorf("%s: %s to %s, %v, %v", e.Id(), start, end, err, wrong)
		}
		alarms := map[bool]int{true: len(calendarAlarms())}[start.After(days(100))]
		if start.Equal(days(30).Truncate(24 * time.Hour)) {
			alarms = 2
		}
		if len(e.Alarms()) != alarms {
			t.Errorf("%s: %d alarms", e.Id(), len(e.Alarms()))
		}
	}
	want := []string{"0190f000-0000-7000-8000-000000000001", "0190f000-0000-7000-8000-000000000002", "0190f000-0000-7000-8000-000000000003"}
	if !slices.Equal(ids, want) {
		t.Errorf("events %q", ids)
	}
	for _, secret := range []string{"EX-2021", "Ada", "Example Body"} {
		if bytes.Contains(body, []byte(secret)) {
			t.Errorf("the calendar tells %s", secret)
		}
	}
	// The same events again on another day.
	s.certs.kept.At = days(3)
	again := download(t, s, testCertPath+"/certificates.ics", "text/calendar; charset=utf-8", "certificates.ics")
	if cal, err := ics.ParseCalendar(bytes.NewReader(again)); err != nil || cal.Events()[0].Id() != ids[0] {
		t.Errorf("another id: %v", err)
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := download(t, s, testCertPath+"/certificates.zip", "application/zip", "openbadges.zip")
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "openbadges.index.json", files["index.json"])
	var index archiveIndex
	if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Badges) != 8 || len(files) != 3 {
		t.Fatalf("%v, %d badges, files %v", err, len(index.Badges), len(files))
	}
	for i, b := range index.Badges {
		if (b.File == nil) != (b.Missing != nil) {
			t.Errorf("%d: neither there nor missing: %+v", i, b)
		}
		if b.File != nil && !json.Valid(files[*b.File]) {
			t.Errorf("%d: %s is %q", i, *b.File, files[*b.File])
		}
	}
	if m := index.Badges[2].Missing; m == nil || *m != "unreachable" || *index.Badges[2].Assertion == "" {
		t.Errorf("what did not answer: %+v", index.Badges[2])
	}
}

// Only a few archives are made at once: each asks the provider a lot.
func TestArchivesAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.certs.begun, s.certs.hold = make(chan struct{}), make(chan struct{})
	codes := make(chan int, maxArchives)
	for range maxArchives {
		go func() {
			w := httptest.NewRecorder()
			s.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, testCertPath+"/certificates.zip", http.NoBody))
			codes <- w.Code
		}()
		<-s.certs.begun
	}
	if w := s.get(t, testCertPath+"/certificates.zip", "en"); w.Code != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", w.Code)
	}
	if w := s.get(t, testCertPath+"/certificates.csv", "en"); w.Code != http.StatusOK {
		t.Errorf("another file: %d", w.Code)
	}
	for range maxArchives {
		s.certs.hold <- struct{}{}
		if code := <-codes; code != http.StatusOK {
			t.Errorf("status %d", code)
		}
	}
}

// One link is not opened more often than a person needs.
func TestCertificatesTakeTurns(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range turnBurst {
		if w := s.get(t, testCertPath, "en"); w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
	}
	for _, path := range []string{"", "/certificates.csv", "/certificates.zip", "/certificates.ics"} {
		if w := s.get(t, testCertPath+path, "en"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%q: %d", path, w.Code)
		}
	}
}

// anyText is text of every script, with what means something to somebody.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune("=+-@\t\r\n,;:\\\"' <>&aÄß資مक🎓\u200d\u202e\u2028\x00\x7f"))),
		rapid.Map(rapid.IntRange(0, 300), func(n int) string { return strings.Repeat("資格", n) }),
		rapid.Map(rapid.IntRange(0, 600), func(n int) string { return strings.Repeat("x", n) }),
		rapid.SampledFrom([]string{evilName, "=cmd|'/C calc'!A0", "\xff\xfe", "END:VEVENT\r\nBEGIN:VALARM", "＝1"}),
	)
}

// checkExports holds what is exported of one certificate against what it is.
func checkExports(t interface{ Fatalf(string, ...any) }, w chat.Words, name, number string) {
	k := core.Kept{At: begin(), Own: []core.Credential{{
		ID: "0190f000-0000-7000-8000-000000000001", Name: name, Certificate: core.Certificate{Number: number}, Validity: core.ValidityValid,
		Stage: core.StageAccepted, ExpiresAt: days(400), Days: 400,
	}}}
	body, err := writeCSV(w, k)
	if err != nil {
		t.Fatalf("%v", err)
	}
	row := readTable(t, body)
	if len(row) != 1 {
		t.Fatalf("%d rows: %q", len(row), body)
	}
	for _, cell := range row[0] {
		for _, part := range strings.Split(cell, ";") {
			if strings.IndexAny(part, formulaSigns) == 0 || strings.ContainsAny(cell, "\r\n\t\x00") {
				t.Fatalf("a cell %q", cell)
			}
		}
	}
	for column, in := range map[string]string{"name": name, "certificate_number": number} {
		plain := func(s string) string { return strings.ReplaceAll(s, "'", "") }
		if got := row[0][column]; plain(got) != plain(printable(in)) {
			t.Fatalf("%s: %q became %q", column, in, got)
		}
	}
	if body, err = writeCalendar(w, k); err != nil {
		t.Fatalf("%v", err)
	}
	begins := map[string]int{}
	for _, line := range contentLines(t, body) {
		property, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("no property: %q", line)
		}
		switch property {
		case "BEGIN":
			begins[value]++
		case "SUMMARY":
			if got, want := plainText(t, value), w.Plain("calendar.summary", chat.Args{"Badge": calendarName(w, k.Own[0])}); got != want {
				t.Fatalf("%q became %q", want, got)
			}
		}
	}
	if begins["VEVENT"] != 1 || begins["VALARM"] != len(calendarAlarms()) || len(begins) != 3 {
		t.Fatalf("components %v: %s", begins, body)
	}
	if cal, err := ics.ParseCalendar(bytes.NewReader(body)); err != nil || len(cal.Events()) != 1 {
		t.Fatalf("not read back: %v", err)
	}
	if body, err = writeJSON(w, k); err != nil || !json.Valid(body) {
		t.Fatalf("%v: %s", err, body)
	}
}

func TestExportsTakeEveryName(t *testing.T) {
	t.Parallel()
	catalog, err := readCatalog()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := catalog.For(rapid.SampledFrom([]string{"en", "de", "es"}).Draw(rt, "language"))
		checkExports(rt, w, anyText().Draw(rt, "name"), anyText().Draw(rt, "number"))
	})
}

func FuzzExports(f *testing.F) {
	catalog, err := readCatalog()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "Certified Gopher", evilName, "=1", strings.Repeat("資", 80), strings.Repeat("a b ", 60), "\\n,;\\"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, number string) { checkExports(t, catalog.For("en"), name, number) })
}
