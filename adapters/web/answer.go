package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// answer is what a request leads to: a page, another place, or a plain body.
type answer struct {
	status int
	view   *view
	// location is where to go on, with status 303.
	location string
	body     []byte
	mime     string
	// allow are the methods that would have been right, with status 405.
	allow string
	// retry is after how many seconds to try again, or 0.
	retry int
	// refused says for the log why a request was turned away.
	refused string
	// err is what went wrong on this side.
	err error
	// header replaces headers of every answer.
	header http.Header
}

// write sends the answer with the headers of every answer.
func (p *Pages) write(ctx context.Context, w http.ResponseWriter, a answer) {
	nonce := p.nonce()
	h := w.Header()
	p.setHeaders(h, a.view, nonce)
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retry))
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.view != nil {
		a.mime = "text/html; charset=utf-8"
		a.view.Nonce, a.view.Base, a.view.FooterLinks = nonce, p.base(), p.footer
		body, err := p.renderer.render(a.view)
		if err != nil {
			p.log.ErrorContext(ctx, "render page", "error", err)
			a.status, a.mime = http.StatusInternalServerError, "text/plain; charset=utf-8"
			body = []byte(a.view.Title())
		}
		a.body = body
	}
	maps.Copy(h, a.header)
	if a.mime != "" {
		h.Set("Content-Type", a.mime)
	}
	w.WriteHeader(a.status)
	// Who does not read the rest has hung up.
	_, _ = w.Write(a.body)
}

// retryAfter is when to press again after a failure that passes, in seconds.
const retryAfter = 10

// failed is the page for what went wrong on this side.
func (p *Pages) failed(r *http.Request, err error) answer {
	a := answer{status: http.StatusInternalServerError, err: err}
	v := notice(p.words(r, ""), "trouble.internal", nil)
	if errors.Is(err, core.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		a.status, a.retry = http.StatusServiceUnavailable, retryAfter
		v = notice(p.words(r, ""), "trouble.unavailable", nil)
	}
	v.NextID = "web.trouble.next"
	a.view = v
	return a
}

func (p *Pages) notAllowed(r *http.Request, post bool) answer {
	v := notice(p.words(r, ""), "web.method", nil)
	v.NextID = "web.trouble.next"
	a := answer{status: http.StatusMethodNotAllowed, view: v, allow: "GET, HEAD", refused: "method"}
	if post {
		a.allow += ", POST"
	}
	return a
}

func (p *Pages) fromElsewhere(r *http.Request) answer {
	return answer{
		status: http.StatusForbidden, refused: "other origin",
		view: notice(p.words(r, ""), "web.elsewhere", nil),
	}
}

func (p *Pages) unreadable(r *http.Request, status int) answer {
	v := notice(p.words(r, ""), "web.request", nil)
	v.NextID = "web.trouble.next"
	return answer{status: status, view: v, refused: "body"}
}

// home says what this server is.
func (p *Pages) home(_ context.Context, r *http.Request) answer {
	v := notice(p.words(r, ""), "web.home", nil)
	v.Icon, v.Target = "laurel", p.base()+"/verify"
	return answer{status: http.StatusOK, view: v}
}

func robots(context.Context, *http.Request) answer {
	return answer{status: http.StatusOK, mime: "text/plain; charset=utf-8", body: []byte("User-agent: *\nDisallow: /\n")}
}

func favicon(context.Context, *http.Request) answer {
	return answer{status: http.StatusOK, mime: "image/svg+xml", body: faviconSVG}
}

// notice is a page that says one thing and the next step: the sentences
// prefix.title, prefix.text and prefix.next.
func notice(w chat.Words, prefix string, args chat.Args) *view {
	return &view{
		page: "notice", words: w, args: args, Icon: "info",
		TitleID: prefix + ".title", TextID: prefix + ".text", NextID: prefix + ".next",
	}
}
