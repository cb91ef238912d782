package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Certificates shows people what they earned; [core.Certificates] does.
type Certificates interface {
	Look(ctx context.Context, token string) (core.Kept, error)
	Calendar(ctx context.Context, token string) (core.Kept, error)
	Assertions(ctx context.Context, all []core.Credential) []core.Assertion
}

var _ Certificates = (*core.Certificates)(nil)

// maxArchives is how many archives are made at the same time: each asks the
// provider for many documents.
const maxArchives = 2

// certificateRoutes registers /c/….
func (p *Pages) certificateRoutes(mux *http.ServeMux) {
	mux.Handle("/c/{token}", p.route("certificates", p.lookAtCertificates, nil))
	for name, get := range map[string]handler{
		"certificates.csv": p.csvExport, "certificates.json": p.jsonExport, "certificates.ics": p.calendarExport,
		"certificates.zip": p.archiveExport,
	} {
		mux.Handle("/c/{token}/"+name, p.route(name, get, nil))
	}
}

// maxCertText is the longest name or number that the page shows, in characters.
const maxCertText = 300

// certView is what the page of certificates shows.
type certView struct {
	Own, Others []certRow
	// Date is the day on which all that is true.
	Date string
	// ElsewhereID is the sentence about badges from elsewhere, or empty.
	ElsewhereID string
	// Files are offered for download.
	Files []certFile
	// Calendar is the address to subscribe to. It is not offered as webcal://:
	// programs ask such an address in the clear first
	// (https://en.wikipedia.org/wiki/Webcal), and its token lives for years.
	Calendar string
}

// certRow is one certificate as it is read.
type certRow struct {
	Name, Issuer, Number   string
	NumberURL, URL         string
	Issued, Expires        string
	IssuedDay, ExpiresDay  string
	Validity, Word, Advice string
	// SeenID says who sees it: certificates.public, certificates.private, or "".
	SeenID string
	// Picture is the address on this server, or empty.
	Picture string
	// Ended says that no end of its own matters any more.
	Ended bool
}

type certFile struct{ Address, Kind string }

// lookAtCertificates shows what a person keeps track of.
func (p *Pages) lookAtCertificates(ctx context.Context, r *http.Request) answer {
	k, refused := p.kept(ctx, r, p.certificates.Look)
	if refused != nil {
		return *refused
	}
	w := p.words(r, k.Locale)
	return answer{status: http.StatusOK, view: &view{
		page: "certificates", words: w, TitleID: "web.certificates.title", TextID: "web.certificates.lead",
		args:    chat.Args{"Date": w.Date(k.At), "Provider": k.Provider},
		Heading: cleanTyped(k.Name, maxCertText), Certs: p.newCertView(w, k, r.PathValue("token")),
	}}
}

// kept finds what a link is about.
func (p *Pages) kept(ctx context.Context, r *http.Request, look func(context.Context, string) (core.Kept, error)) (core.Kept, *answer) {
	token := r.PathValue("token")
	if !p.turns.take(token) {
		a := p.busy(r)
		return core.Kept{}, &a
	}
	k, err := look(ctx, token)
	if err != nil {
		a := p.shareError(r, err, "web.certificates.gone")
		if a.view != nil && a.status < http.StatusInternalServerError {
			a.view.Icon, a.view.NextID = "clock", "web.certificates.gone.next"
		}
		return core.Kept{}, &a
	}
	return k, nil
}

func (p *Pages) newCertView(w chat.Words, k core.Kept, token string) *certView {
	v := &certView{Date: w.Date(k.At)}
	for _, c := range k.Own {
		v.Own = append(v.Own, p.newCertRow(w, c))
	}
	for _, c := range k.Others {
		v.Others = append(v.Others, p.newCertRow(w, c))
	}
	switch {
	case k.Elsewhere == core.ElsewhereNone || k.Elsewhere == core.ElsewhereOff:
	case k.Elsewhere == core.ElsewhereListed && len(k.Others) == 0:
		v.ElsewhereID = "certificates.elsewhere.none"
	default:
		v.ElsewhereID = "certificates.elsewhere." + string(k.Elsewhere)
	}
	for _, kind := range []string{"csv", "json", "zip", "ics"} {
		v.Files = append(v.Files, certFile{p.base() + "/c/" + url.PathEscape(token) + "/certificates." + kind, kind})
	}
	v.Calendar = originOf(p.public) + p.base() + "/c/" + url.PathEscape(k.Calendar) + "/certificates.ics"
	return v
}

