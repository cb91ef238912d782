package core

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/google/uuid"
)

// KeyBytes is the length of the secret key from which all others are made.
const KeyBytes = 32

// CodeDigits is the number of digits of a mailed code. Eight digits are 26
// bits, above the 20 that OWASP ASVS 5.0, 6.5.4 asks for.
const CodeDigits = 8

const tokenMACBytes = 16

// Purpose keeps tokens of one kind from being used as another.
type Purpose string

// Purposes of tokens that appear in links.
const (
	PurposeHandoff Purpose = "handoff"
	PurposeEmail   Purpose = "email"
)

// ErrSealed says that a sealed value cannot be opened: it was sealed with a
// key that is no longer known, for another row, or it was altered.
var ErrSealed = errors.New("open sealed value")

// Keys makes and checks every secret value that leaves the process or lies
// in the store: link tokens, mailed codes, sealed columns. All its keys are
// derived from one secret key.
type Keys struct {
	token, code []byte
	seal        cipher.AEAD
	id          string
}

// NewKeys derives the keys from secret, which has exactly [KeyBytes] bytes.
func NewKeys(secret []byte) (*Keys, error) {
	if len(secret) != KeyBytes {
		return nil, fmt.Errorf("secret key has %d bytes, want %d", len(secret), KeyBytes)
	}
	derive := func(info string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "laurel/"+info, n)
	}
	var k Keys
	var sealKey, id []byte
	var err [4]error
	k.token, err[0] = derive("token", 32)
	k.code, err[1] = derive("code", 32)
	sealKey, err[2] = derive("seal", 32)
	id, err[3] = derive("id", 3)
	if e := errors.Join(err[:]...); e != nil {
		return nil, fmt.Errorf("derive keys: %w", e)
	}
	block, e := aes.NewCipher(sealKey)
	if e != nil {
		return nil, fmt.Errorf("derive keys: %w", e)
	}
	if k.seal, e = cipher.NewGCMWithRandomNonce(block); e != nil {
		return nil, fmt.Errorf("derive keys: %w", e)
	}
	k.id = base64.RawURLEncoding.EncodeToString(id)
	return &k, nil
}

// Token returns the link token for the row id: the id and a keyed hash of
// it. Nothing of it is stored, so a copy of the database opens no link, and
// the same row always has the same token.
func (k *Keys) Token(p Purpose, id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(u[:], k.tokenMAC(p, u)...)), nil
}

// ParseToken returns the row id of a token made by [Keys.Token] for the same
// purpose, and false for anything else. The comparison takes constant time.
func (k *Keys) ParseToken(p Purpose, token string) (id string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != len(uuid.UUID{})+tokenMACBytes {
		return "", false
	}
	u := uuid.UUID(raw[:16])
	if subtle.ConstantTimeCompare(raw[16:], k.tokenMAC(p, u)) != 1 {
		return "", false
	}
	return u.String(), true
}

func (k *Keys) tokenMAC(p Purpose, u uuid.UUID) []byte {
	m := hmac.New(sha256.New, k.token)
	m.Write([]byte(p))
	m.Write([]byte{0})
	m.Write(u[:])
	return m.Sum(nil)[:tokenMACBytes]
}

// NewCode returns a random numeric code of [CodeDigits] digits.
func (k *Keys) NewCode() (string, error) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(CodeDigits), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return fmt.Sprintf("%0*d", CodeDigits, n), nil
}

// HashCode returns what is stored of a code: a keyed hash bound to the row
// that asked for it.
func (k *Keys) HashCode(id, code string) string {
	m := hmac.New(sha256.New, k.code)
	m.Write([]byte(id))
	m.Write([]byte{0})
	m.Write([]byte(code))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// SameCode compares a typed code with a stored hash in constant time.
func (k *Keys) SameCode(id, code, hash string) bool {
	return subtle.ConstantTimeCompare([]byte(k.HashCode(id, code)), []byte(hash)) == 1
}

// Seal encrypts plain for storage. The context, e.g. a table and row id, is
// authenticated: a sealed value moved to another row does not open.
func (k *Keys) Seal(plain, context string) string {
	sealed := k.seal.Seal(nil, nil, []byte(plain), []byte(context)) //nolint:gosec // The cipher makes a random nonce itself.
	return k.id + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns what [Keys.Seal] sealed for the same context, or [ErrSealed].
func (k *Keys) Open(sealed, context string) (string, error) {
	id, data, ok := strings.Cut(sealed, ".")
	if !ok || id != k.id {
		return "", ErrSealed
	}
	raw, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil {
		return "", ErrSealed
	}
	plain, err := k.seal.Open(nil, nil, raw, []byte(context))
	if err != nil {
		return "", ErrSealed
	}
	return string(plain), nil
}
