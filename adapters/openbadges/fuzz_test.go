package openbadges

import (
	"crypto"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

// FuzzVerify hands anything in. Nothing that a fuzzer makes up is genuine,
// and everything has a verdict.
func FuzzVerify(f *testing.F) {
	for _, d := range []doc{someAssertion(), someClass(), someIssuer(), someCredential(), signedAssertionDoc(), {"revoked": true, "id": assertionURL}} {
		raw, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add(png(iTXt("openbadges", string(raw))))
		f.Add([]byte(b64(`{"alg":"RS256"}`) + "." + b64(string(raw)) + "." + b64("x")))
	}
	f.Add([]byte(`<svg xmlns:o="http://openbadges.org"><o:assertion verify="https://example.org/1"/></svg>`))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","proof":{"type":"DataIntegrityProof"}}`))
	v := newWorld(nil).verifier()
	f.Fuzz(func(t *testing.T, data []byte) {
		got := v.Verify(t.Context(), core.BadgeQuery{File: data, Recipient: "nobody@example.org"})
		if got.Genuine() || got.Status == "" || got.Checks == nil {
			t.Fatalf("verdict %+v", got)
		}
	})
}

func FuzzPNG(f *testing.F) {
	f.Add(png(iTXt("openbadges", "hello")))
	f.Add(png(zTXt(f, "openbadgecredential", []byte("hello"))))
	f.Add(png(chunk("tEXt", []byte("openbadges\x00x"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < len(pngSignature) {
			return
		}
		if got, err := unbakePNG(data); err == nil && len(got) > maxDocumentBytes {
			t.Fatal("too long")
		}
	})
}

func FuzzSVG(f *testing.F) {
	f.Add([]byte(`<svg xmlns:o="http://openbadges.org"><o:assertion verify="https://example.org/1"/></svg>`))
	f.Add([]byte(`<svg xmlns:o="https://purl.imsglobal.org/ob/v3p0"><o:credential><![CDATA[{}]]></o:credential></svg>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := unbakeSVG(data); err == nil && got == "" {
			t.Fatal("nothing found, and no error")
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(b64(`{"alg":"RS256"}`) + "." + b64(`{"vc":{}}`) + "." + b64("x"))
	f.Add("ey..")
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := readToken(text)
		if err == nil && tok.claims == nil {
			t.Fatal("a token without claims")
		}
		if err == nil && tok.fits([]byte("secret")) {
			t.Fatal("a shared secret fits")
		}
	})
}

func FuzzCanonical(f *testing.F) {
	raw, err := json.Marshal(someCredential())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"@context":"https://www.w3.org/ns/credentials/v2","type":["VerifiableCredential",null],"issuer":[[]]}`))
	v := New(Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseObject(data, maxDocumentBytes)
		if err != nil {
			return
		}
		if _, err := v.rdf(d, crypto.SHA256, someBudget()); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
		canonical, err := jcs(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseObject(canonical, 8*maxDocumentBytes)
		if err != nil {
			t.Fatalf("canonical form is not read: %v", err)
		}
		twice, err := jcs(again)
		if err != nil || string(twice) != string(canonical) {
			t.Fatalf("not stable: %s, %s", canonical, twice)
		}
	})
}

func FuzzTime(f *testing.F) {
	f.Add("2016-12-31T23:59:59Z")
	f.Add("20161231T2359,5+01")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTime(text)
		if err == nil && (got.Year() < -1 || got.Year() > 10_000) {
			t.Fatalf("%q is %v", text, got)
		}
	})
}

func FuzzMultibase(f *testing.F) {
	f.Add("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")
	f.Add("z1111")
	f.Add("uAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := multibase(text)
		if err == nil && strings.HasPrefix(text, "z") && encode58(raw) != text {
			t.Fatalf("%q and %q are the same bytes", text, encode58(raw))
		}
	})
}

func FuzzLink(f *testing.F) {
	f.Add("https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9")
	f.Add("https://127.0.0.1/")
	v := newWorld(nil).verifier()
	f.Fuzz(func(t *testing.T, text string) {
		if v.Verify(t.Context(), core.BadgeQuery{Link: text}).Genuine() {
			t.Fatal("genuine")
		}
		if !utf8.ValidString(clip(text)) {
			t.Fatal("clip makes invalid text")
		}
	})
}

func FuzzMultikey(f *testing.F) {
	k := testKeys()
	for _, key := range []crypto.Signer{k.ed, k.ec, k.ec384} {
		f.Add(multicodecOf(key))
	}
	f.Add(append([]byte(blsPrefix), newBBSPair(f).key.raw...))
	f.Add([]byte{0x80, 0x24, 0x02})
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := multicodecKey(raw)
		if err == nil && (!fitKey(key) || !sameKey(key, key)) {
			t.Fatalf("%x is the key %v", raw, key)
		}
	})
}

