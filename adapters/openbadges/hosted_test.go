package openbadges

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

func TestHostedBadge(t *testing.T) {
	t.Parallel()
	w := hostedWorld()
	v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL})
	wantStatus(t, v, core.VerdictGenuine)
	if v.Version != "2.0" || v.ID != assertionURL || v.Issuer.Name != "Example Body" || v.Issuer.ID != issuerURL || !v.Issuer.Confirmed ||
		v.Achievement.Name != "Made-up Badge" || v.Achievement.Narrative != "Be made up." || v.Achievement.Image != "https://example.org/badge.png" ||
		v.Recipient.Kind != "email" || !strings.HasPrefix(v.Recipient.Hash, "sha256$ecf5") || !v.Recipient.Salted ||
		!v.IssuedAt.Equal(time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)) || !v.ExpiresAt.IsZero() || !v.CheckedAt.Equal(present) {
		t.Errorf("verdict %+v", v)
	}
}

// Each case changes one thing of a genuine hosted badge.
func TestHostedRules(t *testing.T) {
	t.Parallel()
	const (
		genuine, malformed    = core.VerdictGenuine, core.VerdictMalformed
		revoked, expired      = core.VerdictRevoked, core.VerdictExpired
		unreachable, noIssuer = core.VerdictUnreachable, core.VerdictIssuerNotConfirmed
	)
	hash := "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942"
	recipient := func(changes doc) doc {
		return doc{"recipient": with(doc{"type": "email", "hashed": true, "identity": hash}, changes)}
	}
	tests := []struct {
		name      string
		assertion doc
		class     doc
		issuer    doc
		want      core.VerdictStatus
	}{
		{"as it is", nil, nil, nil, genuine},
		{"HostedBadge", doc{"verification": doc{"type": "HostedBadge"}}, nil, nil, genuine},
		{"lists of one", doc{"type": []string{"Assertion"}, "badge": []string{classURL}}, nil, nil, genuine},
		{"an own type", doc{"type": []string{"Assertion", "https://example.org/types/Special"}}, nil, nil, genuine},
		{"JSON-LD keywords", doc{"id": nil, "@id": assertionURL, "type": nil, "@type": "Assertion"}, nil, nil, genuine},
		{"inline context", doc{"@context": doc{"id": "@id"}}, nil, nil, genuine},
		{"context among others", doc{"@context": []any{"https://w3id.org/openbadges/v2", doc{}}}, nil, nil, genuine},
		{"with language and version", doc{"@language": "en-US", "version": 1}, doc{"@language": "es"}, nil, genuine},
		{"evidence as text", doc{"evidence": "https://example.org/work"}, nil, nil, genuine},
		{"evidence as objects", doc{"evidence": []any{doc{"id": "_:b1", "narrative": "Done."}, doc{"name": "x", "genre": "y"}}}, nil, nil, genuine},
		{"image object", doc{"image": doc{"id": "https://example.org/a.png", "caption": "a"}}, nil, nil, genuine},
		{"extension", doc{"extensions:x": doc{"type": []string{"Extension", "extensions:X"}}}, nil, nil, genuine},
		{
			"known extensions",
			doc{"extensions:example": doc{"type": []string{"Extension", "obi:extensions/#ExampleExtension"}, "http://schema.org/text": "short"}},
			doc{"extensions:apply": doc{"type": []string{"Extension", "extensions:ApplyLink"}, "url": "https://example.org/apply"}},
			doc{"schema:location": []any{doc{
				"type": []string{"Extension", "extensions:GeoCoordinates"}, "description": "here", "geo": doc{"latitude": 41.5, "longitude": -71},
			}}},
			genuine,
		},
		{"expires later", doc{"expires": "2027-01-01T00:00:00+02:00"}, nil, nil, genuine},
		{"minutes only", doc{"issuedOn": "2017-10-01T00:00Z"}, nil, nil, genuine},
		{"unsalted", recipient(nil), nil, nil, genuine},
		{"md5", recipient(doc{"identity": "md5$" + strings.Repeat("a", 32)}), nil, nil, genuine},
		{"plain", recipient(doc{"hashed": false, "identity": "somebody@example.org"}), nil, nil, genuine},
		{"telephone", recipient(doc{"type": "telephone", "hashed": false, "identity": "+15551234"}), nil, nil, genuine},
		{"criteria as address", nil, doc{"criteria": "https://example.org/criteria"}, nil, genuine},
		{"class image as data", nil, doc{"image": "data:image/png;base64,iVBORw0KGgo="}, nil, genuine},
		{"alignment", nil, doc{"alignment": doc{"targetName": "a", "targetUrl": "https://example.org/a"}, "tags": []string{"a", "b"}}, nil, genuine},
		{"profile", nil, nil, doc{"type": "Profile", "telephone": "+15551234", "image": "https://example.org/i.png"}, genuine},
		{"issuer embedded with its address", nil, doc{"issuer": someIssuer()}, nil, genuine},
		{"class embedded with its address", doc{"badge": someClass()}, nil, nil, genuine},
		{"class embedded without address", doc{"badge": with(someClass(), doc{"id": nil})}, nil, nil, genuine},
		{"class embedded with a URN", doc{"badge": with(someClass(), doc{"id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6"})}, nil, nil, genuine},
		{"allowed origins", nil, nil, doc{"verification": doc{"allowedOrigins": []string{"other.example.com", "example.org"}}}, genuine},
		{"starts with", nil, nil, doc{"verification": doc{"startsWith": "https://example.org/assertions/"}}, genuine},
		{"starts with one of", nil, nil, doc{"verification": doc{"startsWith": []string{"https://a.example/", "http://example.org/assertions"}}}, genuine},
		{"verification property", nil, nil, doc{"verification": doc{"verificationProperty": "id"}}, genuine},

		{"revoked", doc{"revoked": true, "type": nil, "badge": nil}, nil, nil, revoked},
		{"revoked, in a list of one", doc{"revoked": []any{true}}, nil, nil, revoked},
		{"revoked, as a text", doc{"revoked": "true"}, nil, nil, malformed},
		{"revoked, in a list of lists", doc{"revoked": []any{[]any{true}, true}}, nil, nil, malformed},
		{"not revoked", doc{"revoked": false}, nil, nil, genuine},
		{"expired", doc{"expires": "2025-01-01T00:00:00Z"}, nil, nil, expired},
		{"expires now", doc{"expires": "2026-11-23T12:00:00Z"}, nil, nil, expired},
		{"issued in the future", doc{"issuedOn": "2026-11-23T12:00:01Z"}, nil, nil, core.VerdictNotYetValid},
		{"other origin allowed", nil, nil, doc{"verification": doc{"allowedOrigins": "other.example.com"}}, noIssuer},
		{"starts elsewhere", nil, nil, doc{"verification": doc{"startsWith": "https://example.org/NOT"}}, noIssuer},
		{"starts with none", nil, nil, doc{"verification": doc{"startsWith": []string{"https://example.org/x", "https://example.org/y"}}}, noIssuer},
		{"unknown property", nil, nil, doc{"verification": doc{"verificationProperty": "url"}}, noIssuer},
		{"issuer without address", nil, doc{"issuer": with(someIssuer(), doc{"id": nil})}, nil, noIssuer},
		{"issuer with a URN, embedded", nil, doc{"issuer": with(someIssuer(), doc{"id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6"})}, nil, noIssuer},
		{
			"embedded issuer allows all", nil,
			doc{"issuer": with(someIssuer(), doc{"id": nil, "verification": doc{"allowedOrigins": "example.org"}})},
			nil, noIssuer,
		},

		{"wrong context", doc{"@context": "https://w3id.org/openbadges/invalid"}, nil, nil, malformed},
		{"wrong type", doc{"type": "Badge"}, nil, nil, malformed},
		{"a class", doc{"type": "BadgeClass"}, nil, nil, malformed},
		{"unknown type beside", doc{"type": []string{"Assertion", "Nonsense"}}, nil, nil, malformed},
		{"no recipient", doc{"recipient": nil}, nil, nil, malformed},
		{"no badge", doc{"badge": nil}, nil, nil, malformed},
		{
			"extension that breaks its schema",
			doc{"extensions:example": doc{"type": []string{"Extension", "obi:extensions/#ExampleExtension"}, "http://schema.org/text": 1337}},
			nil, nil, malformed,
		},
		{"apply link without address", nil, doc{"extensions:a": doc{"type": []string{"Extension", "extensions:ApplyLink"}}}, nil, malformed},
		{"two badges", doc{"badge": []string{classURL, classURL}}, nil, nil, malformed},
		{"no verification", doc{"verification": nil}, nil, nil, malformed},
		{"verification as text", doc{"verification": "hosted"}, nil, nil, malformed},
		{"unknown verification", doc{"verification": doc{"type": "trustMe"}}, nil, nil, malformed},
		{"two verifications", doc{"verification": doc{"type": []string{"hosted", "signed"}}}, nil, nil, malformed},
		{"verification of another type as well", doc{"verification": doc{"type": []string{"HostedBadge", "extensions:Slow"}}}, nil, nil, genuine},
		{"verification of an extension", doc{"verification": doc{"type": []string{"ChainOfBlocks", "Extension"}}}, nil, nil, core.VerdictUnknown},
		{"no issue date", doc{"issuedOn": nil}, nil, nil, malformed},
		{"date without zone", doc{"issuedOn": "2024-05-01T10:00:00"}, nil, nil, malformed},
		{"day only", doc{"issuedOn": "2024-05-01"}, nil, nil, malformed},
		{"date as number", doc{"issuedOn": 1714557600}, nil, nil, malformed},
		{"expiry as text", doc{"expires": "soon"}, nil, nil, malformed},
		{"expires before issued", doc{"expires": "2023-01-01T00:00:00Z"}, nil, nil, malformed},
		{"data image on an assertion", doc{"image": "data:image/png;base64,iVBORw0KGgo="}, nil, nil, malformed},
		{"evidence as number", doc{"evidence": 7}, nil, nil, malformed},
		{"language as nonsense", doc{"@language": "this is no language"}, nil, nil, malformed},
		{"hash that is none", recipient(doc{"identity": "somebody@example.org"}), nil, nil, malformed},
		{"plain that is a hash", recipient(doc{"hashed": false}), nil, nil, malformed},
		{"hashed as text", recipient(doc{"hashed": "true"}), nil, nil, malformed},
		{"hashed missing", recipient(doc{"hashed": nil}), nil, nil, malformed},
		{"salt as number", recipient(doc{"salt": 5}), nil, nil, malformed},
		{"identity kind unknown", recipient(doc{"type": "shoeSize"}), nil, nil, malformed},
		{"plain that is no address", recipient(doc{"hashed": false, "identity": "nobody"}), nil, nil, malformed},
		{"recipient as text", doc{"recipient": "somebody@example.org"}, nil, nil, malformed},
		{"badge as number", doc{"badge": 1}, nil, nil, malformed},
		{"class without name", nil, doc{"name": nil}, nil, malformed},
		{"class without description", nil, doc{"description": nil}, nil, malformed},
		{"class without image", nil, doc{"image": nil}, nil, malformed},
		{"class without criteria", nil, doc{"criteria": nil}, nil, malformed},
		{"class with empty criteria", nil, doc{"criteria": doc{"type": "Criteria"}}, nil, malformed},
		{"class of wrong type", nil, doc{"type": "Assertion"}, nil, malformed},
		{"class name as list", nil, doc{"name": []string{"a", "b"}}, nil, malformed},
		{"alignment as text", nil, doc{"alignment": "https://example.org/a"}, nil, malformed},
		{"alignment without address", nil, doc{"alignment": doc{"targetName": "a"}}, nil, malformed},
		{"tags as numbers", nil, doc{"tags": []int{1}}, nil, malformed},
		{"issuer without name", nil, nil, doc{"name": nil}, malformed},
		{"issuer without url", nil, nil, doc{"url": nil}, malformed},
		{"issuer without email", nil, nil, doc{"email": nil}, malformed},
		{"issuer email malformed", nil, nil, doc{"email": "body at example.org"}, malformed},
		{"issuer url malformed", nil, nil, doc{"url": "example.org"}, malformed},
		{"issuer of wrong type", nil, nil, doc{"type": "BadgeClass"}, malformed},
		{"issuer telephone malformed", nil, nil, doc{"telephone": "call me"}, malformed},
		{"allowed origin malformed", nil, nil, doc{"verification": doc{"allowedOrigins": "https://example.org/"}}, malformed},
		{"starts with no address", nil, nil, doc{"verification": doc{"startsWith": "example.org"}}, malformed},
		{"class elsewhere", doc{"badge": "https://example.org/nothing"}, nil, nil, unreachable},
		{"class on a private address", doc{"badge": "https://10.0.0.1/class"}, nil, nil, unreachable},
		{"issuer elsewhere", nil, doc{"issuer": "https://example.org/nothing"}, nil, unreachable},
		{"signed without signature", doc{"verification": doc{"type": "signed", "creator": "https://example.org/key"}}, nil, nil, core.VerdictUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]page{
				assertionURL: {body: with(someAssertion(), tt.assertion)},
				classURL:     {body: with(someClass(), tt.class)},
				issuerURL:    {body: with(someIssuer(), tt.issuer)},
			})
			v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL})
			wantStatus(t, v, tt.want)
			if v.Genuine() != (tt.want == genuine) {
				t.Error("Genuine contradicts the status")
			}
		})
	}
}

