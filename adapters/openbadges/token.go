package openbadges

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// algorithms are what tokens may be signed with. None of them needs a shared
// secret, and "none" is not among them. Both versions of Open Badges demand
// RS256; the others are those of
// https://www.w3.org/TR/vc-jose-cose/#algorithms
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// tokenForm is three parts in base64url, the first of which is an object.
var tokenForm = regexp.MustCompile(`^ey[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*$`)

// looksLikeToken reports whether a text has the form of a compact JWS.
func looksLikeToken(text string) bool { return tokenForm.MatchString(text) }

// unbroken returns a token that was broken into lines, as mails and documents
// do it, in one; every other text as it is.
func unbroken(text string) string {
	if !strings.HasPrefix(text, "ey") || len(text) > maxDocumentBytes {
		return text
	}
	if whole := strings.Join(strings.Fields(text), ""); looksLikeToken(whole) {
		return whole
	}
	return text
}

// signed is a token that was read, but not verified.
type signed struct {
	jws *jose.JSONWebSignature
	// unfit says why its signature cannot be judged, or is empty.
	unfit  string
	header jose.Header
	// claims are what it says.
	claims map[string]any
}

var errToken = errors.New("a token that cannot be read")

// readToken reads a compact JWS.
func readToken(text string) (*signed, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > maxDocumentBytes {
		return nil, errToken
	}
	t := &signed{}
	var raw [3][]byte
	for i, part := range parts {
		// Strict: otherwise several texts would stand for one signature.
		bytes, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			t.unfit = "the token is not written as RFC 7515 demands"
			if bytes, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "=")); err != nil && i < 2 {
				return nil, errToken
			}
		}
		raw[i] = bytes
	}
	if _, err := parseObject(raw[0], maxDocumentBytes); err != nil {
		return nil, errToken
	}
	claims, err := parseObject(raw[1], maxDocumentBytes)
	if err != nil {
		return nil, errToken
	}
	t.claims = claims
	if t.unfit != "" {
		return t, nil
	}
	jws, err := jose.ParseSignedCompact(text, algorithms)
	var other *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case errors.As(err, &other):
		t.unfit = "signed with an algorithm that is not accepted"
	case err != nil || len(jws.Signatures) != 1:
		t.unfit = "the head of the token is not understood"
	default:
		t.jws, t.header = jws, jws.Signatures[0].Protected
	}
	return t, nil
}

// fits reports whether the signature was made with the key.
func (t *signed) fits(key any) bool {
	if t.jws == nil {
		return false
	}
	_, err := t.jws.Verify(key)
	return err == nil
}

// token verifies a token: a signed assertion of 2.0, or a credential of 3.0.
func (s *session) token(text string, r *report) {
	t, err := readToken(text)
	if err != nil {
		r.fail(core.CheckInput, core.VerdictMalformed, err.Error())
		return
	}
	if isCredential(t.claims) || object(t.claims["vc"]) != nil {
		s.credentialToken(t, r)
		return
	}
	if r != s.r {
		r.fail(core.CheckInput, core.VerdictMalformed, "not a credential")
		return
	}
	a := upgraded(t.claims, "Assertion", "")
	if isHosted(a) && isURL(id(a)) {
		// The badge itself says that its address decides.
		s.hosted(id(a), nil)
		return
	}
	s.signedAssertion(t, a)
}
