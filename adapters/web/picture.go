package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/laurelbot/laurel/core"
)

// Limits of the pictures that stand in people's mails.
const (
	// maxPicture is the largest picture that is served, and maxPictures what
	// all of them may take together, in bytes.
	maxPicture  = 2 << 20
	maxPictures = 32 << 20
	// maxAddresses bounds how many links' pictures are remembered.
	maxAddresses = 10_000
	// pictureFor is how long a picture is believed to be the current one, by
	// us and by whoever loads it; addressFor the same for where it lies and
	// whether it may be shown.
	pictureFor = time.Hour
	addressFor = 5 * time.Minute
	// pictureAgain is how long after a failure it is tried again; meanwhile
	// the last picture is shown.
	pictureAgain = time.Minute
	// pictureWithin bounds one request to the provider.
	pictureWithin = 8 * time.Second
)

var errNoPicture = errors.New("picture not available")

// pictures is a small memory of the provider's pictures. It asks only for
// addresses that [core.Shares] has found to be the provider's own, and does
// not follow them elsewhere: nobody can make it call anything else.
type pictures struct {
	client *http.Client
	clock  core.Clock
	flight singleflight.Group

	mu        sync.Mutex
	addresses map[string]pictureAddress
	known     map[string]*storedPicture
	size      int
}

type pictureAddress struct {
	at    string
	until time.Time
}

// storedPicture is a picture as it was last read.
type storedPicture struct {
	body       []byte
	mime, etag string
	until      time.Time
	used       time.Time
}

// missing returns an error where there was never a picture.
func (s *storedPicture) missing() error {
	if len(s.body) == 0 {
		return errNoPicture
	}
	return nil
}

func newPictures(clock core.Clock, transport http.RoundTripper) *pictures {
	return &pictures{
		clock: clock, addresses: map[string]pictureAddress{}, known: map[string]*storedPicture{},
		client: &http.Client{
			Transport: transport, Timeout: pictureWithin,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// picture serves the current picture of a badge.
func (p *Pages) picture(ctx context.Context, r *http.Request) answer {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".png")
	if !ok {
		return noPicture(http.StatusNotFound, "unknown")
	}
	at, fresh := p.pictures.address(token)
	if !fresh {
		if !p.turns.take("b." + token) {
			return noPicture(http.StatusTooManyRequests, "too often")
		}
		var err error
		at, err = p.shares.Picture(ctx, token)
		switch {
		case errors.Is(err, core.ErrNotFound):
			return noPicture(http.StatusNotFound, "unknown")
		case errors.Is(err, core.ErrGone):
			return noPicture(http.StatusGone, "gone")
		case err != nil:
			a := noPicture(http.StatusServiceUnavailable, "")
			a.err = err
			return a
		}
		p.pictures.remember(token, at)
	}
	pic, err := p.pictures.get(ctx, at)
	if err != nil {
		p.log.WarnContext(ctx, "read picture", "error", err)
		return noPicture(http.StatusServiceUnavailable, "provider unreachable")
	}
	a := answer{status: http.StatusOK, mime: pic.mime, body: pic.body, header: http.Header{
		// Mail programs and their proxies show it within other pages.
		"Cache-Control":                {fmt.Sprintf("public, max-age=%d", int(pictureFor.Seconds()))},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
		"Etag":                         {pic.etag},
	}}
	if slices.Contains(strings.Split(strings.ReplaceAll(r.Header.Get("If-None-Match"), " ", ""), ","), pic.etag) {
		a.status, a.body, a.mime = http.StatusNotModified, nil, ""
	}
	return a
}

func noPicture(status int, why string) answer {
	a := answer{status: status, refused: why, mime: "text/plain; charset=utf-8", body: []byte(http.StatusText(status) + "\n")}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		a.retry = retryAfter
	}
	return a
}

func (s *pictures) address(token string) (at string, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.addresses[token]
	return a.at, s.clock.Now().Before(a.until)
}

func (s *pictures) remember(token, at string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.addresses) >= maxAddresses {
		clear(s.addresses)
	}
	s.addresses[token] = pictureAddress{at: at, until: s.clock.Now().Add(addressFor)}
}

// get returns a picture, an older one where the provider does not answer.
func (s *pictures) get(ctx context.Context, at string) (*storedPicture, error) {
	now := s.clock.Now()
	s.mu.Lock()
	last := s.known[at]
	if last != nil {
		last.used = now
		if now.Before(last.until) {
			defer s.mu.Unlock()
			return last, last.missing()
		}
	}
	s.mu.Unlock()
	// Whoever asks meanwhile gets the same answer, also when the first one
	// hangs up.
	ctx = context.WithoutCancel(ctx)
	got, err, _ := s.flight.Do(at, func() (any, error) {
		// Somebody else may have read it since.
		if now := s.current(at); now != nil && now != last {
			return now, now.missing()
		}
		return s.read(ctx, at)
	})
	if err != nil {
		again := &storedPicture{until: now.Add(pictureAgain), used: now}
		if last != nil {
			again.body, again.mime, again.etag = last.body, last.mime, last.etag
		}
		s.store(at, again)
		if again.missing() != nil {
			return nil, err
		}
		return again, nil
	}
	pic, ok := got.(*storedPicture)
	if !ok {
		return nil, errNoPicture
	}
	return pic, nil
}

// current is what is known of a picture, or nil.
func (s *pictures) current(at string) *storedPicture {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[at]
}

// read asks the provider. Its errors do not name the address.
func (s *pictures) read(ctx context.Context, at string) (*storedPicture, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, errNoPicture
	}
	req.Header.Set("Accept", "image/png, image/jpeg, image/gif, image/webp")
	req.Header.Set("User-Agent", "laurel")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, errNoPicture
	}
	defer func() { _ = resp.Body.Close() }()
	told, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(told, "image/") {
		return nil, fmt.Errorf("%w: status %d", errNoPicture, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPicture+1))
	if err != nil || len(body) > maxPicture {
		return nil, fmt.Errorf("%w: too large or cut off", errNoPicture)
	}
	kind := http.DetectContentType(body)
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		return nil, fmt.Errorf("%w: not of a kind that mails can show", errNoPicture)
	}
	sum := sha256.Sum256(body)
	now := s.clock.Now()
	pic := &storedPicture{body: body, mime: kind, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, until: now.Add(pictureFor), used: now}
	s.store(at, pic)
	return pic, nil
}

// store keeps a picture and drops those that were not used for longest.
func (s *pictures) store(at string, pic *storedPicture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.known[at]; old != nil {
		s.size -= len(old.body)
	}
	s.known[at] = pic
	s.size += len(pic.body)
	for s.size > maxPictures {
		oldest := at
		for other, o := range s.known {
			if other != at && (oldest == at || o.used.Before(s.known[oldest].used)) {
				oldest = other
			}
		}
		s.size -= len(s.known[oldest].body)
		delete(s.known, oldest)
	}
}
