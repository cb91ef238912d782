package portal

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

	"github.com/laurelbot/laurel/core"
)

// Header names and limits, see
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"

	secretPrefix    = "whsec_"
	signatureScheme = "v1"
	minKeyBytes     = 24
	maxKeyBytes     = 64
	// tolerance is how far a timestamp may lie from our clock.
	tolerance = 5 * time.Minute
	// maxSignatures is the longest signature header read, in bytes.
	maxSignatures = 4096
)

// ErrBadSignature says that a request is not signed with a known key, or not
// now.
var ErrBadSignature = errors.New("bad webhook signature")

// Keys are the keys shared with the certification body's system: one, or
// several while they are being changed.
type Keys struct{ keys [][]byte }

// ParseKeys reads secrets separated by spaces or commas: each 24 to 64 bytes
// in base64, with or without "whsec_" before it. Its errors do not repeat
// them.
func ParseKeys(secrets core.Secret) (Keys, error) {
	var k Keys
	split := func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' || r == '\r' }
	for s := range strings.FieldsFuncSeq(secrets.Reveal(), split) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
		if err != nil {
			return Keys{}, errors.New("webhook secret: not base64")
		}
		if len(key) < minKeyBytes || len(key) > maxKeyBytes {
			return Keys{}, fmt.Errorf("webhook secret: %d bytes, want %d to %d", len(key), minKeyBytes, maxKeyBytes)
		}
		k.keys = append(k.keys, key)
	}
	if len(k.keys) == 0 {
		return Keys{}, errors.New("webhook secret: missing")
	}
	return k, nil
}

// Sign sets the three headers on h, with a signature by every key.
func (k Keys) Sign(h http.Header, id string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var all []string
	for _, key := range k.keys {
		all = append(all, signatureScheme+","+base64.StdEncoding.EncodeToString(sign(key, id, timestamp, body)))
	}
	h.Set(headerID, id)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, strings.Join(all, " "))
}

// Verify returns [ErrBadSignature] unless one of the signatures in h was made
// of the body by one of the keys, within five minutes of now.
func (k Keys) Verify(h http.Header, body []byte, now time.Time) error {
	id, timestamp, signatures := h.Get(headerID), h.Get(headerTimestamp), h.Get(headerSignature)
	if id == "" || timestamp == "" || signatures == "" || len(signatures) > maxSignatures {
		return fmt.Errorf("%w: headers incomplete", ErrBadSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return fmt.Errorf("%w: timestamp malformed", ErrBadSignature)
	}
	if at := time.Unix(seconds, 0); now.Sub(at) > tolerance || at.Sub(now) > tolerance {
		return fmt.Errorf("%w: timestamp out of tolerance", ErrBadSignature)
	}
	valid := false
	for _, key := range k.keys {
		want := sign(key, id, timestamp, body)
		for signature := range strings.SplitSeq(signatures, " ") {
			scheme, encoded, _ := strings.Cut(signature, ",")
			got, err := base64.StdEncoding.DecodeString(encoded)
			if err == nil && scheme == signatureScheme && hmac.Equal(got, want) {
				valid = true
			}
		}
	}
	if !valid {
		return fmt.Errorf("%w: no signature matches", ErrBadSignature)
	}
	return nil
}

func sign(key []byte, id, timestamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + timestamp + "."))
	m.Write(body)
	return m.Sum(nil)
}
