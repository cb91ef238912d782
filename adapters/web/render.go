package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core/chat"
)

//go:embed templates
var templates embed.FS

//go:embed templates/favicon.svg
var faviconSVG []byte

// renderer makes HTML of views.
type renderer struct{ pages map[string]*template.Template }

// newRenderer reads the templates: every page is its own file within the
// layout.
func newRenderer() (*renderer, error) {
	layout, err := template.ParseFS(templates, "templates/layout.html", "templates/style.css", "templates/page.js")
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	r := &renderer{pages: map[string]*template.Template{}}
	for _, name := range []string{"notice", "handoff", "email", "server", "write", "sign", "verify", "roles", "again", "certificates"} {
		page, err := layout.Clone()
		if err != nil {
			return nil, fmt.Errorf("copy layout: %w", err)
		}
		if r.pages[name], err = page.ParseFS(templates, "templates/"+name+".html", "templates/share.css", "templates/sign.js", "templates/verify.css", "templates/verify.js", "templates/certificates.css"); err != nil {
			return nil, fmt.Errorf("read page: %w", err)
		}
	}
	return r, nil
}

func (r *renderer) render(v *view) ([]byte, error) {
	page, ok := r.pages[v.page]
	if !ok {
		return nil, fmt.Errorf("render page: no template %q", v.page)
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "layout.html", v); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return out.Bytes(), nil
}

// view is what a page shows.
type view struct {
	page  string
	words chat.Words
	args  chat.Args
	// leads says that the form goes on to the provider.
	leads bool
	// anywhere says that the form goes on to a server that is named in it.
	anywhere bool
	// towards is an origin to which the form goes on, or empty.
	towards string

	// TitleID, TextID and NextID are sentences; TextID and NextID may be empty.
	TitleID, TextID, NextID string
	// Icon is laurel, info, good, clock or wait.
	Icon string
	// Eyebrow is a sentence above the title, or empty.
	EyebrowID string
	// Heading is shown instead of the title, where the title says more.
	Heading     string
	Image       chat.Image
	ImageOrigin string
	// Address is shown with a button that copies it, or empty.
	Address string
	// ButtonID is the label of the form's button; empty is no form.
	ButtonID string
	// Until is the end of the link; zero shows none.
	Until time.Time
	// Left and Total are the seconds left and those of the whole bar.
	Left, Total int
	// LookAgain is after how many seconds the page loads itself again.
	LookAgain int

	// Typed is what was entered before, WrongID what is wrong with it.
	Typed, WrongID string
	// Target is where the button leads where it is a link.
	Target string
	// Verify is what the page of verification shows.
	Verify *verifyView
	// Sign is what the page of signatures shows.
	Sign *signView
	// Certs is what the page of certificates shows.
	Certs *certView

	Nonce, Base string
	FooterLinks []FooterLink
}

// Lang is the page's language.
func (v *view) Lang() string { return v.words.Lang() }

// Title is the page's name.
func (v *view) Title() string { return v.T(v.TitleID) }

// T is a sentence without formatting.
func (v *view) T(id string) string { return v.words.Plain(id, v.args) }

// S is a sentence with formatting, for the template "text".
func (v *view) S(id string) chat.Text {
	args := maps.Clone(v.args)
	if !v.Until.IsZero() {
		if args == nil {
			args = chat.Args{}
		}
		args["Until"] = v.Until
	}
	return v.words.Text(id, args)
}

// At is the label of a link to another server, with its name.
func (v *view) At(host string) string {
	return v.words.Plain("web.verify.criteria.at", chat.Args{"Host": host})
}

// Clock is the time left as people read it, e.g. "1:27".
func (v *view) Clock() string { return fmt.Sprintf("%d:%02d", v.Left/60, v.Left%60) }

// Part is how much of the time is left, from 0 to 1.
func (v *view) Part() string {
	return fmt.Sprintf("%.3f", float64(v.Left)/float64(max(v.Total, 1)))
}

// Parts keeps the address's two halves together where it has to be broken.
func (v *view) Parts() [2]string {
	at := strings.LastIndexByte(v.Address, '@')
	if at < 0 {
		return [2]string{v.Address}
	}
	return [2]string{v.Address[:at], v.Address[at:]}
}
