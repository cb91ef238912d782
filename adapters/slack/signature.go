package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// signatureWindow is how far the time of a request may lie from now, in both
// directions (https://docs.slack.dev/authentication/verifying-requests-from-slack).
const signatureWindow = 300 * time.Second

const (
	timestampHeader = "X-Slack-Request-Timestamp"
	signatureHeader = "X-Slack-Signature"
	signatureLen    = len("v0=") + 2*sha256.Size
)

// Reasons to refuse a request for its signature.
var (
	errUnsigned     = errors.New("signature missing, doubled or malformed")
	errStale        = errors.New("timestamp outside of the window")
	errBadSignature = errors.New("signature does not match")
)

// verifySignature checks that body was signed with secret at about now. An
// empty secret signs nothing.
func verifySignature(secret core.Secret, h http.Header, body []byte, now time.Time) error {
	stamps, signatures := h.Values(timestampHeader), h.Values(signatureHeader)
	if len(stamps) != 1 || len(signatures) != 1 {
		return errUnsigned
	}
	sent, ok := parseTimestamp(stamps[0])
	if !ok {
		return errUnsigned
	}
	signature, ok := parseSignature(signatures[0])
	if !ok {
		return errUnsigned
	}
	if age := now.Unix() - sent; age > int64(signatureWindow/time.Second) || age < -int64(signatureWindow/time.Second) {
		return errStale
	}
	if secret == "" {
		return errBadSignature
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("v0:" + stamps[0] + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), signature) {
		return errBadSignature
	}
	return nil
}

// parseTimestamp reads seconds in plain decimal digits.
func parseTimestamp(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 12 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// parseSignature reads "v0=" and lower-case hexadecimal digits, nothing else.
func parseSignature(s string) ([]byte, bool) {
	if len(s) != signatureLen || s[:3] != "v0=" {
		return nil, false
	}
	for i := 3; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return nil, false
		}
	}
	sum, err := hex.DecodeString(s[3:])
	return sum, err == nil
}
