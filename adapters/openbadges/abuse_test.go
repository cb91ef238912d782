package openbadges

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// abuse is one hostile input. Whatever it is, there is a verdict in time, it
// is not that the badge is genuine, and memory stays bounded.
type abuse struct {
	name  string
	query core.BadgeQuery
	pages map[string]page
}

func fileOf(t testing.TB, v any) core.BadgeQuery {
	t.Helper()
	switch v := v.(type) {
	case string:
		return core.BadgeQuery{File: []byte(v)}
	case []byte:
		return core.BadgeQuery{File: v}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return core.BadgeQuery{File: raw}
}

// wrongValues are values that a property does not have.
func wrongValues() []any {
	return []any{
		nil, true, 0, -1.5e300, "", "\x00", strings.Repeat("a", 100_000),
		[]any{},
		[]any{nil},
		[]any{[]any{[]any{}}},
		doc{},
		doc{"id": doc{}},
		doc{"type": 7},
		[]any{doc{}, doc{}},
		"https://127.0.0.1/", "_:b0",
	}
}

func abuses(t *testing.T) []abuse {
	t.Helper()
	k := testKeys()
	link := func(name, address string, pages map[string]page) abuse {
		return abuse{name, core.BadgeQuery{Link: address}, pages}
	}
	file := func(name string, v any, pages map[string]page) abuse { return abuse{name, fileOf(t, v), pages} }
	at := func(p page) map[string]page { return map[string]page{assertionURL: p} }
	chain := map[string]page{}
	for i := range 40 {
		address := fmt.Sprintf("https://example.org/hop/%d", i)
		chain[address] = page{body: png(chunk("tEXt", fmt.Appendf(nil, "openbadges\x00https://example.org/hop/%d", i+1)))}
	}
	redirects := map[string]page{}
	for i := range 40 {
		redirects[fmt.Sprintf("https://example.org/r/%d", i)] = page{location: fmt.Sprintf("https://example.org/r/%d", i+1)}
	}
	var clique []any
	for i := range 9 {
		var others []any
		for j := range 9 {
			if i != j {
				others = append(others, fmt.Sprintf("_:n%d", j))
			}
		}
		clique = append(clique, doc{"id": fmt.Sprintf("_:n%d", i), "type": "Related", "related": others})
	}
	poison := func(changes doc) doc {
		return with(with(someCredential(), doc{"proof": doc{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2024-05-01T10:00:00Z", "proofPurpose": "assertionMethod",
			"verificationMethod": didOf(k.ed), "proofValue": encode58(make([]byte, 64)),
		}}), changes)
	}
	siblings := make([]any, 3000)
	for i := range siblings {
		siblings[i] = doc{"type": []any{"Evidence"}, "narrative": "same"}
	}
	endorsements := make([]any, 200)
	for i := range endorsements {
		endorsements[i] = with(someCredential(), doc{"proof": doc{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
			"verificationMethod": fmt.Sprintf("https://example.org/key/%d", i), "proofValue": encode58(make([]byte, 64)),
		}})
	}
	statuses := make([]any, 200)
	for i := range statuses {
		statuses[i] = doc{"id": fmt.Sprintf("https://example.org/s/%d", i), "type": "1EdTechRevocationList"}
	}
	proofs := make([]any, 5000)
	for i := range proofs {
		proofs[i] = poison(nil)["proof"]
	}
	nested := doc{"type": "VerifiableCredential"}
	for range 20 {
		nested = doc{"type": "VerifiableCredential", "endorsement": nested}
	}
	own := func(d doc) doc { return prove(t, d, "eddsa-jcs-2022", k.ed, didOf(k.ed), nil) }
	states := func(encoded string) map[string]page {
		return map[string]page{statesURL: {body: own(doc{
			"@context": []any{contextModel2}, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"}, "issuer": didOf(k.ed),
			"credentialSubject": doc{"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": encoded},
		})}}
	}
	withState := func(index any) doc {
		return own(with(someCredential(), doc{"credentialStatus": doc{
			"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index, "statusListCredential": statesURL,
		}}))
	}
	// A holder's own key signs as many statements as are allowed, or more.
	disclosed := func(change func(x *disclosure)) doc {
		x := disclose(t, with(someCredential(), doc{"issuer": "https://example.org/nobody", "evidence": siblings[:100]}), k.ec, someDemands)
		change(x)
		return x.badge(t)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hugeKey := jwkOf(t, strong.Public(), "")
	hugeKey["n"] = b64("\xff" + strings.Repeat("\xfe", 100_000) + "\xff")
	evenKey := with(jwkOf(t, strong.Public(), ""), doc{"e": "Ag"})
	jwk := func(key doc) map[string]page { return map[string]page{"https://example.org/jwks": {body: key}} }
	onChain := make([]any, 4)
	for i := range onChain {
		onChain[i] = with(poison(nil)["proof"].(doc), doc{"id": fmt.Sprintf("urn:uuid:%d", i), "previousProof": []any{"urn:uuid:0", "urn:uuid:1", "urn:uuid:2", "urn:uuid:3"}})
	}
	vouched := make([]any, 100)
	for i := range vouched {
		address := fmt.Sprintf("https://example.org/e/%d", i)
		vouched[i] = address
	}
	// Two nodes of which the same is said, with twelve below each: telling them
	// apart by trying takes for ever.
	alike := make([]any, 2)
	for i := range alike {
		below := make([]any, 12)
		for j := range below {
			below[j] = doc{"type": []any{"Alignment"}, "targetName": "same"}
		}
		alike[i] = doc{"type": []any{"Result"}, "alignment": below}
	}
	subject := func(changes doc) doc {
		return doc{"credentialSubject": with(someCredential()["credentialSubject"].(doc), changes)}
	}
	manyTypes := []any{"VerifiableCredential", "OpenBadgeCredential"}
	for i := range 20_000 {
		manyTypes = append(manyTypes, fmt.Sprintf("u:%d", i))
	}
	manyAddresses := make([]any, 12_000)
	for i := range manyAddresses {
		manyAddresses[i] = fmt.Sprintf("urn:x:%d", i)
	}
	manyContexts := append([]any{}, someCredential()["@context"].([]any)...)
	for len(manyContexts) < 3000 {
		manyContexts = append(manyContexts, contextModel2)
	}
	heavy := make([]any, 8)
	for i := range heavy {
		heavy[i] = poison(doc{"evidence": siblings[:450], "proof": []any{poison(nil)["proof"], poison(nil)["proof"], poison(nil)["proof"], poison(nil)["proof"]}})
	}
	longToken := b64(`{"alg":"RS256","kid":"https://example.org/k"}`) + "." + b64(`{"type":"VerifiableCredential"}`) + "." + strings.Repeat("A", 2<<20)

	list := []abuse{
		link("nothing", "", nil),
		link("loopback", "https://127.0.0.1/badge", nil),
		link("loopback in hex", "https://0x7f000001/badge", nil),
		link("loopback as a number", "https://2130706433/badge", nil),
		link("loopback by name", "https://localhost/badge", nil),
		link("loopback, IPv6", "https://[::1]/badge", nil),
		link("loopback, mapped", "https://[::ffff:7f00:1]/badge", nil),
		link("cloud metadata", "http://169.254.169.254/latest/meta-data/", nil),
		link("private network", "https://192.168.0.1/badge", nil),
		link("carrier network", "https://100.64.0.1/badge", nil),
		link("unique local", "https://[fd00::1]/badge", nil),
		link("translated", "https://[64:ff9b::7f00:1]/badge", nil),
		link("other port", "https://example.org:6379/", nil),
		link("other scheme", "gopher://example.org/", nil),
		link("file", "file:///etc/passwd", nil),
		link("user in the address", "https://user:secret@example.org/", nil),
		link("data", "data:application/json,{}", nil),
		link("very long", "https://example.org/"+strings.Repeat("a", 1<<20), nil),
		link("control characters", "https://example.org/\r\nHost: evil", nil),
		link("redirect to itself", assertionURL, at(page{location: assertionURL})),
		link("redirect to loopback", assertionURL, at(page{location: "https://127.0.0.1/"})),
		link("redirect to http", assertionURL, at(page{location: "http://example.org/"})),
		link("redirect to a file", assertionURL, at(page{location: "file:///etc/passwd"})),
		link("forty redirects", "https://example.org/r/0", redirects),
		link("forty pictures", "https://example.org/hop/0", chain),
		link("endless JSON", assertionURL, at(page{body: `{"a":`, endless: true})),
		link("endless picture", assertionURL, at(page{body: string(pngSignature), endless: true})),
		link("endless zeros", assertionURL, at(page{body: make([]byte, 4096), endless: true})),
		link("200 without body", assertionURL, at(page{})),
		link("204", assertionURL, at(page{status: http.StatusNoContent})),
		link("status out of range", assertionURL, at(page{status: 999})),
		link("a page as JSON", assertionURL, at(page{kind: "application/json", body: "<html></html>"})),
		link("the issuer is the badge", assertionURL, map[string]page{assertionURL: {body: with(someAssertion(), doc{"badge": assertionURL})}}),
		link("the class is its issuer", assertionURL, map[string]page{
			assertionURL: {body: someAssertion()}, classURL: {body: with(someClass(), doc{"issuer": classURL})},
		}),
		link("ids in a circle", "https://example.org/a", map[string]page{
			"https://example.org/a": {body: with(someAssertion(), doc{"id": "https://example.org/b"})},
			"https://example.org/b": {body: with(someAssertion(), doc{"id": "https://example.org/c"})},
			"https://example.org/c": {body: with(someAssertion(), doc{"id": "https://example.org/a"})},
		}),
		link("endless class", assertionURL, map[string]page{assertionURL: {body: someAssertion()}, classURL: {body: `{"name":"`, endless: true}}),
		link("private class", assertionURL, at(page{body: with(someAssertion(), doc{"badge": "https://10.0.0.1/"})})),
		link("private issuer", assertionURL, map[string]page{
			assertionURL: {body: someAssertion()}, classURL: {body: with(someClass(), doc{"issuer": "https://[::1]/"})},
		}),
		link("class behind a redirect to loopback", assertionURL, map[string]page{
			assertionURL: {body: someAssertion()}, classURL: {location: "https://127.0.0.1/"},
		}),

		file("zeros", make([]byte, 1<<20), nil),
		file("10 MB of braces", strings.Repeat("{", 10<<20), nil),
		file("more than 10 MB", make([]byte, core.MaxBadgeFileBytes+1), nil),
		file("deep arrays", `{"a":`+strings.Repeat("[", 100_000), nil),
		file("deep objects", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000), nil),
		file("many values", `{"a":[`+strings.Repeat("1,", 400_000)+"1]}", nil),
		file("many names", "{"+strings.Repeat(`"a":1,`, 150_000)+`"b":1}`, nil),
		file("long name", `{"`+strings.Repeat("a", 900_000)+`":1}`, nil),
		file("broken UTF-8", "{\"type\":\"\xff\xfe\"}", nil),
		file("UTF-16", "\xff\xfe{\x00}\x00", nil),
		file("two documents", `{"type":"Assertion"}{"type":"Assertion"}`, nil),
		file("huge number", `{"type":"Assertion","version":1e999}`, nil),
		file("long number", `{"type":"Assertion","version":`+strings.Repeat("9", 500_000)+`}`, nil),
		file("null", "null", nil),
		file("a list", "[]", nil),
		file("poison graph", poison(doc{"credentialSubject": with(someCredential()["credentialSubject"].(doc), doc{"related": clique})}), nil),
		file("graph keyword", poison(doc{"@graph": clique}), nil),
		file("reverse keyword", poison(doc{"@reverse": doc{"issuer": clique}}), nil),
		file("included keyword", poison(doc{"@included": clique}), nil),
		file("three thousand siblings", poison(doc{"evidence": siblings}), nil),
		file("as many siblings as allowed", poison(doc{"evidence": siblings[:450]}), nil),
		file("nodes that are alike", poison(subject(doc{"result": alike})), nil),
		file("a long name that is said often", poison(doc{"id": "urn:x:" + strings.Repeat("a", 60_000), "type": manyTypes[:2000]}), nil),
		file("many types", poison(doc{"type": manyTypes}), nil),
		file("many addresses", poison(subject(doc{"source": manyAddresses})), nil),
		file("many contexts", poison(doc{"@context": manyContexts}), nil),
		file("terms of its own", poison(doc{"@context": []any{contextModel2, doc{"@vocab": "https://example.org/"}}}), nil),
		file("context on a private address", poison(doc{"@context": []any{contextModel2, "https://127.0.0.1/context"}}), nil),
		file("context as a file", poison(doc{"@context": []any{contextModel2, "file:///etc/passwd"}}), nil),
		file("contexts inside", poison(doc{"evidence": doc{"@context": doc{"@base": "https://example.org/"}}}), nil),
		file("a circle of contexts", poison(doc{"@context": []any{[]any{[]any{contextModel2}}}}), nil),
		file("five thousand proofs", with(someCredential(), doc{"proof": proofs}), nil),
		file("endorsements that ask for keys", own(with(someCredential(), doc{"endorsement": endorsements, "name": "x", "credentialStatus": doc{"type": "x"}})), nil),
		file("two hundred states", own(with(someCredential(), doc{"credentialStatus": statuses})), nil),
		file("endorsed by itself, deep", nested, nil),
		file("key on a private address", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{"verificationMethod": "https://10.0.0.1/key"})}), nil),
		file("did:web of a private address", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{"verificationMethod": "did:web:10.0.0.1"})}), nil),
		file("did:web with a port", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{"verificationMethod": "did:web:example.org%3A6379"})}), nil),
		file("did:web that climbs", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{"verificationMethod": "did:web:example.org:%2e%2e:x"})}), nil),
		file("long base58", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{"proofValue": "z" + strings.Repeat("z", 500_000)})}), nil),
		file("list of states that is a bomb", withState(1<<25-1), states(packList(t, 1<<25, 1<<25-1))),
		file("list of states that ends early", withState(131_071), states(packList(t, 8192))),
		file("endless list of states", withState(1), map[string]page{statesURL: {body: "{", endless: true}}),
		file("state on a private address", own(with(someCredential(), doc{"credentialStatus": doc{"id": "https://10.0.0.1/", "type": "1EdTechRevocationList"}})), nil),
		file("disclosed, and signed by nobody", disclosed(func(*disclosure) {}), nil),
		file("disclosed, many signatures", disclosed(func(x *disclosure) {
			for len(x.value.Signatures) < maxStatements+1 {
				x.value.Signatures = append(x.value.Signatures, x.value.Signatures[0])
			}
		}), nil),
		file("disclosed, many labels", disclosed(func(x *disclosure) {
			for i := range uint64(5000) {
				x.value.Labels[i] = make([]byte, hmacBytes)
			}
		}), nil),
		file("disclosed, long signature", disclosed(func(x *disclosure) { x.value.BaseSignature = make([]byte, 90_000) }), nil),
		file("disclosed, the key is no point", disclosed(func(x *disclosure) {
			x.value.PublicKey = append([]byte(p256Prefix+"\x02"), make([]byte, 32)...)
		}), nil),
		file("disclosed, CBOR that never ends", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{
			"cryptosuite": "ecdsa-sd-2023", "verificationMethod": didOf(k.ec), "proofValue": "u" + b64("\xd9\x5d\x01"+strings.Repeat("\x9f", 90_000)),
		})}), nil),
		file("disclosed, base64 of megabytes", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{
			"cryptosuite": "ecdsa-sd-2023", "verificationMethod": didOf(k.ec), "proofValue": "u" + strings.Repeat("A", 900_000),
		})}), nil),
		file("key that is no point", poison(doc{"proof": with(poison(nil)["proof"].(doc), doc{
			"cryptosuite": "ecdsa-rdfc-2019", "verificationMethod": "did:key:" + encode58([]byte(p384Prefix+"\x02"+strings.Repeat("\xff", 48))),
		})}), nil),
		file("graph that P-384 cannot tell apart", poison(doc{"evidence": siblings[:450], "proof": with(poison(nil)["proof"].(doc), doc{
			"cryptosuite": "ecdsa-rdfc-2019", "verificationMethod": didOf(k.ec384), "proofValue": encode58(make([]byte, 96)),
		})}), nil),
		file("proofs that build on one another", poison(doc{"proof": onChain}), nil),
		file("endorsements that cost much", own(with(someCredential(), doc{"endorsement": heavy, "credentialStatus": doc{"type": "x"}})), nil),
		link("a hundred endorsements", assertionURL, map[string]page{
			assertionURL: {body: with(someAssertion(), doc{"endorsement": vouched, "expires": "2025-01-01T00:00:00Z"})}, classURL: {body: someClass()}, issuerURL: {body: someIssuer()},
		}),
		link("endless endorsement", assertionURL, map[string]page{
			assertionURL: {body: with(someAssertion(), doc{"endorsement": vouched[0], "expires": "2025-01-01T00:00:00Z"})}, classURL: {body: someClass()}, issuerURL: {body: someIssuer()},
			"https://example.org/e/0": {body: `{"a":`, endless: true},
		}),
		link("endorsement on a private address", assertionURL, map[string]page{
			assertionURL: {body: with(someAssertion(), doc{"endorsement": "https://10.0.0.1/", "expires": "2025-01-01T00:00:00Z"})}, classURL: {body: someClass()}, issuerURL: {body: someIssuer()},
		}),
		file("RSA key of 800,000 bits", token(t, claimsOf(nil), jose.RS256, k.rsa, doc{"kid": kidURL}), jwk(hugeKey)),
		file("RSA key with exponent 2", token(t, claimsOf(nil), jose.RS256, k.rsa, doc{"kid": kidURL}), jwk(evenKey)),
		file("long token", longToken, nil),
		file("token of dots", "ey"+strings.Repeat(".", 1_000_000), nil),
		file("token with a private key's address", token(t, claimsOf(nil), jose.RS256, k.rsa, doc{"kid": "https://127.0.0.1/jwk"}), nil),
		file("token with an endless key", token(t, claimsOf(nil), jose.RS256, k.rsa, doc{"kid": kidURL}), map[string]page{"https://example.org/jwks": {body: "[", endless: true}}),
		file("token with a critical header", b64(`{"alg":"RS256","crit":["x"],"x":1,"kid":"`+kidURL+`"}`)+"."+b64(`{"type":"VerifiableCredential"}`)+"."+b64("x"), nil),
		file("token in a token", token(t, doc{"vc": token(t, claimsOf(nil), jose.RS256, k.rsa, nil), "type": "VerifiableCredential"}, jose.RS256, k.rsa, nil), nil),
		file("PNG, text that is a bomb", png(zTXt(t, "openbadges", make([]byte, 8<<20))), nil),
		file("PNG, many chunks", png([]byte(strings.Repeat(string(chunk("tEXt", nil)), 100_000))), nil),
		file("PNG, length that overflows", string(pngSignature)+"\xff\xff\xff\xffiTXt", nil),
		file("PNG in itself", png(iTXt("openbadges", string(png(iTXt("openbadges", "{}"))))), nil),
		file("PNG that leads to loopback", png(iTXt("openbadges", "https://127.0.0.1/")), nil),
		file("SVG with entities", `<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><svg xmlns:o="http://openbadges.org"><o:assertion>&b;&b;</o:assertion></svg>`, nil),
		file("SVG with an outer entity", `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns:o="http://openbadges.org"><o:assertion>&x;</o:assertion></svg>`, nil),
		file("SVG, deep", `<svg>`+strings.Repeat("<g>", 500_000), nil),
		file("SVG, many elements", `<svg>`+strings.Repeat("<g/>", 1_000_000)+`</svg>`, nil),
		file("SVG, many attributes", "<svg "+strings.Repeat(`a="" `, 2_000_000)+"/>", nil),
		file("SVG, attribute of megabytes", `<svg xmlns:o="http://openbadges.org"><o:assertion verify="`+strings.Repeat("a", 2<<20)+`"/></svg>`, nil),
	}
	list = append(list, costly(t)...)
	for i, v := range wrongValues() {
		a, c, s := with(someAssertion(), nil), with(someCredential(), nil), own(someCredential())
		for name := range a {
			if name != "id" {
				a[name] = v
			}
		}
		for name := range c {
			if name != "type" {
				c[name] = v
			}
		}
		c["proof"] = v
		s["proof"] = doc{"type": "DataIntegrityProof", "cryptosuite": v, "proofPurpose": v, "verificationMethod": v, "proofValue": v, "created": v, "@context": v}
		list = append(list,
			link(fmt.Sprintf("assertion of wrong values, %d", i), assertionURL, at(page{body: a})),
			file(fmt.Sprintf("credential of wrong values, %d", i), c, nil),
			file(fmt.Sprintf("proof of wrong values, %d", i), s, nil),
			link(fmt.Sprintf("class of wrong values, %d", i), assertionURL, map[string]page{
				assertionURL: {body: someAssertion()}, classURL: {body: doc{"@context": v, "type": v, "id": v, "name": v, "issuer": v, "criteria": v, "image": v, "description": v}},
			}),
		)
	}
	return list
}

