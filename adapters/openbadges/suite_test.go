package openbadges

import (
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// Each kind of proof with each key that may make it.
func TestSuites(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, suite := range []string{"ecdsa-rdfc-2019", "ecdsa-2019", "ecdsa-jcs-2019"} {
		for name, key := range map[string]crypto.Signer{"P-256": k.ec, "P-384": k.ec384} {
			t.Run(suite+" "+name, func(t *testing.T) {
				t.Parallel()
				d := prove(t, with(someCredential(), doc{"issuer": didOf(key)}), suite, key, didOf(key)+"#"+multikeyOf(key), nil)
				wantStatus(t, verify(t, newWorld(nil), d), core.VerdictGenuine)
				wantStatus(t, verify(t, newWorld(nil), with(d, doc{"name": "Another Badge"})), core.VerdictAltered)
				if suite == "ecdsa-jcs-2019" || suite == "ecdsa-rdfc-2019" && name == "P-256" {
					everyTextAltered(t, newWorld(nil).verifier().session(t), plain(t, d))
				}
			})
		}
	}
	// A key of another kind makes no such proof, whatever it signed.
	for suite, key := range map[string]crypto.Signer{"ecdsa-jcs-2019": k.ed, "ecdsa-rdfc-2019": k.ed, "eddsa-jcs-2022": k.ec, "eddsa-rdfc-2022": k.ec384} {
		d := prove(t, with(someCredential(), doc{"issuer": didOf(key)}), suite, key, didOf(key), nil)
		wantStatus(t, verify(t, newWorld(nil), d), core.VerdictUnknown)
	}
	// The signature of one curve is none of another.
	d := prove(t, someCredential(), "ecdsa-jcs-2019", k.ec384, didOf(k.ec384), nil)
	d["proof"].(doc)["verificationMethod"] = didOf(k.ec)
	wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
	// Nor is nothing at all.
	for _, size := range []int{64, 96} {
		d["proof"].(doc)["proofValue"] = encode58(make([]byte, size))
		wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
	}
}

// A plain JSON proof is signed as it stands, with its contexts or without;
// one by RDF with those of the document. Neither may name others.
func TestContextsOfProofs(t *testing.T) {
	t.Parallel()
	k := testKeys()
	contexts := someCredential()["@context"].([]any)
	const plain, linked = "eddsa-jcs-2022", "eddsa-rdfc-2022"
	for _, tt := range []struct {
		name, suite string
		signed, own any
		want        core.VerdictStatus
	}{
		{"none", plain, nil, nil, core.VerdictGenuine},
		{"the document's", plain, contexts, contexts, core.VerdictGenuine},
		{"added", plain, nil, contexts, core.VerdictAltered},
		{"taken away", plain, contexts, nil, core.VerdictAltered},
		{"none", linked, nil, nil, core.VerdictGenuine},
		{"the document's", linked, contexts, contexts, core.VerdictGenuine},
		{"added", linked, nil, contexts, core.VerdictGenuine},
		{"taken away", linked, contexts, nil, core.VerdictGenuine},
		{"fewer", linked, contexts, contexts[:1], core.VerdictUnknown},
		{"another", linked, nil, []any{contextModel1}, core.VerdictAltered},
		{"more", linked, nil, append(append([]any{}, contexts...), "https://w3id.org/security/multikey/v1"), core.VerdictAltered},
		{"in another order", linked, nil, []any{contexts[1], contexts[0]}, core.VerdictAltered},
		{"terms of its own", linked, nil, []any{doc{"x": "https://example.org/x"}}, core.VerdictAltered},
	} {
		t.Run(tt.suite+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			d := prove(t, someCredential(), tt.suite, k.ed, didOf(k.ed), doc{"@context": tt.signed})
			d["proof"] = with(d["proof"].(doc), doc{"@context": tt.own})
			wantStatus(t, verify(t, newWorld(nil), d), tt.want)
		})
	}
}

// Names that depend on the hash, as https://www.w3.org/TR/rdf-canon/ gives
// them: the statement with the lower hash comes first.
func TestRelabeled(t *testing.T) {
	t.Parallel()
	first := func(hash crypto.Hash, object string) string {
		return hex.EncodeToString(sum(hash, []byte(`_:a <https://example.org/p> "`+object+"\" .\n")))
	}
	swapped := 0
	for i := range 20 {
		a, b := strings.Repeat("a", i+1), strings.Repeat("b _:c14n1 .", i+1)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
			names := []string{"_:c14n0", "_:c14n1"}
			if first(hash, a) > first(hash, b) {
				names = []string{"_:c14n1", "_:c14n0"}
				swapped++
			}
			want := lines([]quad{
				{names[0], "<https://example.org/p>", `"` + a + `"`, ""}, {names[1], "<https://example.org/p>", `"` + b + `"`, ""},
			}, func(name string) string { return name })
			got, err := relabeled([]byte("_:c14n0 <https://example.org/p> \""+a+"\" .\n_:c14n1 <https://example.org/p> \""+b+"\" .\n"), hash)
			if err != nil || string(got) != strings.Join(want, "") {
				t.Fatalf("%v: %s %v, want %s", hash, got, err, want)
			}
		}
	}
	if swapped == 0 || swapped == 40 {
		t.Errorf("%d of 40 were in the other order", swapped)
	}
	// Two nodes of which the same is said cannot be told apart.
	for _, text := range []string{
		"_:c14n0 <https://example.org/p> \"a\" .\n_:c14n1 <https://example.org/p> \"a\" .\n", "_:c14n0 <p>", "x .\n", "a b .",
	} {
		if got, err := relabeled([]byte(text), crypto.SHA384); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
	// A statement in a graph keeps it, and a literal its blanks.
	text := "<https://example.org/s> <https://example.org/p> \"a \\\"b\\\" c\"@en-GB _:c14n0 .\n"
	if got, err := relabeled([]byte(text), crypto.SHA384); err != nil || string(got) != text {
		t.Errorf("%q became %q, %v", text, got, err)
	}
}

func TestMultikeys(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, key := range []crypto.Signer{k.ed, k.ec, k.ec384} {
		got, err := multikey(multikeyOf(key))
		if err != nil || !sameKey(got, key.Public()) {
			t.Errorf("%T: %v %v", key, got, err)
		}
	}
	point := multicodecOf(k.ec)
	other := append([]byte{}, point...)
	other[2] = 4 // Neither of the two signs.
	outside := append([]byte(p256Prefix), append([]byte{2}, []byte(strings.Repeat("\xff", 32))...)...)
	for name, raw := range map[string][]byte{
		"nothing": {}, "a mark": []byte(p256Prefix), "short point": point[:34], "long point": append(append([]byte{}, point...), 0),
		"unknown form": other, "outside the curve": outside, "infinity": append([]byte(p256Prefix), make([]byte, 33)...),
		"the point of another curve": append([]byte(p384Prefix), point[2:]...), "short key": multicodecOf(k.ed)[:33],
		"a private key": append([]byte{0x80, 0x26}, make([]byte, ed25519.SeedSize)...), "unknown": append([]byte{0xe7, 0x01}, point[2:]...),
	} {
		if got, err := multicodecKey(raw); err == nil {
			t.Errorf("%s is the key %v", name, got)
		}
	}
}
