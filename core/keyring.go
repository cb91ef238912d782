package core

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// MaxKeys is how many secret keys may be in use at once: each further one
// makes every forged link a little dearer to refuse.
const MaxKeys = 8

// ErrKeyTwice says that two secret keys are the same, or look the same in
// sealed values, which happens to one pair in 16 million.
var ErrKeyTwice = errors.New("secret key is listed twice")

// keyIDBytes is how much of a key's fingerprint stands in front of what it
// sealed.
const keyIDBytes = 3

// key is everything that is derived from one secret key.
type key struct {
	token, code []byte
	seal        cipher.AEAD
	id          string
}

func deriveKey(secret []byte) (key, error) {
	if len(secret) != KeyBytes {
		return key{}, fmt.Errorf("secret key has %d bytes, want %d", len(secret), KeyBytes)
	}
	derive := func(info string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "laurel/"+info, n)
	}
	var k key
	var sealKey, id []byte
	var err [4]error
	k.token, err[0] = derive("token", 32)
	k.code, err[1] = derive("code", 32)
	sealKey, err[2] = derive("seal", 32)
	id, err[3] = derive("id", keyIDBytes)
	if e := errors.Join(err[:]...); e != nil {
		return key{}, fmt.Errorf("derive keys: %w", e)
	}
	block, e := aes.NewCipher(sealKey)
	if e != nil {
		return key{}, fmt.Errorf("derive keys: %w", e)
	}
	if k.seal, e = cipher.NewGCMWithRandomNonce(block); e != nil {
		return key{}, fmt.Errorf("derive keys: %w", e)
	}
	k.id = base64.RawURLEncoding.EncodeToString(id)
	return k, nil
}

func (k *key) tokenMAC(p Purpose, u uuid.UUID) []byte {
	m := hmac.New(sha256.New, k.token)
	m.Write([]byte(p))
	m.Write([]byte{0})
	m.Write(u[:])
	return m.Sum(nil)[:tokenMACBytes]
}

// textMAC is a tokenMAC of a text.
func (k *key) textMAC(p Purpose, text string) []byte {
	m := hmac.New(sha256.New, k.token)
	m.Write([]byte(p))
	m.Write([]byte{0})
	m.Write([]byte(text))
	return m.Sum(nil)[:tokenMACBytes]
}

func (k *key) hashCode(id, code string) string {
	m := hmac.New(sha256.New, k.code)
	m.Write([]byte(id))
	m.Write([]byte{0})
	m.Write([]byte(code))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