// Not beside other tests: what each input takes is measured, and the runtime
// counts what everybody allocates.
func TestAbuse(t *testing.T) { //nolint:paralleltest // See above.
	list := abuses(t)
	if len(list) < 60 {
		t.Fatalf("%d inputs, want 60 and more", len(list))
	}
	for _, a := range list {
		pages := a.pages
		if pages == nil {
			pages = map[string]page{}
		}
		w := newWorld(pages)
		v := New(Options{
			Client: fetch.New(fetch.Options{Transport: w}), Clock: &fixed{at: present},
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := cpuTime(t)
		got := v.Verify(t.Context(), a.query)
		took := cpuTime(t) - start
		runtime.ReadMemStats(&after)
		if got.Genuine() || got.Status == "" || got.Reason == "" {
			t.Errorf("%s: verdict %+v", a.name, got)
		}
		// Some ten times what the worst of them takes.
		if took > 3*time.Second {
			t.Errorf("%s: computed for %v", a.name, took)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<20 {
			t.Errorf("%s: allocated %d MB", a.name, allocated>>20)
		}
		for address := range w.asked {
			if strings.Contains(address, "127.0.0.1") || strings.Contains(address, "10.0.0.1") || !strings.HasPrefix(address, "https://") {
				t.Errorf("%s: asked %s", a.name, address)
			}
		}
		for _, c := range got.Checks {
			if len(c.Detail) > 4*maxDetailRunes+8 {
				t.Errorf("%s: a detail of %d bytes", a.name, len(c.Detail))
			}
		}
	}
}

// A server that answers a byte at a time, and one that never does, take the
// time of the verification and no more.
func TestSlowServers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"silent", "drip"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := New(Options{
				// Nothing else ends it.
				Client: fetch.New(fetch.Options{Transport: slow{drip: name == "drip"}, Timeout: time.Hour}), MaxTime: 200 * time.Millisecond,
			})
			wantStatus(t, v.Verify(t.Context(), core.BadgeQuery{Link: assertionURL}), core.VerdictUnreachable)
		})
	}
}

// slow answers late, or never.
type slow struct{ drip bool }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.drip {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: dripping{r}, ContentLength: -1, Request: r}, nil
}

type dripping struct{ r *http.Request }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-d.r.Context().Done():
		return 0, d.r.Context().Err()
	case <-time.After(5 * time.Millisecond):
		p[0] = ' '
		return 1, nil
	}
}

func (dripping) Close() error { return nil }
