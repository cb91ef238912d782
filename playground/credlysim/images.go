package credlysim

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"unicode"
)

// showImage draws the badge of a template, or the organization's mark; mu is
// held.
func (s *Server) showImage(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("file"), ".svg")
	asPNG := false
	if !ok {
		id, ok = strings.CutSuffix(r.PathValue("file"), ".png")
		asPNG = true
	}
	name := ""
	if t := s.templateBy[id]; t != nil {
		name = t.Name
	} else if f := s.foreignBy(func(f *foreign) bool { return f.templateID == id }); f != nil {
		name = f.Name
	} else if id == "organization" {
		name = s.cfg.OrganizationName
	}
	if !ok || name == "" {
		s.pages.message(w, http.StatusNotFound, "Image not found", "There is nothing here.")
		return
	}
	if asPNG {
		data, err := drawPNG(name)
		if err != nil {
			s.pages.message(w, http.StatusInternalServerError, "Image not drawn", "Please try again.")
			return
		}
		w.Header().Set("Content-Type", "image/png")
		// Who does not read the image has hung up.
		_, _ = w.Write(data)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	// Who does not read the image has hung up.
	_, _ = fmt.Fprint(w, drawBadge(name))
}

// drawBadge draws a six-sided badge with the initials of its name, in a
// colour that belongs to the name.
func drawBadge(name string) string {
	hue := hueOf(name)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200" role="img">
<title>%s</title>
<polygon points="100,6 182,53 182,147 100,194 18,147 18,53" fill="hsl(%d 55%% 32%%)"/>
<polygon points="100,22 168,61 168,139 100,178 32,139 32,61" fill="none" stroke="hsl(%d 70%% 85%%)" stroke-width="4"/>
<text x="100" y="118" font-family="system-ui, sans-serif" font-size="52" font-weight="700" text-anchor="middle" fill="#fff">%s</text>
</svg>
`, html.EscapeString(name), hue, hue, html.EscapeString(initials(name)))
}

func initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		first := []rune(word)[0]
		if len(out) < 3 && (unicode.IsLetter(first) || unicode.IsDigit(first)) {
			out = append(out, unicode.ToUpper(first))
		}
	}
	return string(out)
}
