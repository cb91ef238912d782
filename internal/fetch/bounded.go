package fetch

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// bounded reads at most left bytes and then fails, unlike io.LimitReader,
// which would pretend that the rest does not exist.
type bounded struct {
	from io.Reader
	left int64
}

// Read fails with [ErrTooLarge] once more than the limit was there.
func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// unpacked is the body without its content coding, bounded on both sides.
func unpacked(resp *http.Response, limit int64) (io.Reader, error) {
	raw := &bounded{from: resp.Body, left: limit}
	switch coding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		plain, err := gzip.NewReader(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: broken compression", ErrUnreachable)
		}
		return &bounded{from: plain, left: limit}, nil
	default:
		return nil, fmt.Errorf("%w: unknown compression", ErrUnreachable)
	}
}