// Each case changes what addresses answer.
func TestHostedAddresses(t *testing.T) {
	t.Parallel()
	const evil = "https://evil.example.net/"
	tests := []struct {
		name  string
		link  string
		pages map[string]page
		want  core.VerdictStatus
	}{
		{"gone", assertionURL, map[string]page{assertionURL: {status: http.StatusGone}}, core.VerdictRevoked},
		{"gone with words", assertionURL, map[string]page{assertionURL: {status: http.StatusGone, body: doc{"revoked": true}}}, core.VerdictRevoked},
		{"not there", assertionURL, map[string]page{assertionURL: {status: http.StatusNotFound}}, core.VerdictUnreachable},
		{"private", assertionURL, map[string]page{assertionURL: {status: http.StatusForbidden}}, core.VerdictUnreachable},
		{"broken server", assertionURL, map[string]page{assertionURL: {status: http.StatusInternalServerError}}, core.VerdictUnreachable},
		{"down", assertionURL, map[string]page{assertionURL: {err: errDown}}, core.VerdictUnreachable},
		{"issuer down", assertionURL, map[string]page{issuerURL: {err: errDown}}, core.VerdictUnreachable},
		{"class is no JSON", assertionURL, map[string]page{classURL: {body: "<html>"}}, core.VerdictMalformed},
		{"redirected on its host", "https://example.org/short", map[string]page{"https://example.org/short": {location: assertionURL}}, core.VerdictGenuine},
		{"http id, asked over https", "http://example.org/assertions/1", nil, core.VerdictGenuine},
		{
			"names another address, where it lies as well", "https://mirror.example.com/1",
			map[string]page{"https://mirror.example.com/1": {body: someAssertion()}},
			core.VerdictGenuine,
		},
		{
			"copied elsewhere and altered", evil + "1",
			map[string]page{evil + "1": {body: with(someAssertion(), doc{"expires": "2099-01-01T00:00:00Z"})}},
			core.VerdictGenuine,
		},
		{
			"on another host than its issuer", evil + "1",
			map[string]page{evil + "1": {body: with(someAssertion(), doc{"id": evil + "1"})}},
			core.VerdictIssuerNotConfirmed,
		},
		{
			"an issuer that takes on another's name", evil + "1",
			map[string]page{
				evil + "1":     {body: with(someAssertion(), doc{"id": evil + "1", "badge": evil + "class"})},
				evil + "class": {body: with(someClass(), doc{"id": evil + "class", "issuer": evil + "issuer"})},
				// It calls itself example.org's issuer, and is held against that one.
				evil + "issuer": {body: with(someIssuer(), doc{"verification": doc{"allowedOrigins": "evil.example.net"}})},
			},
			core.VerdictIssuerNotConfirmed,
		},
		{
			"an open redirect lends no name", "https://example.org/go?to=evil",
			map[string]page{
				"https://example.org/go?to=evil": {location: evil + "1"},
				evil + "1":                       {body: with(someAssertion(), doc{"id": "https://example.org/go?to=evil"})},
			},
			core.VerdictIssuerNotConfirmed,
		},
		{
			"addresses that name one another", "https://example.org/a",
			map[string]page{
				"https://example.org/a": {body: with(someAssertion(), doc{"id": "https://example.org/b"})},
				"https://example.org/b": {body: with(someAssertion(), doc{"id": "https://example.org/a"})},
			},
			core.VerdictUnreachable,
		},
		{"an id that is no address", assertionURL, map[string]page{
			assertionURL: {body: with(someAssertion(), doc{"id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6"})},
		}, core.VerdictMalformed},
		{"a class that names another address", assertionURL, map[string]page{
			classURL: {body: with(someClass(), doc{"id": "https://example.org/nowhere"})},
		}, core.VerdictGenuine},
		{"an issuer that names another profile, of which both hold", assertionURL, map[string]page{
			classURL:                     {body: with(someClass(), doc{"issuer": "https://example.org/strict"})},
			"https://example.org/strict": {body: with(someIssuer(), doc{"verification": doc{"startsWith": "https://example.org/NOT"}})},
		}, core.VerdictIssuerNotConfirmed},
		{"an issuer without an address of its own", assertionURL, map[string]page{
			issuerURL: {body: with(someIssuer(), doc{"id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6"})},
		}, core.VerdictGenuine},
		{"a page", assertionURL, map[string]page{assertionURL: {kind: "text/html", body: "<html>a badge</html>"}}, core.VerdictMalformed},
		{"nothing", assertionURL, map[string]page{assertionURL: {body: ""}}, core.VerdictMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := hostedWorld()
			for address, p := range tt.pages {
				w.set(address, p)
			}
			wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: tt.link}), tt.want)
		})
	}
}

