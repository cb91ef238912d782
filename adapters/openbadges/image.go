package openbadges

import (
	"bytes"
	"container/list"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	imagepng "image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
	"golang.org/x/sync/singleflight"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// Bounds of pictures.
const (
	// maxImageBytes bounds a picture that is fetched, maxImagePixels what it
	// unpacks to: a decoder takes up to 16 bytes for each.
	maxImageBytes  = 5 << 20
	maxImagePixels = 2400 * 2400
	// maxImageSide keeps what scaling takes, which is some 100 bytes for each
	// row and each column and more for narrow pictures, below that.
	maxImageSide = 8192
	// maxScans bounds the passes of a progressive JPEG, each of which may be
	// a few bytes long and costs as much as the whole picture.
	maxScans = 64
	// maxImageTime bounds fetching one, with waiting for its turn.
	maxImageTime = 6 * time.Second
	// imageFetches are fetched at once; one at a time is decoded.
	imageFetches = 8
	// What is remembered of pictures, and for how long.
	imageCacheTime  = 10 * time.Minute
	imageCacheBytes = 16 << 20
)

// errNoImage says that there is no picture that can be shown.
var errNoImage = errors.New("no picture that can be shown")

// pictures makes pictures harmless, and remembers them for a short time.
type pictures struct {
	flight   singleflight.Group
	fetching chan struct{}
	decoding chan struct{}

	mu    sync.Mutex
	order *list.List
	known map[string]*list.Element
	size  int
}

type knownPicture struct {
	key string
	png []byte
	at  time.Time
}

func newPictures() *pictures {
	return &pictures{
		fetching: make(chan struct{}, imageFetches), decoding: make(chan struct{}, 1),
		order: list.New(), known: map[string]*list.Element{},
	}
}

// VerdictPicture returns the picture that a verdict names as a new PNG.
func (v *Verifier) VerdictPicture(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, maxImageTime)
	defer cancel()
	if isDataURI(address) {
		data, err := dataURI(address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", core.ErrNotFound, err)
		}
		return v.pictures.redraw(ctx, data)
	}
	if plain, ok := strings.CutPrefix(address, "http://"); ok && !v.client.AllowsHTTP(address) {
		address = "https://" + plain
	}
	if got, ok := v.pictures.get(address, v.clock.Now()); ok {
		return got, nil
	}
	// Whoever asks meanwhile gets the same answer, also when the first one
	// hangs up.
	result := v.pictures.flight.DoChan(address, func() (drawn any, err error) {
		// What a stranger drew must not end the process either.
		defer func() {
			if problem := recover(); problem != nil {
				drawn, err = nil, fmt.Errorf("%w: %w", core.ErrNotFound, errNoImage)
			}
		}()
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxImageTime)
		defer cancel()
		return v.fetchPicture(own, address)
	})
	select {
	case got := <-result:
		drawn, _ := got.Val.([]byte)
		return drawn, got.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", core.ErrUnreachable, fetch.ErrTimeout)
	}
}

func (v *Verifier) fetchPicture(ctx context.Context, address string) ([]byte, error) {
	p := v.pictures
	if !take(ctx, p.fetching) {
		return nil, fmt.Errorf("%w: %w", core.ErrUnreachable, fetch.ErrTimeout)
	}
	defer func() { <-p.fetching }()
	resp, err := v.client.Get(ctx, address, maxImageBytes, "image/png", "image/webp", "image/jpeg", "image/gif")
	switch {
	case errors.Is(err, fetch.ErrForbidden), errors.Is(err, fetch.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", core.ErrNotFound, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", core.ErrUnreachable, err)
	case resp.Status >= http.StatusInternalServerError:
		return nil, fmt.Errorf("%w: %w", core.ErrUnreachable, &fetch.StatusError{Status: resp.Status})
	case !resp.OK():
		return nil, fmt.Errorf("%w: %w", core.ErrNotFound, &fetch.StatusError{Status: resp.Status})
	}
	drawn, err := p.redraw(ctx, resp.Body)
	if err == nil {
		p.put(address, drawn, v.clock.Now())
	}
	return drawn, err
}

