package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Defaults of [Options].
const (
	DefaultTimeout   = 5 * time.Second
	DefaultRedirects = 5
)

// maxHeaderBytes bounds the head of an answer.
const maxHeaderBytes = 64 << 10

// Options of a client. The zero value is the guarded client for production.
type Options struct {
	// Transport sends the requests; nil dials itself and refuses private
	// addresses. Another one is for documents that are served without a
	// network; the rules for addresses hold for it as well.
	Transport http.RoundTripper
	// AllowHTTP lets addresses begin with http://, on port 80.
	AllowHTTP bool
	// Also are origins, e.g. http://127.0.0.1:8090, that may be asked although
	// the rules refuse them: what the operator runs beside the program. The
	// host of each is an IP address, so that no name can lead elsewhere.
	Also []string
	// Timeout bounds one fetch with all its redirects and its body.
	Timeout time.Duration
	// Redirects is how many are followed.
	Redirects int
	// UserAgent is sent along.
	UserAgent string
}

// Client fetches. It is safe for concurrent use, keeps no cookies and tells
// no server where it came from.
type Client struct {
	http      *http.Client
	allowHTTP bool
	also      origins
	timeout   time.Duration
	redirects int
	userAgent string
}

// New makes a client.
func New(o Options) *Client {
	c := &Client{
		allowHTTP: o.AllowHTTP, also: newOrigins(o.Also), timeout: o.Timeout, redirects: o.Redirects, userAgent: o.UserAgent,
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.redirects <= 0 {
		c.redirects = DefaultRedirects
	}
	if c.userAgent == "" {
		c.userAgent = "Laurel"
	}
	transport := o.Transport
	if transport == nil {
		transport = guarded(o.AllowHTTP, c.also)
	}
	c.http = &http.Client{Transport: asked{transport}, CheckRedirect: c.follow}
	return c
}

// asked notes in every answer the address that was asked for, also where a
// transport rewrites it on its way.
type asked struct{ http.RoundTripper }

// RoundTrip sends the request.
func (a asked) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(req)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// AllowsHTTP reports whether an address that begins with http:// is asked as
// it stands.
func (c *Client) AllowsHTTP(address string) bool {
	if c.allowHTTP {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && c.also.have(u)
}

// guarded dials public addresses only. The check sees the address that the
// connection really goes to, after the name was resolved, so there is no
// moment between check and use. No proxy: it would dial for us, unchecked.
func guarded(allowHTTP bool, also origins) *http.Transport {
	ports := []uint16{443}
	if allowHTTP {
		ports = append(ports, 80)
	}
	guard := ssrf.New(ssrf.WithPorts(ports...))
	dialer := &net.Dialer{
		Timeout: DefaultTimeout,
		Control: func(network, address string, raw syscall.RawConn) error { return guard.Safe(network, address, raw) },
	}
	// What is dialled here is still what the address says, so no name gets
	// past the guard by leading to one of those origins.
	open := &net.Dialer{Timeout: DefaultTimeout}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if also[address] != "" {
			return open.DialContext(ctx, network, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dial,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        8,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    DefaultTimeout,
		ResponseHeaderTimeout:  DefaultTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// follow holds every redirect against the rules again.
func (c *Client) follow(req *http.Request, via []*http.Request) error {
	if len(via) > c.redirects {
		return ErrRedirects
	}
	req.Header.Del("Referer")
	return c.check(req.URL)
}

// Response is an answer that was read to its end.
type Response struct {
	// URL is where the answer came from, after all redirects.
	URL string
	// Redirected says that it is not the address that was asked for.
	Redirected bool
	// Status is the HTTP status. Any status is an answer.
	Status int
	// ContentType is the media type as declared, in lower case and without
	// parameters; empty when none was.
	ContentType string
	Body        []byte
}

// OK reports whether the status is 2xx.
func (r Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Get fetches an address and reads at most limit bytes, after decompression.
// accept are media types, the preferred one first. The errors are those of
// this package, or [context.Canceled].
func (c *Client) Get(ctx context.Context, address string, limit int64, accept ...string) (Response, error) {
	var r Response
	err := c.stream(ctx, address, limit, accept, func(head Response, body io.Reader) error {
		r = head
		var err error
		r.Body, err = io.ReadAll(body)
		return err
	})
	if err != nil {
		return Response{}, err
	}
	return r, nil
}

// stream fetches an address and hands the bounded body on while it comes.
func (c *Client) stream(ctx context.Context, address string, limit int64, accept []string,
	read func(Response, io.Reader) error,
) error {
	u, err := c.parse(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: malformed", ErrForbidden)
	}
	req.Header.Set("User-Agent", c.userAgent)
	if len(accept) > 0 {
		req.Header.Set("Accept", strings.Join(accept, ", "))
	}
	// Asked for by ourselves, so that no transport unpacks it unbounded.
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := c.http.Do(req)
	if err != nil {
		return classify(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	head := Response{URL: u.String(), Status: resp.StatusCode, ContentType: mediaType(resp.Header.Get("Content-Type"))}
	head.URL = resp.Request.URL.String()
	head.Redirected = head.URL != u.String()
	if limit >= 0 && resp.ContentLength > limit {
		return ErrTooLarge
	}
	body, err := unpacked(resp, limit)
	if err != nil {
		return classify(ctx, err)
	}
	if err := read(head, body); err != nil {
		if errors.Is(err, ErrNotPicture) || errors.Is(err, ErrStatus) {
			return err
		}
		return classify(ctx, err)
	}
	return nil
}

func mediaType(header string) string {
	t, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return t
}
