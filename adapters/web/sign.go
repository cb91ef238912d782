package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Fields of the page of signatures, and how much they take, in characters.
const (
	fieldName    = "name"
	fieldTitle   = "title"
	fieldSize    = "size"
	fieldBadge   = "badge"
	maxSignTitle = 100
	// usuallySigned is how many badges are chosen at first.
	usuallySigned = 3
)

// signView is what the page of signatures shows. Nothing that is typed is
// kept; without a script it goes to the server and comes back in the answer.
type signView struct {
	Name, Role string
	MaxName    int
	MaxRole    int
	Sizes      []signSize
	Badges     []signBadge
	// HTML is the signature as it was chosen, Parts what the script makes
	// others of, by size.
	HTML, Parts string
	Pixels      int
	Programs    []string
}

type signSize struct {
	ID     string
	Chosen bool
}

type signBadge struct {
	Number int
	Name   string
	// Picture is the address on this server, or empty.
	Picture, URL string
	Chosen       bool
}

func (p *Pages) lookAtSignature(ctx context.Context, r *http.Request) answer {
	return p.signature(ctx, r, nil)
}

// showSignature shows what was chosen, for browsers without scripts.
func (p *Pages) showSignature(ctx context.Context, r *http.Request) answer {
	return p.signature(ctx, r, r.PostForm)
}

func (p *Pages) signature(ctx context.Context, r *http.Request, typed url.Values) answer {
	token := r.PathValue("token")
	if !p.turns.take(token) {
		return p.busy(r)
	}
	s, err := p.shares.Signature(ctx, token)
	if err != nil {
		return p.shareError(r, err, "web.sign.gone")
	}
	w := p.words(r, "")
	if len(s.Badges) == 0 {
		v := notice(w, "web.sign.empty", nil)
		v.NextID = "web.share.private.next"
		return answer{status: http.StatusOK, view: v}
	}
	sign, err := p.newSignView(w, s, typed)
	if err != nil {
		return p.failed(r, err)
	}
	return answer{status: http.StatusOK, view: &view{
		page: "sign", words: w, TitleID: "web.sign.title", TextID: "web.sign.lead", Sign: sign,
	}}
}

func (p *Pages) newSignView(w chat.Words, s core.SignatureView, typed url.Values) (*signView, error) {
	v := &signView{
		Name: cleanTyped(s.Name, maxName), MaxName: maxName, MaxRole: maxSignTitle,
		Programs: []string{"gmail", "outlook_new", "outlook_classic", "apple", "thunderbird"},
	}
	size := signatureSizes()[0].ID
	if typed != nil {
		v.Name, v.Role = cleanTyped(typed.Get(fieldName), maxName), cleanTyped(typed.Get(fieldTitle), maxSignTitle)
		size = typed.Get(fieldSize)
	}
	wanted := map[string]bool{}
	for _, n := range typed[fieldBadge] {
		wanted[n] = true
	}
	var badges []signedBadge
	var chosen []int
	for i, b := range s.Badges {
		one := signBadge{Number: i, Name: badgeName(w, b.Badge), URL: b.Badge.BadgeURL, Chosen: wanted[strconv.Itoa(i)]}
		if typed == nil {
			one.Chosen = i < usuallySigned
		}
		absolute := ""
		if b.Picture != "" {
			path := "/b/" + url.PathEscape(b.Picture) + ".png"
			one.Picture, absolute = p.base()+path, originOf(p.public)+p.base()+path
		}
		if one.Chosen {
			chosen = append(chosen, i)
		}
		badges = append(badges, signedBadge{Name: one.Name, URL: one.URL, Picture: absolute})
		v.Badges = append(v.Badges, one)
	}
	parts := map[string]signatureParts{}
	for _, known := range signatureSizes() {
		part := newSignatureParts(known, badges)
		parts[known.ID] = part
		isChosen := known.ID == size
		if isChosen || v.HTML == "" {
			v.HTML, v.Pixels = part.html(v.Name, v.Role, chosen), known.Pixels
		}
		v.Sizes = append(v.Sizes, signSize{ID: known.ID, Chosen: isChosen})
	}
	data, err := json.Marshal(parts)
	if err != nil {
		return nil, fmt.Errorf("encode signature: %w", err)
	}
	v.Parts = string(data)
	return v, nil
}

// signPane is one of the two previews.
type signPane struct {
	Mode, Label string
	Sign        *signView
}

// Pane is the preview on a light or a dark background.
func (v *view) Pane(mode string) signPane {
	return signPane{Mode: mode, Label: v.T("web.sign." + mode), Sign: v.Sign}
}

// Picture is the label of a link to a badge's picture.
func (v *view) Picture(badge string) string {
	return v.words.Plain("web.sign.picture", chat.Args{"Badge": badge})
}