// take waits for a place.
func take(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// redraw decodes a picture and encodes its pixels anew, so that nothing else
// of the file is left, in a bearable size.
func (p *pictures) redraw(ctx context.Context, data []byte) ([]byte, error) {
	if !take(ctx, p.decoding) {
		return nil, fmt.Errorf("%w: %w", core.ErrUnreachable, fetch.ErrTimeout)
	}
	defer func() { <-p.decoding }()
	picture, err := decodePicture(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", core.ErrNotFound, err)
	}
	var out bytes.Buffer
	if err := imagepng.Encode(&out, fit(picture, core.MaxVerdictSide)); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return out.Bytes(), nil
}

// decodePicture reads a PNG, JPEG, GIF (its first frame) or WebP within
// bounds, by its content: what a server declares does not matter.
func decodePicture(data []byte) (image.Image, error) {
	config, decode := imagepng.DecodeConfig, imagepng.Decode
	switch kind := http.DetectContentType(data); kind {
	case "image/png":
	case "image/jpeg":
		// Within a picture's data these two bytes never stand together.
		if bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
			return nil, fmt.Errorf("%w: too many passes", errNoImage)
		}
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	case "image/gif":
		config, decode = gif.DecodeConfig, gif.Decode
	case "image/webp":
		config, decode = webp.DecodeConfig, webp.Decode
	default:
		return nil, fmt.Errorf("%w: neither PNG, JPEG, GIF nor WebP", errNoImage)
	}
	c, err := config(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: damaged", errNoImage)
	case c.Width <= 0 || c.Height <= 0 || c.Width > maxImageSide || c.Height > maxImageSide || c.Width*c.Height > maxImagePixels:
		return nil, fmt.Errorf("%w: too many pixels", errNoImage)
	}
	picture, err := decode(bytes.NewReader(data))
	if err != nil || picture.Bounds().Empty() {
		return nil, fmt.Errorf("%w: damaged", errNoImage)
	}
	return picture, nil
}

// fit returns a picture whose sides are at most side, as plain pixels.
func fit(from image.Image, side int) image.Image {
	b := from.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	if w == b.Dx() {
		draw.Draw(to, to.Bounds(), from, b.Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(to, to.Bounds(), from, b, draw.Src, nil)
	}
	return to
}

// dataURI returns what a data URI holds (RFC 2397).
func dataURI(address string) ([]byte, error) {
	head, body, ok := strings.Cut(strings.TrimPrefix(address, "data:"), ",")
	if !ok || len(body) > maxShownImage {
		return nil, errNoImage
	}
	plain, err := url.PathUnescape(body)
	if err != nil {
		return nil, fmt.Errorf("%w: damaged", errNoImage)
	}
	if !strings.HasSuffix(strings.ToLower(head), ";base64") {
		return []byte(plain), nil
	}
	data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(plain)))
	if err != nil {
		return nil, fmt.Errorf("%w: damaged", errNoImage)
	}
	return data, nil
}

func (p *pictures) get(key string, now time.Time) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.known[key]
	if !ok {
		return nil, false
	}
	e, _ := found.Value.(*knownPicture)
	if age := now.Sub(e.at); age < 0 || age >= imageCacheTime {
		p.drop(found)
		return nil, false
	}
	p.order.MoveToFront(found)
	return e.png, true
}

func (p *pictures) put(key string, drawn []byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.known[key]; ok {
		p.drop(old)
	}
	p.known[key] = p.order.PushFront(&knownPicture{key: key, png: drawn, at: now})
	p.size += len(drawn)
	for p.size > imageCacheBytes {
		p.drop(p.order.Back())
	}
}

func (p *pictures) drop(one *list.Element) {
	e, _ := p.order.Remove(one).(*knownPicture)
	delete(p.known, e.key)
	p.size -= len(e.png)
}
