package core

import (
	"crypto/rand"
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
// in the store: link tokens, mailed codes, sealed columns. Everything is made
// with its first key; what was made with one of the others is still taken.
type Keys struct {
	// ring is never empty.
	ring []key
}

// NewKeys derives the keys from secret, which has exactly [KeyBytes] bytes,
// and from former secrets, with which nothing is made any more. It takes
// [MaxKeys] altogether, and none of them twice.
func NewKeys(secret []byte, former ...[]byte) (*Keys, error) {
	if 1+len(former) > MaxKeys {
		return nil, fmt.Errorf("%d secret keys, want at most %d", 1+len(former), MaxKeys)
	}
	k := &Keys{ring: make([]key, 0, 1+len(former))}
	for _, s := range append([][]byte{secret}, former...) {
		one, err := deriveKey(s)
		if err != nil {
			return nil, err
		}
		if _, known := k.byID(one.id); known {
			return nil, ErrKeyTwice
		}
		k.ring = append(k.ring, one)
	}
	return k, nil
}

// KeyID names the first key without telling anything about it. What it
// sealed begins with its id and a dot.
func (k *Keys) KeyID() string { return k.ring[0].id }

// FormerKeyIDs names the keys with which nothing is made any more.
func (k *Keys) FormerKeyIDs() []string {
	var ids []string
	for i := range k.ring[1:] {
		ids = append(ids, k.ring[i+1].id)
	}
	return ids
}

func (k *Keys) byID(id string) (*key, bool) {
	for i := range k.ring {
		if k.ring[i].id == id {
			return &k.ring[i], true
		}
	}
	return nil, false
}

// Token returns the link token for the row id: the id and a keyed hash of
// it. Nothing of it is stored, so a copy of the database opens no link, and
// the same row has the same token as long as the first key stays the same.
func (k *Keys) Token(p Purpose, id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(u[:], k.ring[0].tokenMAC(p, u)...)), nil
}

// ParseToken returns the row id of a token made by [Keys.Token] for the same
// purpose with any of the keys, and false for anything else. It takes the
// same time whichever key made the token, and whether one did.
func (k *Keys) ParseToken(p Purpose, token string) (id string, ok bool) {
	const size = len(uuid.UUID{}) + tokenMACBytes
	if len(token) != base64.RawURLEncoding.EncodedLen(size) {
		// Line breaks, which decoding passes over, would make other spellings.
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != size {
		return "", false
	}
	u := uuid.UUID(raw[:16])
	same := 0
	for i := range k.ring {
		same |= subtle.ConstantTimeCompare(raw[16:], k.ring[i].tokenMAC(p, u))
	}
	if same != 1 {
		return "", false
	}
	return u.String(), true
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
func (k *Keys) HashCode(id, code string) string { return k.ring[0].hashCode(id, code) }

// SameCode compares a typed code with a stored hash that any of the keys
// made, in a time that does not tell which.
func (k *Keys) SameCode(id, code, hash string) bool {
	same := 0
	for i := range k.ring {
		same |= subtle.ConstantTimeCompare([]byte(k.ring[i].hashCode(id, code)), []byte(hash))
	}
	return same == 1
}

// Seal encrypts plain for storage. The context, e.g. a table and row id, is
// authenticated: a sealed value moved to another row does not open.
func (k *Keys) Seal(plain, context string) string {
	sealed := k.ring[0].seal.Seal(nil, nil, []byte(plain), []byte(context)) //nolint:gosec // The cipher makes a random nonce itself.
	return k.ring[0].id + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns what [Keys.Seal] sealed with any of the keys for the same
// context, or [ErrSealed].
func (k *Keys) Open(sealed, context string) (string, error) {
	id, data, ok := strings.Cut(sealed, ".")
	if !ok {
		return "", ErrSealed
	}
	by, known := k.byID(id)
	if !known {
		return "", ErrSealed
	}
	raw, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil {
		return "", ErrSealed
	}
	plain, err := by.seal.Open(nil, nil, raw, []byte(context))
	if err != nil {
		return "", ErrSealed
	}
	return string(plain), nil
}
