package openbadges

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

// errBase says that a text is not in the encoding that it claims.
var errBase = errors.New("not a multibase text")

// maxBaseBytes bounds what is decoded; decoding base58 takes quadratic time.
const maxBaseBytes = 512

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// multibase decodes base58btc (z) and base64url (u):
// https://www.w3.org/TR/cid-1.0/#multibase-0
func multibase(s string) ([]byte, error) {
	if len(s) < 2 || len(s) > maxBaseBytes {
		return nil, errBase
	}
	switch s[0] {
	case 'z':
		return base58(s[1:])
	case 'u':
		return base64.RawURLEncoding.Strict().DecodeString(s[1:])
	default:
		return nil, errBase
	}
}

func base58(s string) ([]byte, error) {
	n, fiftyEight := new(big.Int), big.NewInt(58)
	for _, c := range []byte(s) {
		digit := strings.IndexByte(base58Alphabet, c)
		if digit < 0 {
			return nil, errBase
		}
		n.Mul(n, fiftyEight).Add(n, big.NewInt(int64(digit)))
	}
	zeros := len(s) - len(strings.TrimLeft(s, "1"))
	return append(make([]byte, zeros), n.Bytes()...), nil
}

// ed25519Prefix is the multicodec of an Ed25519 public key.
const ed25519Prefix = "\xed\x01"

// multikey decodes an Ed25519 public key:
// https://www.w3.org/TR/cid-1.0/#Multikey
func multikey(s string) (ed25519.PublicKey, error) {
	raw, err := multibase(s)
	if err != nil {
		return nil, err
	}
	key, ok := strings.CutPrefix(string(raw), ed25519Prefix)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, errBase
	}
	return ed25519.PublicKey(key), nil
}
