package openbadges

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/refdata"
)

func vector(t testing.TB, elem ...string) doc {
	t.Helper()
	d, err := parseObject(refdata.Read(t, append([]string{"openbadges"}, elem...)...), maxDocumentBytes)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The vectors of https://github.com/w3c/vc-di-eddsa, step by step.
func TestW3CVectors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path           []string
		docHash, prove string
	}{
		{
			[]string{"vc-di-eddsa", "eddsa-rdfc-2022", "signedDataInt.json"},
			"517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017", "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0",
		},
		{
			[]string{"vc-di-eddsa", "eddsa-rdfc-2022", "employ", "signedDataInt.json"},
			"03f59e5b04ab575b1172cb684f22eede72f0e9033e0b5c67d0e2506768d6ce11", "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0",
		},
		{
			[]string{"vc-di-eddsa", "eddsa-jcs-2022", "signedJCS.json"},
			"59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19", "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db",
		},
		{
			[]string{"vc-di-eddsa", "Ed25519Signature2020", "signedEdSig.json"},
			"517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017", "04e14bcf5727cba0c0aa04a04d22a56fef915d5f8f7756bb92ae67cb1d0c4847",
		},
	}
	for _, tt := range tests {
		t.Run(tt.path[1], func(t *testing.T) {
			t.Parallel()
			d := vector(t, tt.path...)
			s := newWorld(nil).verifier().session(t)
			p := d["proof"].(doc)
			bare := with(d, doc{"proof": nil})
			config := with(p, doc{"proofValue": nil})
			if config["@context"] == nil {
				config["@context"] = d["@context"]
			}
			for _, step := range []struct {
				what string
				d    doc
				want string
			}{{"document", bare, tt.docHash}, {"proof", config, tt.prove}} {
				kind, _ := s.suite(p)
				canonical, err := kind.canonical(step.d, crypto.SHA256)
				if err != nil {
					t.Fatalf("%s: %v", step.what, err)
				}
				if sum := sha256.Sum256(canonical); hex.EncodeToString(sum[:]) != step.want {
					t.Errorf("%s hash %x, want %s; canonical:\n%s", step.what, sum, step.want, canonical)
				}
			}
			if got := s.embeddedProof(d); got.finding != proofFits {
				t.Errorf("proof: %+v", got)
			}
			// None of them is a badge, and their issuer does not list the key.
			v := verify(t, newWorld(nil), d)
			wantStatus(t, v, core.VerdictMalformed)
			wantCheck(t, v, core.CheckSignature, core.CheckPassed)
			everyTextAltered(t, s, d)
		})
	}
}

// session makes one session for tests of its parts.
func (v *Verifier) session(t testing.TB) *session {
	t.Helper()
	return &session{v: v, ctx: t.Context(), now: present, r: newReport(present), budget: &budget{most: maxFetches, mostNodes: 1 << 30}}
}

// everyTextAltered changes one byte of each text of a document, one after the
// other, and expects that its proof never fits.
func everyTextAltered(t *testing.T, s *session, d doc) {
	t.Helper()
	var walk func(v any, put func(any))
	walk = func(v any, put func(any)) {
		switch v := v.(type) {
		case string:
			if v == "" {
				return
			}
			changed := []byte(v)
			i := len(v) * 2 / 3
			changed[i] = altered(changed[i])
			put(string(changed))
			if got := s.embeddedProof(d); got.finding == proofFits {
				t.Errorf("%q changed to %q, and the proof fits", v, changed)
			}
			put(v)
		case []any:
			for i := range v {
				walk(v[i], func(n any) { v[i] = n })
			}
		case doc:
			for name := range v {
				walk(v[name], func(n any) { v[name] = n })
			}
		}
	}
	walk(d, func(any) {})
	if got := s.embeddedProof(d); got.finding != proofFits {
		t.Errorf("put back, and the proof does not fit: %+v", got)
	}
}

// Each signed document with one byte of its file changed, wherever that is:
// it is no document any more, or its proof does not fit.
func TestEveryByteAltered(t *testing.T) {
	t.Parallel()
	// The dearer ones with strides that meet all of their parts: with a stride
	// of one the race detector makes a minute of them.
	for file, stride := range map[string]int{
		"eddsa-jcs-2022/signedJCS.json":             1,
		"eddsa-rdfc-2022/signedDataInt.json":        3,
		"eddsa-rdfc-2022/employ/signedDataInt.json": 11,
		"Ed25519Signature2020/signedEdSig.json":     5,
		"proof-set-chain/signedProofSet1.json":      7,
		"proof-set-chain/signedProofChain1.json":    17,
		"proof-set-chain/signedProofChain2.json":    31,
	} {
		path := append([]string{"vc-di-eddsa"}, strings.Split(file, "/")...)
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			raw := refdata.Read(t, append([]string{"openbadges"}, path...)...)
			d := vector(t, path...)
			count := len(each(d["proof"]))
			s := newWorld(nil).verifier().session(t)
			for i := 0; i < len(raw); i += stride {
				own := append([]byte{}, raw...)
				own[i] ^= 1
				altered, err := parseObject(own, maxDocumentBytes)
				if err != nil {
					continue
				}
				// Of several proofs, those that were not changed fit still.
				if got := s.embeddedProof(altered); got.finding == proofFits && (count == 1 || !sameBut(altered, d, "proof")) {
					t.Fatalf("byte %d changed, and the proof fits: %s", i, own)
				}
			}
		})
	}
	t.Run("token", func(t *testing.T) {
		t.Parallel()
		baked, err := unbakePNG(refdata.Read(t, "openbadges", "samples", "simple-jwt.png"))
		if err != nil {
			t.Fatal(err)
		}
		good, err := readToken(baked)
		if err != nil || !good.fits(good.header.JSONWebKey.Key) {
			t.Fatal("the sample does not fit", err)
		}
		for i := 0; i < len(baked); i += 7 {
			own := []byte(baked)
			own[i] = altered(own[i])
			if got, err := readToken(string(own)); err == nil && got.fits(good.header.JSONWebKey.Key) {
				t.Fatalf("byte %d changed, and the signature fits", i)
			}
		}
	})
}

