package web

import (
	"html"
	"strconv"
	"strings"
	"unicode"
)

// signatureSize is how large the badges of a signature are.
type signatureSize struct {
	ID string
	// Pixels are the sides of a picture, PerRow how many stand side by side:
	// mails are read at 600 pixels and less.
	Pixels, PerRow int
}

// signatureSizes are small and large; the first is the usual one.
func signatureSizes() []signatureSize { return []signatureSize{{"small", 64, 6}, {"large", 110, 4}} }

// signedBadge is a badge in a signature, with complete addresses.
type signedBadge struct{ Name, URL, Picture string }

// signatureParts are the pieces from which the HTML of a signature is put
// together, here and by the page's script in the same way. All lines begin at
// the side at which the mail begins; within a line the text has its own
// direction. It follows the
// rules of the strictest mail programs: tables, a few inline styles, sizes as
// attributes, no colours (so that it reads on light and dark alike), nothing
// that has to be loaded but the pictures. What programs understand:
// https://www.caniemail.com.
type signatureParts struct {
	Open   string    `json:"open"`
	Name   [2]string `json:"name"`
	Title  [2]string `json:"title"`
	Badges [2]string `json:"badges"`
	Row    [2]string `json:"row"`
	PerRow int       `json:"perRow"`
	Cells  []string  `json:"cells"`
	Close  string    `json:"close"`
	// Words are the badges as plain text.
	Words []string `json:"words"`
}

const (
	signatureTable = `<table cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse">`
	signatureFont  = `font-family:Arial,Helvetica,sans-serif`
)

func newSignatureParts(size signatureSize, badges []signedBadge) signatureParts {
	p := signatureParts{
		Open: signatureTable,
		Name: [2]string{
			`<tr><td style="padding:0;` + signatureFont + `;font-size:16px;line-height:22px;font-weight:bold"><span dir="auto">`, `</span></td></tr>`,
		},
		Title: [2]string{
			`<tr><td style="padding:0;` + signatureFont + `;font-size:13px;line-height:18px"><span dir="auto">`, `</span></td></tr>`,
		},
		Badges: [2]string{`<tr><td style="padding:10px 0 0 0">` + signatureTable, `</table></td></tr>`},
		Row:    [2]string{`<tr>`, `</tr>`}, PerRow: size.PerRow, Close: `</table>`,
	}
	side := strconv.Itoa(size.Pixels)
	for _, b := range badges {
		inside := html.EscapeString(b.Name)
		if b.Picture != "" {
			inside = `<img src="` + html.EscapeString(b.Picture) + `" width="` + side + `" height="` + side + `" alt="` + inside +
				`" border="0" style="display:block;border:0;width:` + side + `px;height:` + side + `px">`
		}
		p.Cells = append(p.Cells, `<td valign="top" style="padding:0 12px 10px 0;`+signatureFont+`;font-size:13px;line-height:18px"><a href="`+
			html.EscapeString(b.URL)+`" target="_blank" style="text-decoration:none">`+inside+`</a></td>`)
		p.Words = append(p.Words, b.Name+": "+b.URL)
	}
	return p
}

// html puts a signature together; chosen are the numbers of its badges.
func (p signatureParts) html(name, title string, chosen []int) string {
	var b strings.Builder
	b.WriteString(p.Open)
	if name != "" {
		b.WriteString(p.Name[0] + html.EscapeString(name) + p.Name[1])
	}
	if title != "" {
		b.WriteString(p.Title[0] + html.EscapeString(title) + p.Title[1])
	}
	if len(chosen) > 0 {
		b.WriteString(p.Badges[0])
		for i, n := range chosen {
			if i%p.PerRow == 0 {
				b.WriteString(p.Row[0])
			}
			b.WriteString(p.Cells[n])
			if i%p.PerRow == p.PerRow-1 || i == len(chosen)-1 {
				b.WriteString(p.Row[1])
			}
		}
		b.WriteString(p.Badges[1])
	}
	b.WriteString(p.Close)
	return b.String()
}

// cleanTyped returns typed text in one line of at most n characters, without
// characters that would reorder what stands around it. The page's script does
// the same.
func cleanTyped(s string, n int) string {
	fields := strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r >= 0x200e && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	})
	runes := []rune(strings.Join(fields, " "))
	return strings.TrimSpace(string(runes[:min(len(runes), n)]))
}
