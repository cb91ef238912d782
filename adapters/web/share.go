package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Shares leads people to where they show their badges; [core.Shares] does.
type Shares interface {
	Look(ctx context.Context, token string) (core.Sharing, error)
	Note(ctx context.Context, s core.Sharing) error
	Picture(ctx context.Context, token string) (address string, err error)
	Signature(ctx context.Context, token string) (core.SignatureView, error)
}

var _ Shares = (*core.Shares)(nil)

// maxPostName keeps the text of a post, with the sentence around the name and
// the link, within the 280 of X and the 300 of Bluesky; in what [weight] counts.
const maxPostName = 180

// fieldServer is the field in which people name their Mastodon server.
const fieldServer = "server"

// shareRoutes registers /r/…, /s/… and /b/….
func (p *Pages) shareRoutes(mux *http.ServeMux) {
	mux.Handle("/r/{token...}", withForm(p.route("share", p.lookAtShare, p.chooseServer)))
	mux.Handle("/s/{token...}", withForm(p.route("signature", p.lookAtSignature, p.showSignature)))
	mux.Handle("/b/{file...}", p.route("picture", p.picture, nil))
}

// withForm reads a form before the page forgets what was sent. What is too
// long is told again when the page reads on.
func withForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			// What cannot be read is missing, and the page says so.
			_ = r.ParseForm()
		}
		next.ServeHTTP(w, r)
	})
}

// lookAtShare sends a person on to where a badge is shown. It answers browsers
// that load pages in advance as well, but counts only who comes.
func (p *Pages) lookAtShare(ctx context.Context, r *http.Request) answer {
	s, refused := p.sharing(ctx, r)
	if refused != nil {
		return *refused
	}
	if comes(r) {
		if err := p.shares.Note(ctx, s); err != nil {
			// The way to the outlet does not depend on it.
			p.log.WarnContext(ctx, "note sharing", "error", err)
		}
	}
	switch s.Outlet {
	case core.OutletMastodon:
		return answer{status: http.StatusOK, view: p.serverView(r, s)}
	case core.OutletMail:
		return answer{status: http.StatusOK, view: p.mailView(r, s)}
	}
	return answer{status: http.StatusFound, location: s.Outlet.Link(s.Showing)}
}

// comes reports whether a person follows the link just now: previews look
// with HEAD or say that they load in advance, pictures and scripts of other
// pages do not navigate
// (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Mode).
func comes(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return r.Method == http.MethodGet && (mode == "" || mode == "navigate") &&
		r.Header.Get("Sec-Purpose") == "" && r.Header.Get("Purpose") == "" && r.Header.Get("X-Moz") == ""
}

// sharing finds what a link is about, with everything that is shown.
func (p *Pages) sharing(ctx context.Context, r *http.Request) (core.Sharing, *answer) {
	token := r.PathValue("token")
	if !p.turns.take(token) {
		a := p.busy(r)
		return core.Sharing{}, &a
	}
	s, err := p.shares.Look(ctx, token)
	if err != nil {
		a := p.shareError(r, err, "web.share.private")
		return core.Sharing{}, &a
	}
	w := p.words(r, "")
	s.Showing.Name = badgeName(w, s.Badge)
	s.Showing.Text = w.Plain("share.post", chat.Args{"Badge": postName(s.Showing.Name)})
	return s, nil
}

// postName shortens a name for a post. What is read as one character, such as
// a letter with its marks or a joined emoji, is not torn apart.
func postName(name string) string {
	runes := []rune(cleanTyped(name, len(name)))
	const ellipsis = '…'
	used, end := 0, 0
	for i, r := range runes {
		if used+weight(ellipsis) <= maxPostName && !belongsBefore(runes, i) {
			end = i
		}
		used += weight(r)
	}
	if used <= maxPostName {
		return string(runes)
	}
	return strings.TrimSpace(string(runes[:end])) + string(ellipsis)
}

// weight is what the strictest network counts a character as: most scripts
// beyond the European and Arabic ones count twice
// (https://docs.x.com/fundamentals/counting-characters).
func weight(r rune) int {
	if r <= 0x10ff || r >= 0x2000 && r <= 0x200d || r >= 0x2010 && r <= 0x201f || r >= 0x2032 && r <= 0x2037 {
		return 1
	}
	return 2
}

// belongsBefore reports whether the character at i is read as a part of the one
// before it.
func belongsBefore(runes []rune, i int) bool {
	const joiner = '\u200d'
	r := runes[i]
	skinTone := r >= 0x1f3fb && r <= 0x1f3ff
	return skinTone || unicode.IsMark(r) || unicode.Is(unicode.Cf, r) || i > 0 && runes[i-1] == joiner
}

// shareError is the page for a link that leads nowhere, or nowhere any more;
// gone begins the sentences for that.
func (p *Pages) shareError(r *http.Request, err error, gone string) answer {
	switch {
	case errors.Is(err, core.ErrNotFound):
		v := notice(p.words(r, ""), "web.unknown", nil)
		v.NextID = "web.share.unknown.next"
		return answer{status: http.StatusNotFound, view: v, refused: "unknown"}
	case errors.Is(err, core.ErrGone):
		v := notice(p.words(r, ""), gone, nil)
		if gone == "web.sign.gone" {
			v.Icon, v.NextID = "clock", "web.share.unknown.next"
		}
		return answer{status: http.StatusGone, view: v, refused: "gone"}
	}
	return p.failed(r, err)
}

func (p *Pages) busy(r *http.Request) answer {
	v := notice(p.words(r, ""), "web.busy", nil)
	v.Icon, v.NextID = "clock", ""
	return answer{status: http.StatusTooManyRequests, retry: retryAfter, view: v, refused: "too often"}
}

// chooseServer sends a person on to their own Mastodon server.
func (p *Pages) chooseServer(ctx context.Context, r *http.Request) answer {
	s, refused := p.sharing(ctx, r)
	if refused != nil {
		return *refused
	}
	if s.Outlet != core.OutletMastodon {
		return p.notAllowed(r, false)
	}
	typed := r.PostForm.Get(fieldServer)
	server, ok := core.ParseServer(typed)
	if !ok {
		v := p.serverView(r, s)
		v.Typed, v.WrongID = strings.ToValidUTF8(typed[:min(len(typed), 200)], ""), "web.mastodon.wrong"
		return answer{status: http.StatusUnprocessableEntity, view: v, refused: "no server"}
	}
	s.Showing.Server = server
	return answer{status: http.StatusSeeOther, location: s.Outlet.Link(s.Showing)}
}

func (p *Pages) serverView(r *http.Request, s core.Sharing) *view {
	return &view{
		page: "server", words: p.words(r, ""), anywhere: true,
		TitleID: "web.mastodon.title", TextID: "web.mastodon.text", ButtonID: "web.mastodon.button", Heading: s.Showing.Text,
	}
}

func (p *Pages) mailView(r *http.Request, s core.Sharing) *view {
	return &view{
		page: "write", words: p.words(r, ""),
		TitleID: "web.mail.title", TextID: "web.mail.text", ButtonID: "web.mail.button",
		Heading: s.Showing.Text + "\n\n" + s.Showing.URL, Target: s.Outlet.Link(s.Showing),
	}
}
