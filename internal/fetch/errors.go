package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"

	"code.dny.dev/ssrf"
)

// Why nothing was fetched. Errors name no address: addresses can be personal.
var (
	// ErrForbidden says that the address is none that may be fetched: not
	// https, another port, or private.
	ErrForbidden = errors.New("address not allowed")
	// ErrTooLarge says that the answer is longer than the limit.
	ErrTooLarge = errors.New("answer too large")
	// ErrTimeout says that the answer did not come in time.
	ErrTimeout = errors.New("answer took too long")
	// ErrUnreachable says that nobody answered, or not in HTTP.
	ErrUnreachable = errors.New("not reachable")
	// ErrUntrusted says that the server's certificate is expired, of another
	// name, or vouched for by nobody.
	ErrUntrusted = errors.New("certificate not valid")
	// ErrRedirects says that the address leads on and on.
	ErrRedirects = errors.New("too many redirects")
	// ErrNotPicture says that the address holds no PNG, JPEG or GIF.
	ErrNotPicture = errors.New("not a picture")
	// ErrStatus says that the server refused; see [StatusError].
	ErrStatus = errors.New("refused by the server")
)

// StatusError is an answer with a status other than 2xx where one was needed.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Status) }

// Is makes it an [ErrStatus].
func (e *StatusError) Is(target error) bool { return target == ErrStatus }

// classify turns what the HTTP client says into one of the errors above. The
// client's own text holds the address, so it is dropped.
func classify(ctx context.Context, err error) error {
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrForbidden), errors.Is(err, ErrTooLarge), errors.Is(err, ErrRedirects), errors.Is(err, ErrUnreachable):
		return bare(err)
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedPort),
		errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return ErrForbidden
	case errors.As(err, &certificate):
		return ErrUntrusted
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	default:
		return ErrUnreachable
	}
}

// bare returns the error of this package inside err.
func bare(err error) error {
	for _, known := range []error{ErrForbidden, ErrTooLarge, ErrRedirects, ErrUnreachable} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}