// What is handed in counts for nothing: only its address does.
func TestHandedInDocument(t *testing.T) {
	t.Parallel()
	w := hostedWorld()
	w.set(assertionURL, page{body: with(someAssertion(), doc{"expires": "2025-01-01T00:00:00Z"})})
	file := []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + assertionURL +
		`","recipient":{},"badge":"https://evil.example.net/","issuedOn":"2030-01-01T00:00:00Z","verification":{"type":"hosted"}}`)
	wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: file}), core.VerdictExpired)
}

func TestRecipient(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, identity, salt, kind string
		hashed                     bool
		asked                      string
		want                       core.VerdictStatus
	}{
		{"salted", "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942", "deadsea", "email", true, "nobody@example.org", core.VerdictGenuine},
		{"hex in upper case", "sha256$ECF5409F3F4B91AB60CC5EF4C02AEF7032354375E70CF4D8E43F6A1D29891942", "deadsea", "email", true, "nobody@example.org", core.VerdictGenuine},
		{"typed in upper case", "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942", "deadsea", "email", true, "Nobody@Example.org", core.VerdictGenuine},
		{"unsalted", "sha256$b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe210", "", "email", true, "user1@example.com", core.VerdictGenuine},
		{"md5", "md5$111d68d06e2d317b5a59c2c6c5bad808", "", "email", true, "user1@example.com", core.VerdictGenuine},
		{"plain", "user1@example.com", "", "email", false, "USER1@example.com", core.VerdictGenuine},
		{"other address", "sha256$b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe210", "", "email", true, "user2@example.com", core.VerdictOtherRecipient},
		{"salt missing", "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942", "", "email", true, "nobody@example.org", core.VerdictOtherRecipient},
		{"other kind", "+15551234", "", "telephone", false, "nobody@example.org", core.VerdictOtherRecipient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := doc{"type": tt.kind, "identity": tt.identity, "hashed": tt.hashed}
			if tt.salt != "" {
				r["salt"] = tt.salt
			}
			w := hostedWorld()
			w.set(assertionURL, page{body: with(someAssertion(), doc{"recipient": r})})
			v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL, Recipient: tt.asked})
			wantStatus(t, v, tt.want)
			for _, c := range v.Checks {
				if strings.Contains(strings.ToLower(c.Detail), strings.ToLower(tt.asked)) {
					t.Errorf("a check names the address: %q", c.Detail)
				}
			}
			if strings.Contains(v.Recipient.Hash, "@") {
				t.Errorf("the verdict names the address: %q", v.Recipient.Hash)
			}
		})
	}
}

