package core

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const purposeVerdict Purpose = "verdict"

// VerdictPictureTTL is how long the link to a verdict's picture lives at
// least; it ends with a day (UTC).
const VerdictPictureTTL = 30 * 24 * time.Hour

// maxGalleryLink is the longest address of a picture that a token holds, so
// that a link with it stays within the 2,048 bytes that platforms take.
const maxGalleryLink = 1300

// Gallery shows the pictures of verdicts at addresses of Laurel's own. An
// address holds what it shows, signed: nothing is stored, and only pictures
// that Laurel itself was about to show can be had by it.
type Gallery struct {
	Keys     *Keys
	Clock    Clock
	Pictures VerdictPictures
}

// Token returns the token of the address of a verdict's picture, the same all
// day, or "" where the picture has none: it is no link but stands in the badge
// itself, or its link is too long. A platform that loads an address and finds
// no picture may refuse the whole message, so ask
// [VerdictPictures.VerdictPicture] before.
func (g *Gallery) Token(image string) string {
	if len(image) > maxGalleryLink || !strings.HasPrefix(image, "https://") && !strings.HasPrefix(image, "http://") {
		return ""
	}
	end := strconv.FormatInt(g.Clock.Now().Add(VerdictPictureTTL).Unix()/int64(day/time.Second)+1, 10)
	mac := g.Keys.ring[0].textMAC(purposeVerdict+"."+Purpose(end), image)
	return base64.RawURLEncoding.EncodeToString(append(mac, image...)) + "." + end
}

// Picture returns the picture as [VerdictPictures] does. [ErrNotFound] for a
// forged token as well, [ErrGone] for one that is over.
func (g *Gallery) Picture(ctx context.Context, token string) ([]byte, error) {
	image, err := g.open(token)
	if err != nil {
		return nil, err
	}
	png, err := g.Pictures.VerdictPicture(ctx, image)
	if err != nil {
		return nil, fmt.Errorf("get picture: %w", err)
	}
	return png, nil
}

// open reads a token in a time that does not tell which key made it.
func (g *Gallery) open(token string) (image string, err error) {
	text, end, _ := strings.Cut(token, ".")
	days, err := strconv.ParseInt(end, 10, 32)
	if err != nil || end != strconv.FormatInt(days, 10) || len(text) > base64.RawURLEncoding.EncodedLen(tokenMACBytes+maxGalleryLink) {
		return "", ErrNotFound
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// Line breaks, which decoding passes over, would make other spellings.
	if err != nil || len(raw) <= tokenMACBytes || len(text) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return "", ErrNotFound
	}
	image = string(raw[tokenMACBytes:])
	same := 0
	for i := range g.Keys.ring {
		same |= subtle.ConstantTimeCompare(raw[:tokenMACBytes], g.Keys.ring[i].textMAC(purposeVerdict+"."+Purpose(end), image))
	}
	switch {
	case same != 1:
		return "", ErrNotFound
	case !g.Clock.Now().Before(time.Unix(days*int64(day/time.Second), 0)):
		return "", ErrGone
	}
	return image, nil
}
