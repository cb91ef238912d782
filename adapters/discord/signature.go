package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// Headers of a signed request
// (https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers).
const (
	headerSignature = "X-Signature-Ed25519"
	headerTimestamp = "X-Signature-Timestamp"
)

// signed reports whether a request with these headers and this raw body
// comes from the holder of key, and was signed within the window around now.
// Every header must stand there exactly once, in the form Discord sends it.
func signed(key ed25519.PublicKey, h http.Header, body []byte, now time.Time) bool {
	timestamp, ok := single(h, headerTimestamp)
	if !ok || !isSnowflake(timestamp) {
		return false
	}
	unix, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	if age := now.Sub(time.Unix(unix, 0)); age > signatureWindow || age < -signatureWindow {
		return false
	}
	text, ok := single(h, headerSignature)
	if !ok || len(text) != 2*ed25519.SignatureSize || !lowerHex(text) {
		return false
	}
	signature, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	message := make([]byte, 0, len(timestamp)+len(body))
	message = append(append(message, timestamp...), body...)
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, signature)
}

func single(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

func lowerHex(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
