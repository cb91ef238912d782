package console

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
)

// mailPolicy lets a mail have its own looks and links that open elsewhere,
// and nothing that runs, loads or sends.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
	"img-src data: http://127.0.0.1:* http://localhost:*; form-action 'none'; frame-ancestors 'self'"

// headStart is where a mail's own head begins.
var headStart = regexp.MustCompile(`(?i)<head[^>]*>`)

// serveMailBody serves the HTML of one mail. A frame with the text as srcdoc
// would inherit the page's policy, under which no mail may style itself.
func (c *console) serveMailBody(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.Error(w, "no such message", http.StatusNotFound)
		return
	}
	for _, m := range c.cfg.Mail.Messages("") {
		if m.ID != id || m.HTML == "" {
			continue
		}
		guard(w.Header(), mailPolicy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// Who does not read the mail has hung up.
		_, _ = io.WriteString(w, openElsewhere(m.HTML))
		return
	}
	http.Error(w, "no such message", http.StatusNotFound)
}

// openElsewhere makes links open in a new tab, as mail programs do.
func openElsewhere(html string) string {
	const base = `<base target="_blank">`
	if at := headStart.FindStringIndex(html); at != nil {
		return html[:at[1]] + base + html[at[1]:]
	}
	return "<!doctype html><meta charset=\"utf-8\">" + base + html
}