func FuzzDisclosed(f *testing.F) {
	k := testKeys()
	x := disclose(f, with(someCredential(), doc{"issuer": didOf(k.ec)}), k.ec, someDemands)
	f.Add(encodeCBOR(f, x.value))
	f.Add([]byte{0x85, 0x40, 0x40, 0x80, 0xa0, 0x80})
	f.Add([]byte{0x85, 0x40, 0x40, 0x81, 0x40, 0xa2, 0x00, 0x40, 0x00, 0x40, 0x81, 0x00})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		d, err := readDerived(append(append([]byte{}, derivedHeader...), encoded...))
		if err != nil {
			return
		}
		if len(d.Signatures) > maxStatements || len(d.Labels) > maxStatements || len(d.Mandatory) > maxStatements {
			t.Fatal("more statements than a document may have")
		}
		names, err := d.names()
		if err == nil && len(names) != len(d.Labels) {
			t.Fatal("two nodes with one name")
		}
		if _, err := readDerived(append(append([]byte{}, derivedHeader...), encodeCBOR(t, d)...)); err != nil {
			t.Fatalf("written again, it is not read: %v", err)
		}
	})
}

func FuzzBBSProof(f *testing.F) {
	p := newBBSPair(f)
	f.Add(p.prove(f, nil, nil, []string{"a", "b", "c"}, []uint64{1}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, ok := readBBSProof(raw); ok && (len(raw)-3*bbsPointBytes)%bbsScalarBytes != 0 {
			t.Fatal("a proof with something behind it is read")
		}
		if bbsFits(p.generators, p.key, raw, nil, nil, []string{"x"}, []uint64{1}) {
			t.Fatal("what was never signed fits")
		}
		var d bbsDerived
		if readCBOR(raw, &d) == nil && (len(d.Labels) > maxStatements || len(d.Disclosed) > maxStatements) {
			t.Fatal("more statements than a document may have")
		}
	})
}

func FuzzQuads(f *testing.F) {
	f.Add([]byte("_:c14n0 <https://example.org/p> \"a b\"@en _:c14n1 .\n"))
	f.Add([]byte("<a> <b> \"\\\" _:c14n0 .\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		quads, err := readQuads(text)
		if err != nil {
			return
		}
		var same strings.Builder
		for _, q := range quads {
			same.WriteString(q.line())
		}
		if same.String() != string(text) {
			t.Fatalf("%q became %q", text, same.String())
		}
	})
}

// FuzzAdded puts something into a signed badge: the signature does not fit
// any more, unless it says the same as before.
func FuzzAdded(f *testing.F) {
	k := testKeys()
	good := prove(f, someCredential(), "eddsa-rdfc-2022", k.ed, didOf(k.ed), nil)
	for i, seed := range []string{
		`{"id":"https://-/","type":"IdentityObject","identityType":"emailAddress","hashed":false,"identityHash":"nobody@example.org"}`,
		`{"@value":"x","@language":"en_US"}`, `[null]`, `"x"`, `{"id":"relative","type":["Evidence"],"narrative":"x"}`, `{"@list":["x"]}`, `{"@value":null}`,
		`"@bogus"`, `{"id":"@bogus"}`, `{"id":null}`, `{"type":"@bogus"}`, `{"@value":"x","@type":"@bogus"}`, `["x",{"@value":"x"}]`, `{"@language":"en"}`,
	} {
		names := []string{"identifier", "description", "evidence", "type", "image", "@type", "@id"}
		f.Add(uint8(i), names[i%len(names)], []byte(seed))
		f.Add(uint8(0), names[(i+3)%len(names)], []byte(seed))
	}
	before, err := jcs(meaning(good).(doc))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, where uint8, name string, raw []byte) {
		added, err := parseObject([]byte(`{"v":`+string(raw)+`}`), maxDocumentBytes)
		if err != nil || name == "proof" {
			return
		}
		d := plain(t, good)
		var nodes []doc
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, inner := range v {
					walk(inner)
				}
			case doc:
				nodes = append(nodes, v)
				for _, name := range slices.Sorted(maps.Keys(v)) {
					if name != "proof" {
						walk(v[name])
					}
				}
			}
		}
		walk(d)
		node := nodes[int(where)%len(nodes)]
		if there, ok := node[name]; ok {
			node[name] = append(append([]any{}, each(there)...), each(added["v"])...)
		} else {
			node[name] = added["v"]
		}
		s := newWorld(nil).verifier().session(t)
		if s.embeddedProof(d).finding != proofFits {
			return
		}
		if after, err := jcs(meaning(d).(doc)); err != nil || string(after) != string(before) {
			t.Fatalf("the signature fits:\n%s\n%s", before, after)
		}
	})
}

// meaning is a document without the forms that JSON-LD gives one meaning:
// nothing, lists of one, values spelled out, repetitions.
func meaning(v any) any {
	switch v := v.(type) {
	case []any:
		var list []any
		for _, inner := range v {
			if inner = meaning(inner); inner != nil && !slices.ContainsFunc(list, func(other any) bool { return reflect.DeepEqual(inner, other) }) {
				list = append(list, inner)
			}
		}
		if len(list) == 1 {
			return list[0]
		} else if len(list) == 0 {
			return nil
		}
		return list
	case doc:
		if value, ok := v["@value"]; ok && len(v) == 1 {
			return meaning(value)
		}
		out := doc{}
		for name, inner := range v {
			if inner = meaning(inner); inner != nil {
				out[name] = inner
			}
		}
		return out
	default:
		return v
	}
}
