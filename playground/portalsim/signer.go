package portalsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed message, see
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const (
	secretPrefix = "whsec_"
	// tolerance is how far a timestamp may lie from now, either way.
	tolerance = 5 * time.Minute
	// Keys have 24 to 64 bytes.
	minKey = 24
	maxKey = 64
)

// Why a message was not believed.
var (
	ErrHeaders   = errors.New("signature headers are missing or malformed")
	ErrTimestamp = errors.New("timestamp is too old or too new")
	ErrSignature = errors.New("no signature matches")
)

// Signer signs and checks messages with one secret.
type Signer struct{ key []byte }

// NewSigner reads a secret: base64 of 24 to 64 bytes, with or without the
// prefix whsec_.
func NewSigner(secret string) (*Signer, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		// The error would show part of the secret.
		return nil, errors.New("read secret: not base64")
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("read secret: %d bytes, want %d to %d", len(key), minKey, maxKey)
	}
	return &Signer{key: key}, nil
}

// Sign returns the value of the signature header for one message.
func (s *Signer) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	// A hash never refuses a write.
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify checks the headers of a message against its body and the time.
func (s *Signer) Verify(h http.Header, body []byte, now time.Time) error {
	id, stamp, given := h.Get(HeaderID), h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	if id == "" || stamp == "" || given == "" {
		return ErrHeaders
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ErrHeaders
	}
	at := time.Unix(seconds, 0)
	if at.Before(now.Add(-tolerance)) || at.After(now.Add(tolerance)) {
		return ErrTimestamp
	}
	want := []byte(s.Sign(id, at, body))
	for one := range strings.FieldsSeq(given) {
		if hmac.Equal([]byte(one), want) {
			return nil
		}
	}
	return ErrSignature
}
