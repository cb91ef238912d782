package openbadges

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"sync"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// signedAssertion judges an assertion of Open Badges 2.0 inside a token:
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#SignedBadge
func (s *session) signedAssertion(t *signed, a map[string]any) {
	version := version2(a)
	if s.revokedFlag(a) {
		return
	}
	if version == "" || version == version05 || !isA(a, "Assertion") {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "the token holds no assertion of Open Badges")
		return
	}
	s.r.pass(core.CheckInput, "a signed badge")
	if t.unfit != "" {
		s.describe(a, nil, nil, version)
		s.r.noProof(t.unfit)
		return
	}
	if b := checkAssertion(a); b != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
	} else if !isSigned(a) {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "a token whose badge is not of the signed kind")
	}
	creator := object(a["verification"])["creator"]
	var key *publicKey
	keyErr := errKey
	var wait sync.WaitGroup
	if creator != nil {
		s.beside(&wait, s.r, func() { key, keyErr = s.publicKey(creator) })
	}
	class, issuer := s.chain(a, version, true)
	wait.Wait()
	s.describe(a, class, issuer, version)
	s.validity2(a)
	s.recipient2(a)
	s.signature2(t, creator != nil, key, keyErr, issuer, version)
	if issuer != nil {
		s.revocationList(a, issuer, version)
	}
	s.endorsements(s.r, vouchers2(a, class, issuer))
}

// publicKey is a key of Open Badges 2.0.
type publicKey struct {
	id, owner string
	// from is where it lies; empty when it stands in another document.
	from string
	key  crypto.PublicKey
}

var errKey = errors.New("the key cannot be read")

// publicKey fetches a CryptographicKey. Keys are never remembered.
func (s *session) publicKey(v any) (*publicKey, error) {
	own := ref(v)
	doc := object(v)
	from := ""
	switch {
	case isURL(own):
		resp, err := s.get(own, maxDocumentBytes, acceptJSON)
		if err != nil {
			return nil, err
		}
		if !resp.OK() {
			return nil, &fetch.StatusError{Status: resp.Status}
		}
		from = lies(own, resp.URL)
		if bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("-----BEGIN ")) {
			// The key itself, as in version 1.
			doc = map[string]any{"publicKeyPem": string(resp.Body)}
			break
		}
		if doc, err = parseObject(resp.Body, maxDocumentBytes); err != nil {
			return nil, err
		}
		if named := id(doc); named != "" && fold(named) != fold(own) {
			return nil, errKey
		}
	case doc == nil:
		return nil, errKey
	}
	if breach(doc, "CryptographicKey", keyRules) != "" {
		return nil, errKey
	}
	key, err := parsePEM(text(doc["publicKeyPem"]))
	if err != nil || !fitKey(key) {
		return nil, errKey
	}
	return &publicKey{id: own, owner: text(doc["owner"]), from: from, key: key}, nil
}

func parsePEM(text string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil {
		return nil, errKey
	}
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, errKey
	}
}

// maxIssuerKeys is how many keys of an issuer are tried where a badge does
// not name one.
const maxIssuerKeys = 4

// signature2 judges the signature, and whether its key is the issuer's.
func (s *session) signature2(t *signed, named bool, key *publicKey, keyErr error, issuer *node, version string) {
	if !named {
		s.anyIssuerKey(t, issuer)
		return
	}
	switch {
	case errors.Is(keyErr, errKey):
		s.r.noProof("the key that the badge names cannot be read")
		return
	case keyErr != nil:
		s.r.failWith(core.CheckSignature, core.VerdictUnreachable, unknownProof, "the key did not come: "+why(keyErr))
		return
	case !t.fits(key.key):
		s.r.fail(core.CheckSignature, core.VerdictAltered, "the signature does not fit")
		return
	}
	s.r.pass(core.CheckSignature, "the signature fits")
	if issuer == nil {
		return // The verdict knows.
	}
	s.keyOwner(key, issuer, version)
}