// Issuers and classes are remembered for a minute, badges never.
func TestCacheHidesNoRevocation(t *testing.T) {
	t.Parallel()
	w := hostedWorld()
	clock := &fixed{at: present}
	v := w.verifier()
	v.clock = clock
	q := core.BadgeQuery{Link: assertionURL}
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
	if a, c, i := w.times(assertionURL), w.times(classURL), w.times(issuerURL); a != 2 || c != 1 || i != 1 {
		t.Errorf("asked %d, %d, %d times, want 2, 1, 1", a, c, i)
	}
	w.set(assertionURL, page{status: http.StatusGone})
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictRevoked)
	w.set(assertionURL, page{body: someAssertion()})
	clock.move(cacheTime)
	wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
	if i := w.times(issuerURL); i != 2 {
		t.Errorf("issuer asked %d times after the cache ended, want 2", i)
	}
}

func TestOldVersions(t *testing.T) {
	t.Parallel()
	const a, c, i = "https://example.com/instance", "https://example.com/class", "https://example.com/issuer"
	old := func() *world {
		return newWorld(map[string]page{
			a: {body: doc{
				"uid": "123abc", "recipient": doc{"identity": "test@example.com", "hashed": false, "type": "email"},
				"badge": c, "issuedOn": "2015-04-30", "verify": doc{"type": "hosted", "url": a},
			}},
			c: {body: doc{
				"name": "Basic Badge", "description": "Basic.", "image": c + ".png", "criteria": c + "/criteria", "issuer": i,
				"alignment": []any{doc{"name": "n", "url": "https://example.com/n"}},
			}},
			i: {body: doc{"name": "Basic Issuer", "url": "https://example.com"}},
		})
	}
	w := old()
	v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: a, Recipient: "test@example.com"})
	wantStatus(t, v, core.VerdictGenuine)
	if v.Version != "1.0" || !v.IssuedAt.Equal(time.Date(2015, 4, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("verdict %+v", v)
	}
	w = old()
	const context = "https://w3id.org/openbadges/v1"
	w.set(a, page{body: doc{
		"@context": context, "type": "Assertion", "id": a, "recipient": doc{"identity": "test@example.com", "hashed": false, "type": "email"},
		"badge": c, "issuedOn": "1430352000.5", "verify": doc{"type": "hosted", "url": a},
	}})
	w.set(c, page{body: doc{
		"@context": context, "type": "BadgeClass", "id": c, "name": "Basic Badge", "description": "Basic.", "image": c + ".png",
		"criteria": c + "/criteria", "issuer": i, "alignment": doc{"name": "n", "url": "https://example.com/n"},
	}})
	w.set(i, page{body: doc{"@context": context, "type": "IssuerOrg", "id": i, "name": "Basic Issuer", "url": "https://example.com"}})
	if v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: a}); !v.Genuine() || v.Version != "1.1" {
		t.Errorf("verdict %+v", v)
	}
	// A picture inside the badge itself was allowed then.
	w = old()
	w.pages[a].body.(doc)["image"] = "data:image/png;base64,iVBORw0KGgo="
	wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: a}), core.VerdictGenuine)
}