func (p *Pages) newCertRow(w chat.Words, c core.Credential) certRow {
	row := certRow{
		Name: cleanTyped(w.CredentialName(c), maxCertText), Number: cleanTyped(c.Certificate.Number, maxCertText), NumberURL: certificateURL(c), URL: c.PageURL, Validity: string(c.Validity),
		Word: w.Validity(c.Validity), Advice: w.Advice(c).String(),
	}
	if c.Elsewhere {
		row.Issuer = cleanTyped(c.Issuer, maxCertText)
	}
	if !c.IssuedAt.IsZero() {
		row.Issued, row.IssuedDay = w.Date(c.IssuedAt), isoDay(c.IssuedAt)
	}
	row.Ended = c.Stage.Ended()
	if !c.ExpiresAt.IsZero() && !row.Ended {
		row.Expires, row.ExpiresDay = w.Date(c.ExpiresAt), isoDay(c.ExpiresAt)
	}
	switch c.Stage {
	case core.StagePublic:
		row.SeenID = "certificates.public"
	case core.StageAccepted:
		row.SeenID = "certificates.private"
	}
	if c.Picture != "" {
		row.Picture = p.base() + "/b/" + url.PathEscape(c.Picture) + ".png"
	}
	return row
}

// webAddress reports whether a link leads to a page of the web.
func webAddress(link string) bool {
	u, err := url.Parse(link)
	return err == nil && originOf(u) != "" && u.Scheme == "https"
}

// isoDay is a day of UTC, e.g. "2026-11-02", or "".
func isoDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// Rows is a table with its heading, for the template.
func (v *view) Rows(heading string, rows []certRow) certTable {
	numbers := slices.ContainsFunc(rows, func(r certRow) bool { return r.Number != "" })
	return certTable{view: v, HeadingID: heading, Rows: rows, Numbers: numbers}
}

// certTable is one table of the page.
type certTable struct {
	*view
	HeadingID string
	Rows      []certRow
	// Numbers says that some of them have one.
	Numbers bool
}

// file is the answer that a browser keeps as a file.
func file(mime, name string, body []byte) answer {
	return answer{status: http.StatusOK, mime: mime, body: body, header: http.Header{
		"Content-Disposition": {`attachment; filename="` + name + `"`},
	}}
}

// export answers with a file that is made of everything that a page shows.
func (p *Pages) export(ctx context.Context, r *http.Request, mime, name string, write func(chat.Words, core.Kept) ([]byte, error)) answer {
	k, refused := p.kept(ctx, r, p.certificates.Look)
	if refused != nil {
		return *refused
	}
	body, err := write(p.words(r, k.Locale), k)
	if err != nil {
		return p.failed(r, err)
	}
	return file(mime, name, body)
}

func (p *Pages) csvExport(ctx context.Context, r *http.Request) answer {
	return p.export(ctx, r, "text/csv; charset=utf-8; header=present", "certificates.csv", writeCSV)
}

func (p *Pages) jsonExport(ctx context.Context, r *http.Request) answer {
	return p.export(ctx, r, "application/json", "certificates.json", writeJSON)
}

func (p *Pages) calendarExport(ctx context.Context, r *http.Request) answer {
	k, refused := p.kept(ctx, r, p.certificates.Calendar)
	if refused != nil {
		return *refused
	}
	body, err := writeCalendar(p.words(r, k.Locale), k)
	if err != nil {
		return p.failed(r, err)
	}
	return file("text/calendar; charset=utf-8", "certificates.ics", body)
}

// archiveExport asks the provider for each document, so few are made at once.
func (p *Pages) archiveExport(ctx context.Context, r *http.Request) answer {
	k, refused := p.kept(ctx, r, p.certificates.Look)
	if refused != nil {
		return *refused
	}
	select {
	case p.archives <- struct{}{}:
		defer func() { <-p.archives }()
	default:
		return p.busy(r)
	}
	all := k.All()
	body, err := writeArchive(k.At, all, p.certificates.Assertions(ctx, all))
	if err != nil {
		return p.failed(r, err)
	}
	return file("application/zip", "openbadges.zip", body)
}

// printable takes what no text needs out of a name or number: line breaks and
// other control characters become spaces.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r <= 0x9f, r == 0x2028, r == 0x2029:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}
