package openbadges

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// Signed badges of version 1 are verified with the key at verify.url, and
// looked up in their issuer's list by their uid.
func TestSignedVersion1(t *testing.T) {
	t.Parallel()
	const host = "https://example.com"
	claims := doc{
		"uid": "abc-1", "recipient": doc{"identity": "somebody@example.org", "hashed": false, "type": "email"},
		"badge": host + "/class", "issuedOn": 1430352000, "verify": doc{"type": "signed", "url": host + "/key.pem"},
	}
	pages := func(changes map[string]page) *world {
		w := newWorld(map[string]page{
			host + "/class": {body: doc{
				"name": "Basic", "description": "Basic.", "image": host + "/a.png", "criteria": host + "/how", "issuer": host + "/issuer",
			}},
			host + "/issuer":  {body: doc{"name": "Body", "url": host, "revocationList": host + "/revoked"}},
			host + "/revoked": {body: doc{"abc-2": "Issued in error"}},
			host + "/key.pem": {body: pemOf(t, testKeys().rsa.Public()), kind: "application/x-pem-file"},
		})
		for address, p := range changes {
			w.set(address, p)
		}
		return w
	}
	key := page{body: pemOf(t, testKeys().rsa.Public())}
	tests := []struct {
		name   string
		claims doc
		pages  map[string]page
		want   core.VerdictStatus
	}{
		{"as it is", nil, nil, core.VerdictGenuine},
		{"1.1", doc{"@context": "https://w3id.org/openbadges/v1", "type": "Assertion", "id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6"}, nil, core.VerdictGenuine},
		{"revoked", doc{"uid": "abc-2"}, nil, core.VerdictRevoked},
		{"no list", nil, map[string]page{host + "/issuer": {body: doc{"name": "Body", "url": host}}}, core.VerdictGenuine},
		{"list away", nil, map[string]page{host + "/revoked": {err: errDown}}, core.VerdictUnreachable},
		{"key of another host", doc{"verify": doc{"type": "signed", "url": "https://example.net/key.pem"}}, map[string]page{"https://example.net/key.pem": key}, core.VerdictIssuerNotConfirmed},
		{
			"key that lies on another host", nil,
			map[string]page{host + "/key.pem": {location: "https://example.net/key.pem"}, "https://example.net/key.pem": key},
			core.VerdictIssuerNotConfirmed,
		},
		{
			"an issuer of version 2, which could name its keys", nil,
			map[string]page{host + "/issuer": {body: with(someIssuer(), doc{"id": host + "/issuer"})}},
			core.VerdictIssuerNotConfirmed,
		},
		{"another key", nil, map[string]page{host + "/key.pem": {body: pemOf(t, testKeys().other.Public())}}, core.VerdictAltered},
		{"no key", nil, map[string]page{host + "/key.pem": {body: "-----BEGIN NOTHING-----"}}, core.VerdictUnknown},
		{"key away", nil, map[string]page{host + "/key.pem": {status: 500}}, core.VerdictUnreachable},
		{"no uid", doc{"uid": nil}, nil, core.VerdictMalformed},
	}
	for _, tt := range tests {
		own := token(t, with(claims, tt.claims), jose.RS256, testKeys().rsa, nil)
		v := pages(tt.pages).verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(own)})
		if v.Status != tt.want || strings.HasPrefix(v.ID, "_:") {
			t.Errorf("%s: %s (%s), want %s; %+v", tt.name, v.Status, v.Reason, tt.want, v.Checks)
		}
		if tt.want == core.VerdictRevoked && v.RevocationReason != "Issued in error" {
			t.Errorf("%s: reason %q", tt.name, v.RevocationReason)
		}
	}
}
