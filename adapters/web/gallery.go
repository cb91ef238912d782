package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Gallery shows pictures of verified badges; [core.Gallery] does.
type Gallery interface {
	Picture(ctx context.Context, token string) (png []byte, err error)
}

var _ Gallery = (*core.Gallery)(nil)

// verdictFor is how long whoever loads the picture of a verdict may keep it.
const verdictFor = time.Hour

// verdictPicture serves the picture of a verdict that is shown in a chat.
func (p *Pages) verdictPicture(ctx context.Context, r *http.Request) answer {
	token := r.PathValue("token")
	if !p.turns.take("v." + token) {
		return noPicture(http.StatusTooManyRequests, "too often")
	}
	png, err := p.gallery.Picture(ctx, token)
	switch {
	case errors.Is(err, core.ErrGone):
		return noPicture(http.StatusGone, "gone")
	case errors.Is(err, core.ErrUnreachable):
		return noPicture(http.StatusServiceUnavailable, "not reachable")
	case errors.Is(err, core.ErrNotFound):
		return noPicture(http.StatusNotFound, "unknown")
	case err != nil:
		a := noPicture(http.StatusInternalServerError, "")
		a.err = err
		return a
	}
	return answer{status: http.StatusOK, mime: "image/png", body: png, header: http.Header{
		// Chats and their proxies show it within other pages.
		"Cache-Control":                {fmt.Sprintf("public, max-age=%d", int(verdictFor.Seconds()))},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
	}}
}
