package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// maxName is how much of a person's name is shown, in characters. The name
// is whatever its owner wrote, and must not become the page's message.
const maxName = 60

func (p *Pages) lookAtEmail(ctx context.Context, r *http.Request) answer {
	request, err := p.links.Look(ctx, r.PathValue("token"))
	if err != nil {
		return p.emailError(r, err)
	}
	v := p.emailView(r, request)
	if request.Dead && request.Verification.State != core.VerificationUsed {
		return answer{status: http.StatusGone, view: v}
	}
	return answer{status: http.StatusOK, view: v}
}

// confirmEmail proves the address, and then shows the page again, so that
// loading it once more does nothing.
func (p *Pages) confirmEmail(ctx context.Context, r *http.Request) answer {
	token := r.PathValue("token")
	err := p.links.Confirm(ctx, token)
	switch {
	case err == nil:
		return answer{status: http.StatusSeeOther, location: p.base() + "/e/" + url.PathEscape(token)}
	case !errors.Is(err, core.ErrGone):
		return p.emailError(r, err)
	}
	request, err := p.links.Look(ctx, token)
	if err != nil {
		return p.emailError(r, err)
	}
	v := p.emailView(r, request)
	if request.Verification.State == core.VerificationUsed {
		// Pressed twice: the first press did it.
		return answer{status: http.StatusOK, view: v}
	}
	if !request.Dead {
		// It ended between the two looks.
		request.Dead = true
		v = p.emailView(r, request)
	}
	return answer{status: http.StatusGone, view: v, refused: "gone"}
}

func (p *Pages) emailError(r *http.Request, err error) answer {
	if !errors.Is(err, core.ErrNotFound) {
		return p.failed(r, err)
	}
	v := notice(p.words(r, ""), "web.unknown", nil)
	v.NextID = "web.email.unknown.next"
	return answer{status: http.StatusNotFound, view: v, refused: "unknown"}
}

func (p *Pages) emailView(r *http.Request, request core.EmailRequest) *view {
	account := request.Verification.Account
	w := p.words(r, account.Locale)
	name := cleanName(account.DisplayName)
	args := chat.Args{
		"Platform": w.Plain("platform."+string(account.Identity.Platform), nil),
		"Name":     name, "Address": chat.Code(request.Verification.Email.Shown),
	}
	switch {
	case request.Verification.State == core.VerificationUsed:
		v := notice(w, "web.email.done", args)
		v.Icon = "good"
		return v
	case request.Dead:
		v := notice(w, "web.email.gone", args)
		v.Icon = "clock"
		return v
	}
	v := &view{
		page: "email", words: w, args: args,
		TitleID: "web.email.title", TextID: "web.email.asked", NextID: "web.email.effect",
		Address: request.Verification.Email.Shown, ButtonID: "web.email.button",
	}
	if name == "" {
		v.TextID = "web.email.asked.unnamed"
	}
	return v
}

// cleanName returns a name in one line of bounded length, without characters
// that would reorder what stands around it.
func cleanName(s string) string {
	runes := []rune(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r)
	}), " "))
	if len(runes) > maxName {
		return string(runes[:maxName-1]) + "…"
	}
	return string(runes)
}
