package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// byteOrderMark stands before the table, because Excel takes a file without it
// for one of another encoding.
const byteOrderMark = "\ufeff"

// csvColumns are the names of the columns, which stay the same in every
// language: programs read them.
func csvColumns() []string {
	return []string{
		"name", "issuer", "certificate_number", "certificate_url", "issued_on", "expires_on", "state", "visibility", "advice",
		"badge_page", "elsewhere",
	}
}

// writeCSV writes a table (https://www.rfc-editor.org/rfc/rfc4180) in UTF-8,
// a line for each certificate.
func writeCSV(w chat.Words, k core.Kept) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(byteOrderMark)
	out := csv.NewWriter(&b)
	out.UseCRLF = true
	// What fails is kept until the end.
	_ = out.Write(csvColumns())
	for _, c := range k.All() {
		cells := []string{
			c.Name, c.Issuer, c.Certificate.Number, certificateURL(c), isoDay(c.IssuedAt), isoDay(c.ExpiresAt), string(c.Validity),
			visibility(c), w.Advice(c).String(), c.PageURL, yesNo(c.Elsewhere),
		}
		for i := range cells {
			cells[i] = harmless(printable(cells[i]))
		}
		_ = out.Write(cells)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return nil, fmt.Errorf("write table: %w", err)
	}
	return b.Bytes(), nil
}

// visibility is public, private, or nothing for what is not accepted.
func visibility(c core.Credential) string {
	switch {
	case c.Elsewhere || c.Stage == core.StagePublic:
		return "public"
	case c.Stage == core.StageAccepted:
		return "private"
	}
	return ""
}

// certificateURL is where the certificate lies, or empty: the body names it,
// and only an address of the web leads there.
func certificateURL(c core.Credential) string {
	if !webAddress(c.Certificate.URL) {
		return ""
	}
	return c.Certificate.URL
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// formulaSigns begin what a spreadsheet program takes for a formula, the wide
// forms of East Asian keyboards included, see
// https://owasp.org/www-community/attacks/CSV_Injection.
const formulaSigns = "=+-@\t\r\n|%＝＋－＠"

// harmless keeps a spreadsheet program from taking a text, or a part of it,
// for a formula: it puts an apostrophe before it. Where lists are separated by
// semicolons, as in most of Europe, Excel begins a new cell behind each.
func harmless(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		if begins && strings.ContainsRune(formulaSigns, r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = r == ';' || begins && (r == ' ' || r == '"')
	}
	return b.String()
}
