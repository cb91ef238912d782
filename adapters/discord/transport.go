package discord

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// note is what the transport saw of one call. Errors are classified by it,
// because the library's error types do not tell the cases apart: a 429 of
// the network edge is a syntax error to it, a 502 a plain text.
type note struct {
	status int
	header http.Header
	body   []byte
}

type noteKey struct{}

func withNote(ctx context.Context) (context.Context, *note) {
	n := &note{}
	return context.WithValue(ctx, noteKey{}, n), n
}

// transport sends every request to the configured host, and notes the
// answer for the caller.
type transport struct {
	base    *url.URL
	next    http.RoundTripper
	metrics *metrics
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, ""
	r.Header.Set("User-Agent", userAgent)
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	t.metrics.answered(resp.StatusCode)
	if n, ok := r.Context().Value(noteKey{}).(*note); ok {
		n.status, n.header, n.body = resp.StatusCode, resp.Header, body
	}
	// The library would sleep on these without regard to the context; the
	// callers keep the limits themselves.
	shown := http.Header{}
	for name, values := range resp.Header {
		if !strings.HasPrefix(name, "X-Ratelimit-") && name != "Retry-After" {
			shown[name] = values
		}
	}
	out := *resp
	out.Header, out.Body, out.ContentLength = shown, io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return &out, nil
}
