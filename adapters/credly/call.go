package credly

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// defaultRetryAfter is the wait after a 429 that names none.
const defaultRetryAfter = 30 * time.Second

// call is one request to the API.
type call struct {
	// name stands in metrics.
	name   string
	method string
	url    string
	body   any
	// permission is what the credentials need for it, for the operator.
	permission string
	// auth replaces the client's own credentials.
	auth authorizer
}

// answer is what came back, whatever its status.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration
	// at is the moment before the request was sent: what was read is not
	// older.
	at time.Time
}

// statusError is an answer that is no success. Its text holds no personal
// data.
type statusError struct {
	status  int
	message string
	// current is the newest badge's id, told when a badge was replaced.
	current string
	cause   error
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("status %d", e.status)
	if e.cause != nil {
		s = e.cause.Error() + ": " + s
	}
	if e.message != "" {
		s += ": " + e.message
	}
	return s
}

func (e *statusError) Unwrap() error { return e.cause }

// hasStatus reports whether err is an answer with one of the statuses.
func hasStatus(err error, statuses ...int) bool {
	var e *statusError
	if !errors.As(err, &e) {
		return false
	}
	for _, s := range statuses {
		if e.status == s {
			return true
		}
	}
	return false
}

// do sends a call and returns the successful answer. It renews refused
// credentials once. Errors: [core.ErrUnauthorized] for 401 and 403,
// [core.ErrRefused] for 422, [core.RetryAfterError] where a wait is named.
func (c *Client) do(ctx context.Context, k call) (answer, error) {
	auth := k.auth
	if auth == nil {
		auth = c.auth
	}
	a, header, err := c.try(ctx, k, auth, "")
	if err == nil && a.status == http.StatusUnauthorized && auth.renewable() {
		a, _, err = c.try(ctx, k, auth, header)
	}
	if err != nil {
		return answer{}, err
	}
	if a.status < 200 || a.status > 299 {
		return answer{}, c.failure(a, k.permission)
	}
	return a, nil
}

func (c *Client) try(ctx context.Context, k call, auth authorizer, refused string) (answer, string, error) {
	var body io.Reader
	if k.body != nil {
		data, err := json.Marshal(k.body)
		if err != nil {
			return answer{}, "", fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	header, err := auth.header(ctx, refused)
	if err != nil {
		return answer{}, "", err
	}
	if err := c.pace.wait(ctx, c.background); err != nil {
		return answer{}, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, k.method, k.url, body)
	if err != nil {
		// The error would repeat the address, which may hold a filter.
		return answer{}, "", errors.New("make request")
	}
	req.Header.Set("Authorization", header)
	req.Header.Set("Content-Type", "application/json")
	a, err := c.send(req, k.name)
	return a, header, err
}

// send does one exchange and reads the answer. Its errors do not name the
// address asked for, which may hold personal data.
func (c *Client) send(req *http.Request, name string) (answer, error) {
	return c.sendWithin(req, name, maxAnswer)
}

// sendWithin is send with a limit for the answer, in bytes.
func (c *Client) sendWithin(req *http.Request, name string, limit int64) (answer, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "laurel")
	a := answer{at: c.clock.Now()}
	started := time.Now()
	resp, err := c.http.Do(req)
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		a.status = resp.StatusCode
		a.retryAfter = retryAfter(resp.Header, a.at)
		a.body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	}
	c.metrics.seconds.WithLabelValues(name).Observe(time.Since(started).Seconds())
	if err != nil {
		c.metrics.requests.WithLabelValues(name, "error").Inc()
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return answer{}, fmt.Errorf("reach credly: %w", err)
	}
	c.metrics.requests.WithLabelValues(name, strconv.Itoa(a.status)).Inc()
	if int64(len(a.body)) > limit {
		return answer{}, core.ErrTooLarge
	}
	return a, nil
}

// failure turns an answer into an error.
func (c *Client) failure(a answer, permission string) error {
	e := &statusError{status: a.status}
	e.message, e.current = readMessage(a.body)
	switch a.status {
	case http.StatusUnauthorized:
		e.cause = core.ErrUnauthorized
	case http.StatusForbidden:
		e.cause = core.ErrUnauthorized
		if permission != "" {
			return fmt.Errorf("permission %q missing: %w", permission, e)
		}
	case http.StatusUnprocessableEntity:
		e.cause = core.ErrRefused
	case http.StatusTooManyRequests:
		if a.retryAfter == 0 {
			a.retryAfter = defaultRetryAfter
		}
	}
	if a.retryAfter > 0 && (a.status == http.StatusTooManyRequests || a.status >= 500) {
		c.pace.pause(a.retryAfter)
		return &core.RetryAfterError{After: a.retryAfter, Err: e}
	}
	return e
}

// retryAfter reads the header of the same name: seconds or a date. The date
// is taken relative to the answer's own, since clocks differ.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxPause)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(at.Sub(now), 0), maxPause)
}