func TestCredlyLinks(t *testing.T) {
	t.Parallel()
	const own = "https://api.credly.com/v1/obi/v2/badge_assertions/54a07c5c-89f9-4c33-9731-e1b0d34f88b9"
	for _, tt := range []struct{ link, want string }{
		{"https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9", own},
		{"https://www.credly.com/badges/54A07C5C-89F9-4C33-9731-E1B0D34F88B9/public_url", own},
		{"https://credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9/linked_in_profile", own},
		{"http://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9?source=linked_in_profile", own},
		{"https://www.youracclaim.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9/public_url ", own},
		{"https://sandbox.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9", "https://sandbox-api.credly.com/v1/obi/v2/badge_assertions/54a07c5c-89f9-4c33-9731-e1b0d34f88b9"},
		{own, own},
		{"https://www.credly.com.evil.example/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9", "https://www.credly.com.evil.example/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9"},
		{"https://www.credly.com/badges/1", "https://www.credly.com/badges/1"},
		{"https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9x", "https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9x"},
	} {
		if got := badgeAddress(credlyPages(), tt.link); got != tt.want {
			t.Errorf("badgeAddress(%q) = %q, want %q", tt.link, got, tt.want)
		}
	}
}

// In the context of 2.0 "verify" is another name of "verification", which
// widespread platforms use.
func TestOtherTerms(t *testing.T) {
	t.Parallel()
	ask := func(w *world, q core.BadgeQuery, want core.VerdictStatus) {
		t.Helper()
		wantStatus(t, w.verifier().Verify(t.Context(), q), want)
	}
	w := hostedWorld()
	link := core.BadgeQuery{Link: assertionURL}
	w.set(assertionURL, page{body: with(someAssertion(), doc{"verification": nil, "verify": doc{"type": "hosted", "url": assertionURL}})})
	ask(w, link, core.VerdictGenuine)
	w.set(issuerURL, page{body: with(someIssuer(), doc{"verify": doc{"allowedOrigins": "other.example.com"}})})
	ask(w, link, core.VerdictIssuerNotConfirmed)
	w = hostedWorld()
	w.set(assertionURL, page{body: with(someAssertion(), doc{"id": nil, "type": nil, "@id": assertionURL, "@type": []string{"Assertion"}})})
	ask(w, link, core.VerdictGenuine)

	other := with(someAssertion(), doc{"id": "urn:uuid:1", "verification": doc{"type": []string{"ChainOfBlocks", "Extension"}}})
	wantStatus(t, verify(t, newWorld(nil), other), core.VerdictUnknown)

	w = signedWorld(t)
	claims := with(signedAssertionDoc(), doc{"verification": nil, "verify": doc{"type": "SignedBadge", "creator": keyURL}})
	file := func(key any) core.BadgeQuery {
		return core.BadgeQuery{File: []byte(token(t, claims, jose.RS256, key, nil))}
	}
	ask(w, file(testKeys().rsa), core.VerdictGenuine)
	ask(w, file(testKeys().other), core.VerdictAltered)
}

// What is handed in or linked may be no badge at all, but belong to one.
func TestNotIssued(t *testing.T) {
	t.Parallel()
	const vouching = "https://example.org/endorsements/1"
	w := hostedWorld()
	w.set(vouching, page{body: doc{"@context": "https://w3id.org/openbadges/v2", "type": "Endorsement", "id": vouching}})
	for _, address := range []string{classURL, issuerURL, vouching} {
		v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: address})
		wantStatus(t, v, core.VerdictMalformed)
		if !strings.HasPrefix(v.Reason, "not a badge") {
			t.Errorf("%s: %s", address, v.Reason)
		}
	}
}