// sameBut reports whether two documents are alike, one property apart.
func sameBut(a, b doc, name string) bool {
	return reflect.DeepEqual(with(a, doc{name: nil}), with(b, doc{name: nil}))
}

// Proof sets: any of them suffices. Chains: each proof covers those before it,
// and no other set of them.
func TestW3CProofSets(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"signedProofSet1.json", "signedProofSet2.json", "signedProofChain1.json", "signedProofChain2.json"} {
		s := newWorld(nil).verifier().session(t)
		d := vector(t, "vc-di-eddsa", "proof-set-chain", file)
		set := func() *proofSet {
			set := &proofSet{s: s, bare: with(d, doc{"proof": nil})}
			for _, p := range each(d["proof"]) {
				set.proofs = append(set.proofs, p.(doc))
			}
			set.found = make([]*proof, len(set.proofs))
			return set
		}
		for i := range set().proofs {
			if got := set().judge(i); got.finding != proofFits {
				t.Errorf("%s: proof %d: %+v", file, i, got)
			}
			// A proof that is built on, and was altered, takes with it what
			// builds on it; any other change of it does too.
			for j := range set().proofs {
				altered := set()
				altered.proofs[j] = with(altered.proofs[j], doc{"created": "2023-02-24T23:36:39Z"})
				builds := j == i || slices.Contains(texts(altered.proofs[i]["previousProof"]), id(altered.proofs[j])) && id(altered.proofs[j]) != ""
				if got := altered.judge(i); builds && got.finding == proofFits {
					t.Errorf("%s: proof %d fits, and %d was altered", file, i, j)
				}
			}
		}
	}
}

// The samples of 1EdTech, served where they say that they lie.
func TestSamples(t *testing.T) {
	t.Parallel()
	const at, class, issuer = "https://example.org/beths-robotics-badge.json", "https://example.org/robotics-badge.json", "https://example.org/organization.json"
	sample := func(name string) []byte { return refdata.Read(t, "openbadges", "samples", name) }
	web := func() *world {
		return newWorld(map[string]page{
			at: {body: sample("basic-assertion.json")}, class: {body: sample("robotics-badge.json")}, issuer: {body: sample("organization.json")},
		})
	}
	ask := func(q core.BadgeQuery) core.Verdict { return web().verifier().Verify(t.Context(), q) }
	wantStatus(t, ask(core.BadgeQuery{Link: at, Recipient: "nobody@example.org"}), core.VerdictGenuine)
	wantStatus(t, ask(core.BadgeQuery{Link: at, Recipient: "somebody@example.org"}), core.VerdictOtherRecipient)
	wantStatus(t, ask(core.BadgeQuery{File: sample("basic-assertion.json")}), core.VerdictGenuine)
	wantStatus(t, ask(core.BadgeQuery{File: sample("simple-badge.png"), Recipient: "nobody@example.org"}), core.VerdictGenuine)
	wantStatus(t, ask(core.BadgeQuery{File: sample("robotics-badge.json")}), core.VerdictMalformed)
	wantStatus(t, ask(core.BadgeQuery{File: sample("organization.json")}), core.VerdictMalformed)

	// The key stands in the token itself, and its issuer cannot be asked.
	jwt := ask(core.BadgeQuery{File: sample("simple-jwt.png")})
	wantStatus(t, jwt, core.VerdictIssuerNotConfirmed)
	wantCheck(t, jwt, core.CheckSignature, core.CheckPassed)
	// Neither key nor key's name.
	wantStatus(t, ask(core.BadgeQuery{File: sample("simple.jwt")}), core.VerdictUnknown)
	if v := ask(core.BadgeQuery{File: sample("simple-eddsa-2022.json")}); v.Genuine() {
		t.Errorf("genuine: %+v", v)
	}
	// Every byte of a baked picture is covered by a checksum.
	for _, name := range []string{"simple-badge.png", "simple-jwt.png"} {
		data := sample(name)
		baked, err := unbakePNG(data)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(data)/400)
		for i := len(pngSignature); i < len(data); i += step {
			data[i] ^= 1
			if got, err := unbakePNG(data); err == nil && got == baked {
				t.Fatalf("%s: byte %d changed, and read all the same", name, i)
			}
			data[i] ^= 1
		}
	}
}

// Credly's documented assertion, with a class and an issuer in the same form.
func TestCredlySample(t *testing.T) {
	t.Parallel()
	raw := refdata.Read(t, "credly", "docs-examples", "obi_v2_badge_assertion.json")
	var a doc
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	delete(a, "expires")
	class, _ := a["badge"].(string)
	const issuer = "https://api.credly.com/v1/obi/v2/issuers/12b808a7-249d-42fe-a63d-30ffba7bb1fb"
	w := newWorld(map[string]page{
		a["id"].(string): {body: a},
		class:            {body: with(someClass(), doc{"id": class, "issuer": issuer, "criteria": doc{"id": "https://www.credly.com/org/x"}, "image": doc{"id": "https://images.credly.com/1.png"}})},
		issuer:           {body: with(someIssuer(), doc{"id": issuer})},
	})
	link := "https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9/public_url"
	wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: link, Recipient: "user1@example.com"}), core.VerdictGenuine)
	a["expires"] = "2016-04-01T14:41:00.000Z"
	wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: link}), core.VerdictExpired)
}