// keyOwner makes sure that the key is one of the issuer's: the issuer names
// the key, and the key its owner. In version 1 issuers cannot name keys; there
// the host speaks for both.
func (s *session) keyOwner(key *publicKey, issuer *node, version string) {
	old := isOld(version) && isOld(version2(issuer.doc)) && issuer.doc["publicKey"] == nil
	near := old && sameAuthority(key.from, issuer.identity)
	switch {
	case !isURL(issuer.identity):
		s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, "the issuer stands only inside the badge")
	case !near && !declares(issuer.doc, key.id):
		s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, "the issuer does not name the key that signed")
	case key.owner != "" && fold(key.owner) != fold(issuer.identity) && fold(key.owner) != fold(id(issuer.doc)):
		s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, "the key that signed belongs to somebody else")
	default:
		detail := "the issuer names the key that signed"
		if near {
			detail = "the key that signed lies on the issuer's host"
		}
		s.r.set(func(v *core.Verdict) { v.Issuer.Confirmed = true })
		s.r.pass(core.CheckIssuer, detail)
	}
}

func declares(profile map[string]any, key string) bool {
	// Folded once: a name may be as long as a document, and a list as well.
	key = fold(key)
	for _, v := range each(profile["publicKey"]) {
		if own := ref(v); own != "" && fold(own) == key {
			return true
		}
	}
	return false
}

// anyIssuerKey tries the keys of the issuer's profile, for badges that name
// none.
func (s *session) anyIssuerKey(t *signed, issuer *node) {
	if issuer == nil || !isURL(issuer.identity) {
		s.r.noProof("nothing says which key signed")
		return
	}
	keys := each(issuer.doc["publicKey"])
	readable := 0
	for _, v := range keys[:min(len(keys), maxIssuerKeys)] {
		key, err := s.publicKey(v)
		if err != nil {
			continue
		}
		readable++
		if t.fits(key.key) {
			s.r.pass(core.CheckSignature, "the signature fits")
			s.r.set(func(v *core.Verdict) { v.Issuer.Confirmed = true })
			s.r.pass(core.CheckIssuer, "signed with a key of the issuer's profile")
			return
		}
	}
	if readable == 0 {
		s.r.noProof("the badge names no key, nor does its issuer")
		return
	}
	s.r.fail(core.CheckSignature, core.VerdictAltered, "the signature fits none of the issuer's keys")
}

// revocationList looks the badge up in its issuer's list, which is fetched
// each time:
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#RevocationList
func (s *session) revocationList(a map[string]any, issuer *node, version string) {
	v := issuer.doc["revocationList"]
	if v == nil {
		s.r.pass(core.CheckRevocation, "the issuer keeps no list of revoked badges")
		return
	}
	list := object(v)
	if own := ref(v); list == nil || isURL(own) {
		var err error
		if list, _, err = s.document(own, maxListBytes); err != nil {
			s.r.fail(core.CheckRevocation, core.VerdictUnreachable, "the list of revoked badges did not come: "+why(err))
			return
		}
	}
	_, there := list["revokedAssertions"]
	if isOld(version) && !there && len(types(list)) == 0 {
		// In version 1 it says for each uid why.
		if reason, listed := list[text(a["uid"])]; listed {
			s.r.revoked("its issuer lists it as revoked", map[string]any{"revocationReason": reason})
			return
		}
		s.r.pass(core.CheckRevocation, "its issuer does not list it as revoked")
		return
	}
	if !there || !isA(list, "RevocationList") {
		s.r.fail(core.CheckRevocation, core.VerdictUnknown, "the list of revoked badges cannot be read")
		return
	}
	mine, myUID := fold(id(a)), text(a["uid"])
	for _, e := range each(list["revokedAssertions"]) {
		entry := object(e)
		switch {
		case entry != nil:
			own, uid := id(entry), text(entry["uid"])
			if (own == "" || fold(own) != mine) && (uid == "" || uid != myUID) {
				continue
			}
		case text(e) == "":
			s.r.fail(core.CheckRevocation, core.VerdictUnknown, "the list of revoked badges has an entry that cannot be read")
			return
		case fold(text(e)) != mine:
			continue
		}
		s.r.revoked("its issuer lists it as revoked", entry)
		return
	}
	s.r.pass(core.CheckRevocation, "its issuer does not list it as revoked")
}
