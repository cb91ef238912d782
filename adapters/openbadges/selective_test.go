package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/laurelbot/laurel/core"
)

// disclosure is what a proof over what a holder disclosed is made of.
type disclosure struct {
	value   derived
	doc     doc
	quads   []quad
	holder  *ecdsa.PrivateKey
	proof   doc
	issuer  crypto.Signer
	kind    suite
	demands func(statement string) bool
}

// disclose prepares a proof by which every statement is disclosed, those
// that demands chooses being mandatory.
func disclose(t testing.TB, d doc, issuer crypto.Signer, demands func(statement string) bool) *disclosure {
	t.Helper()
	holder, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &disclosure{doc: plain(t, d), holder: holder, issuer: issuer, demands: demands, proof: doc{
		"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "created": "2024-05-01T10:00:00Z",
		"proofPurpose": "assertionMethod", "verificationMethod": didOf(issuer),
	}}
	s := New(Options{}).session(t)
	x.kind, _ = s.suite(x.proof)
	canonical, err := x.kind.canonical(x.doc, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if x.quads, err = readQuads(canonical); err != nil {
		t.Fatal(err)
	}
	x.value.PublicKey = multicodecOf(holder)
	x.value.Labels = map[uint64][]byte{}
	for i := range uint64(strings.Count(string(canonical), "_:")) {
		label := make([]byte, hmacBytes)
		if _, err := rand.Read(label); err != nil {
			t.Fatal(err)
		}
		x.value.Labels[i] = label
	}
	return x.sign(t)
}

// sign makes all signatures.
func (x *disclosure) sign(t testing.TB) *disclosure {
	t.Helper()
	names, err := x.value.names()
	if err != nil {
		t.Fatal(err)
	}
	var mandatory string
	x.value.Mandatory, x.value.Signatures = nil, nil
	for i, line := range lines(x.quads, func(name string) string { return names[name] }) {
		if x.demands(line) {
			mandatory += line
			x.value.Mandatory = append(x.value.Mandatory, uint64(i))
		} else {
			x.value.Signatures = append(x.value.Signatures, signData(t, x.holder, crypto.SHA256, []byte(line)))
		}
	}
	config, _, err := x.kind.configured(x.doc, x.proof)
	if err != nil {
		t.Fatal(err)
	}
	head, err := x.kind.canonical(config, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	base := slices.Concat(sum(crypto.SHA256, head), x.value.PublicKey, sum(crypto.SHA256, []byte(mandatory)))
	x.value.BaseSignature = signData(t, x.issuer, crypto.SHA256, base)
	return x
}

// badge is the document with the proof.
func (x *disclosure) badge(t testing.TB) doc {
	t.Helper()
	return x.valued(t, append(append([]byte{}, derivedHeader...), encodeCBOR(t, x.value)...))
}

func (x *disclosure) valued(t testing.TB, raw []byte) doc {
	t.Helper()
	return with(x.doc, doc{"proof": with(x.proof, doc{"proofValue": "u" + base64.RawURLEncoding.EncodeToString(raw)})})
}

func encodeCBOR(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// someDemands are the statements about who issued what.
func someDemands(statement string) bool {
	return strings.Contains(statement, "credentials#issuer>") || strings.Contains(statement, "credentials#validFrom>") ||
		strings.Contains(statement, "OpenBadgeCredential")
}

func TestDisclosed(t *testing.T) {
	t.Parallel()
	k := testKeys()
	d := with(someCredential(), doc{"issuer": doc{"id": didOf(k.ec), "type": []any{"Profile"}}})
	x := disclose(t, d, k.ec, someDemands)
	v := verify(t, newWorld(nil), x.badge(t))
	wantStatus(t, v, core.VerdictGenuine)
	warned := false
	for _, c := range v.Checks {
		warned = warned || c.Name == core.CheckSignature && c.Result == core.CheckWarned
	}
	if !warned {
		t.Errorf("does not say that something may be missing: %+v", v.Checks)
	}
	everyTextAltered(t, newWorld(nil).verifier().session(t), x.badge(t))

	for name, change := range map[string]func(x *disclosure){
		"another name":             func(x *disclosure) { x.doc["name"] = "Another Badge" },
		"a statement more":         func(x *disclosure) { x.doc["description"] = "Added." },
		"a statement less":         func(x *disclosure) { delete(x.doc, "name") },
		"a demanded one less":      func(x *disclosure) { delete(x.doc, "validFrom") },
		"no base signature":        func(x *disclosure) { x.value.BaseSignature = nil },
		"short base signature":     func(x *disclosure) { x.value.BaseSignature = x.value.BaseSignature[:63] },
		"another key":              func(x *disclosure) { x.value.PublicKey = multicodecOf(k.ec) },
		"no key":                   func(x *disclosure) { x.value.PublicKey = nil },
		"a key of another curve":   func(x *disclosure) { x.value.PublicKey = multicodecOf(k.ec384) },
		"a signature less":         func(x *disclosure) { x.value.Signatures = x.value.Signatures[1:] },
		"a signature twice":        func(x *disclosure) { x.value.Signatures = append(x.value.Signatures, x.value.Signatures[0]) },
		"signatures swapped":       func(x *disclosure) { s := x.value.Signatures; s[0], s[1] = s[1], s[0] },
		"nothing mandatory":        func(x *disclosure) { x.value.Mandatory = nil },
		"more mandatory":           func(x *disclosure) { x.value.Mandatory = append(x.value.Mandatory, 0) },
		"mandatory twice":          func(x *disclosure) { x.value.Mandatory = append(x.value.Mandatory, x.value.Mandatory[0]) },
		"mandatory behind the end": func(x *disclosure) { x.value.Mandatory[0] = 1 << 40 },
		"no labels":                func(x *disclosure) { x.value.Labels = nil },
		"short label":              func(x *disclosure) { x.value.Labels[0] = x.value.Labels[0][:31] },
		"one label for two nodes":  func(x *disclosure) { x.value.Labels[0] = x.value.Labels[1] },
		"labels swapped":           func(x *disclosure) { l := x.value.Labels; l[0], l[1] = l[1], l[0] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *x
			own.doc = maps.Clone(x.doc)
			own.value.Labels = maps.Clone(x.value.Labels)
			own.value.Signatures, own.value.Mandatory = slices.Clone(x.value.Signatures), slices.Clone(x.value.Mandatory)
			change(&own)
			v := verify(t, newWorld(nil), own.badge(t))
			if v.Genuine() {
				t.Fatal("genuine")
			}
			wantCheck(t, v, core.CheckSignature, core.CheckFailed)
		})
	}
}

// What is not a value of such a proof, or costs more than one is worth.
func TestDisclosedValues(t *testing.T) {
	t.Parallel()
	k := testKeys()
	x := disclose(t, with(someCredential(), doc{"issuer": didOf(k.ec)}), k.ec, someDemands)
	good := encodeCBOR(t, x.value)
	list := func(v ...any) []byte { return encodeCBOR(t, v) }
	many := make([]uint64, maxStatements+1)
	for name, tt := range map[string]struct {
		raw  []byte
		want core.VerdictStatus
	}{
		"as it is":                  {good, core.VerdictGenuine},
		"nothing":                   {nil, core.VerdictAltered},
		"a number":                  {encodeCBOR(t, 1), core.VerdictAltered},
		"too few parts":             {list([]byte{1}), core.VerdictAltered},
		"too many parts":            {list([]byte{1}, []byte{1}, [][]byte{}, map[uint64][]byte{}, []uint64{}, 1), core.VerdictAltered},
		"parts of another kind":     {list("a", "b", "c", "d", "e"), core.VerdictAltered},
		"negative numbers":          {list([]byte{1}, []byte{1}, [][]byte{}, map[int][]byte{-1: {1}}, []int{-1}), core.VerdictAltered},
		"something behind":          {append(append([]byte{}, good...), 0), core.VerdictAltered},
		"cut off":                   {good[:len(good)-1], core.VerdictAltered},
		"long without an end":       {append([]byte{0x9f}, make([]byte, 100)...), core.VerdictAltered},
		"a huge list":               {[]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, core.VerdictAltered},
		"a huge text":               {[]byte{0x85, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, core.VerdictAltered},
		"too many statements":       {list(x.value.BaseSignature, x.value.PublicKey, x.value.Signatures, x.value.Labels, many), core.VerdictAltered},
		"deep":                      {append([]byte(strings.Repeat("\x81", 200)), 0), core.VerdictAltered},
		"a tag":                     {append([]byte{0xc1}, good...), core.VerdictAltered},
		"a label twice":             {append([]byte{0x85, 0x40, 0x40, 0x80, 0xa2, 0, 0x40, 0, 0x40}, 0x80), core.VerdictAltered},
		"labels that are texts":     {list(x.value.BaseSignature, x.value.PublicKey, x.value.Signatures, map[uint64]string{0: "c14n0"}, x.value.Mandatory), core.VerdictAltered},
		"mandatory in another kind": {list(x.value.BaseSignature, x.value.PublicKey, x.value.Signatures, x.value.Labels, map[uint64]uint64{}), core.VerdictAltered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := append(append([]byte{}, derivedHeader...), tt.raw...)
			wantStatus(t, verify(t, newWorld(nil), x.valued(t, raw)), tt.want)
		})
	}
	// The issuer's own proof says more than a verifier needs to know.
	wantStatus(t, verify(t, newWorld(nil), x.valued(t, append(append([]byte{}, baseHeader...), good...))), core.VerdictUnknown)
	wantStatus(t, verify(t, newWorld(nil), x.valued(t, good)), core.VerdictAltered)
	d := with(x.badge(t), doc{"proof": with(x.proof, doc{"proofValue": "z" + strings.Repeat("2", maxBase58Bytes)})})
	wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
	d = with(x.badge(t), doc{"proof": with(x.proof, doc{"proofValue": "u" + strings.Repeat("A", maxBaseBytes)})})
	wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
}
