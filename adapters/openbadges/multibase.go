package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

// errBase says that a text is not in the encoding that it claims.
var errBase = errors.New("not a multibase text")

// Bounds of what is decoded; decoding base58 takes quadratic time.
const (
	maxBase58Bytes = 512
	maxBaseBytes   = 128 << 10
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// multibase decodes base58btc (z) and base64url (u):
// https://www.w3.org/TR/cid-1.0/#multibase-0
func multibase(s string) ([]byte, error) {
	if len(s) < 2 || len(s) > maxBaseBytes {
		return nil, errBase
	}
	switch s[0] {
	case 'z':
		if len(s) > maxBase58Bytes {
			return nil, errBase
		}
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

// Multicodecs of public keys.
const (
	ed25519Prefix = "\xed\x01"
	p256Prefix    = "\x80\x24"
	p384Prefix    = "\x81\x24"
	blsPrefix     = "\xeb\x01"
)

// multikey decodes a public key: https://www.w3.org/TR/cid-1.0/#Multikey
func multikey(s string) (crypto.PublicKey, error) {
	raw, err := multibase(s)
	if err != nil {
		return nil, err
	}
	return multicodecKey(raw)
}

// multicodecKey reads a public key behind the mark of its kind: Ed25519, or
// a compressed point of P-256, P-384 or BLS12-381.
func multicodecKey(raw []byte) (crypto.PublicKey, error) {
	if len(raw) < 2 {
		return nil, errBase
	}
	key := raw[2:]
	switch string(raw[:2]) {
	case ed25519Prefix:
		if len(key) != ed25519.PublicKeySize {
			return nil, errBase
		}
		return ed25519.PublicKey(key), nil
	case p256Prefix:
		return compressed(elliptic.P256(), key)
	case p384Prefix:
		return compressed(elliptic.P384(), key)
	case blsPrefix:
		return readBLSKey(key)
	default:
		return nil, errBase
	}
}

// compressed reads a point that lies on the curve.
func compressed(curve elliptic.Curve, point []byte) (crypto.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(curve, point)
	if x == nil {
		return nil, errBase
	}
	size := (curve.Params().BitSize + 7) / 8
	full := make([]byte, 1+2*size)
	full[0] = 4
	x.FillBytes(full[1 : 1+size])
	y.FillBytes(full[1+size:])
	key, err := ecdsa.ParseUncompressedPublicKey(curve, full)
	if err != nil {
		return nil, errBase
	}
	return key, nil
}
