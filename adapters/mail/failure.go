package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/laurelbot/laurel/core"
)

// Steps of handing over a mail that are told apart.
const (
	stageConnection = "connection"
	stageTLS        = "encryption"
	stageAuth       = "login"
	stageSender     = "sender"
	stageRecipient  = "recipient"
)

// failure is one step that did not succeed. It has the server's codes but
// never its words, which often repeat the address.
type failure struct {
	stage string
	// what describes a failure that came without an answer.
	what string
	// code is the answer's, e.g. 550, or 0.
	code int
	// enhanced is the answer's code of RFC 3463, e.g. "5.1.1", or empty.
	enhanced string
	// is may be nil.
	is error
}

// Error names the step and the codes.
func (f *failure) Error() string {
	if f.code == 0 {
		return f.stage + ": " + f.what
	}
	return strings.TrimSpace(fmt.Sprintf("%s: answered %d %s", f.stage, f.code, f.enhanced))
}

// Unwrap returns what callers may ask for.
func (f *failure) Unwrap() error { return f.is }

// enhancedCode is a code of RFC 3463 at the beginning of an answer.
var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

func failed(stage string, err error) error {
	f := &failure{stage: stage}
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		f.what = describe(err)
		return f
	}
	f.code, f.enhanced = answer.Code, enhancedCode.FindString(answer.Msg)
	if stage == stageRecipient && f.final() {
		f.is = core.ErrMailRefused
	}
	return f
}

// final reports whether an answer about the recipient is about the recipient,
// and for good. A policy (5.7, RFC 3463) or the want of a login is between
// this sender and the server, and so is a misunderstanding (5.5).
func (f *failure) final() bool {
	switch {
	case f.code < 500,
		strings.HasPrefix(f.enhanced, "5.7."), strings.HasPrefix(f.enhanced, "5.5."),
		f.enhanced == "" && f.code >= 500 && f.code <= 504,
		f.code == 530, f.code == 535, f.code == 538:
		return false
	}
	return true
}

// describe says what went wrong below SMTP in words that hold nothing of
// anybody.
func describe(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "the name of the mail server is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &hostname):
		return "the certificate is for another name"
	case errors.As(err, &certificate):
		return "the certificate is not trusted"
	case errors.As(err, &record):
		return "the server does not speak TLS here"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "cut off"
	}
	return "failed"
}

// contextOr returns the context's error where that is why the session ended.
func contextOr(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, core.ErrMailRefused) {
		return context.Cause(ctx)
	}
	return err
}
