package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// lookAgain is how often the page of a badge that is being prepared looks
// again, in seconds.
const lookAgain = 3

func (p *Pages) lookAtHandoff(ctx context.Context, r *http.Request) answer {
	passage, err := p.passages.Look(ctx, r.PathValue("token"))
	if err != nil {
		return p.handoffError(r, err)
	}
	status := http.StatusOK
	switch passage.State {
	case core.HandoffFollowed, core.HandoffExpired, core.HandoffFailed:
		status = http.StatusGone
	}
	return answer{status: status, view: p.handoffView(r, passage)}
}

// followHandoff sends the person on to the provider.
func (p *Pages) followHandoff(ctx context.Context, r *http.Request) answer {
	token := r.PathValue("token")
	link, err := p.passages.Follow(ctx, token)
	if err == nil {
		if u, parseErr := url.Parse(link); parseErr != nil || originOf(u) == "" {
			return p.failed(r, errors.New("follow handoff: the accept link is no web address"))
		}
		return answer{status: http.StatusSeeOther, location: link}
	}
	if !errors.Is(err, core.ErrGone) && !errors.Is(err, core.ErrUnreachable) {
		return p.handoffError(r, err)
	}
	passage, lookErr := p.passages.Look(ctx, token)
	if lookErr != nil {
		return p.handoffError(r, lookErr)
	}
	if errors.Is(err, core.ErrUnreachable) {
		return p.unreachable(r, passage)
	}
	return p.gone(r, passage)
}

// unreachable offers to try again with the same link.
func (p *Pages) unreachable(r *http.Request, passage core.Passage) answer {
	v := p.handoffView(r, passage)
	v.page, v.Icon, v.TitleID, v.TextID, v.NextID = "notice", "clock", "web.unreachable.title", "web.unreachable.text", ""
	v.EyebrowID, v.Heading, v.Address, v.LookAgain = "", "", "", 0
	v.ButtonID, v.leads = "web.unreachable.button", true
	return answer{status: http.StatusServiceUnavailable, retry: retryAfter, view: v, refused: "provider unreachable"}
}

// gone explains why a press had no effect.
func (p *Pages) gone(r *http.Request, passage core.Passage) answer {
	v := p.handoffView(r, passage)
	switch passage.State {
	case core.HandoffPreparing:
		return answer{status: http.StatusConflict, view: v, refused: "preparing"}
	case core.HandoffOpen:
		// Open by our own knowledge, but the provider says that there is
		// nothing left to accept.
		v = p.handoffNotice(r, passage, "web.gone", "clock")
	}
	return answer{status: http.StatusGone, view: v, refused: "gone"}
}

func (p *Pages) handoffError(r *http.Request, err error) answer {
	if !errors.Is(err, core.ErrNotFound) {
		return p.failed(r, err)
	}
	return answer{
		status: http.StatusNotFound, refused: "unknown",
		view: notice(p.words(r, ""), "web.unknown", nil),
	}
}

// handoffView is the page for where a handoff stands.
func (p *Pages) handoffView(r *http.Request, passage core.Passage) *view {
	switch passage.State {
	case core.HandoffPreparing:
		v := p.handoffNotice(r, passage, "web.preparing", "wait")
		v.NextID, v.LookAgain = "", lookAgain
		return v
	case core.HandoffOpen:
		return p.openHandoff(r, passage)
	case core.HandoffFollowed:
		v := p.handoffNotice(r, passage, "web.followed", "info")
		v.Address = passage.Badge.Recipient.Shown
		return v
	case core.HandoffExpired:
		return p.handoffNotice(r, passage, "web.expired", "clock")
	case core.HandoffCompleted:
		return p.handoffNotice(r, passage, "web.completed", "good")
	}
	return p.handoffNotice(r, passage, "web.failed", "info")
}

func (p *Pages) openHandoff(r *http.Request, passage core.Passage) *view {
	w := p.words(r, passage.Locale)
	v := &view{
		page: "handoff", words: w, args: handoffArgs(w, passage), leads: true,
		TitleID: "web.handoff.title", EyebrowID: "web.handoff.eyebrow", Heading: badgeName(w, passage.Badge),
		Address: passage.Badge.Recipient.Shown, ButtonID: "web.handoff.button",
		Until: passage.ExpiresAt,
	}
	v.Left = max(0, int(math.Ceil(passage.ExpiresAt.Sub(p.clock.Now()).Seconds())))
	v.Total = max(int(core.DefaultHandoffTTL.Seconds()), v.Left)
	// A second later it is surely over.
	v.LookAgain = v.Left + 1
	p.setImage(v, passage.Badge)
	return v
}

func (p *Pages) handoffNotice(r *http.Request, passage core.Passage, prefix, icon string) *view {
	w := p.words(r, passage.Locale)
	v := notice(w, prefix, handoffArgs(w, passage))
	v.Icon = icon
	return v
}

func handoffArgs(w chat.Words, passage core.Passage) chat.Args {
	return chat.Args{"Badge": badgeName(w, passage.Badge), "Provider": passage.Provider}
}

func badgeName(w chat.Words, b core.Badge) string {
	if b.Template.Name != "" {
		return b.Template.Name
	}
	return w.Plain("badge.unnamed", nil)
}

// setImage shows the badge's picture where it comes over an encrypted
// connection, from here, or from where the accept links lead.
func (p *Pages) setImage(v *view, b core.Badge) {
	u, err := url.Parse(b.Template.ImageURL)
	if err != nil {
		return
	}
	origin := originOf(u)
	if origin == "" || u.Scheme != "https" && origin != originOf(p.public) && !slices.Contains(p.targets, origin) {
		return
	}
	v.ImageOrigin = origin
	v.Image = chat.Image{URL: u.String(), Alt: v.words.Plain("badge.image", chat.Args{"Badge": badgeName(v.words, b)})}
}
