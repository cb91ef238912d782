package openbadges

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/ecc/bls12381"
	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// The first points of the scheme, as its draft lists them.
func TestBBSGenerators(t *testing.T) {
	t.Parallel()
	var g bbsGenerators
	first, points := g.of(2)
	for i, want := range []string{
		"a9ec65b70a7fbe40c874c9eb041c2cb0a7af36ccec1bea48fa2ba4c2eb67ef7f9ecb17ed27d38d27cdeddff44c8137be",
		"98cd5313283aaf5db1b3ba8611fe6070d19e605de4078c38df36019fbaad0bd28dd090fd24ed27f7f4d22d5ff5dea7d4",
		"a31fbe20c5c135bcaa8d9fc4e4ac665cc6db0226f35e737507e803044093f37697a9d452490a970eea6f9ad6c3dcaa3a",
	} {
		if got := hex.EncodeToString(append([]*bls12381.G1{first}, points...)[i].BytesCompressed()); got != want {
			t.Errorf("point %d is %s", i, got)
		}
	}
	if _, more := g.of(5); len(more) != 5 || !more[1].IsEqual(points[1]) {
		t.Error("more points are others")
	}
}

func someScalar(t testing.TB) *bls12381.Scalar {
	t.Helper()
	s := new(bls12381.Scalar)
	if err := s.Random(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return s
}

func product(a, b *bls12381.Scalar) *bls12381.Scalar {
	p := new(bls12381.Scalar)
	p.Mul(a, b)
	return p
}

// plus is a + bc.
func plus(a, b, c *bls12381.Scalar) *bls12381.Scalar {
	p := product(b, c)
	p.Add(p, a)
	return p
}

// minus is a - bc.
func minus(a, b, c *bls12381.Scalar) *bls12381.Scalar {
	p := product(b, c)
	p.Sub(a, p)
	return p
}

// bbsPair is a key with its secret.
type bbsPair struct {
	secret     *bls12381.Scalar
	key        *blsKey
	generators *bbsGenerators
}

func newBBSPair(t testing.TB) bbsPair {
	t.Helper()
	p := bbsPair{secret: someScalar(t), generators: &bbsGenerators{}}
	point := new(bls12381.G2)
	point.ScalarMult(p.secret, bls12381.G2Generator())
	var err error
	if p.key, err = readBLSKey(point.BytesCompressed()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p bbsPair) did() string {
	return "did:key:u" + base64.RawURLEncoding.EncodeToString(append([]byte(blsPrefix), p.key.raw...))
}

// prove signs messages and derives a proof that discloses those at places.
func (p bbsPair) prove(t testing.TB, header, presentation []byte, messages []string, places []uint64) []byte {
	t.Helper()
	first, points := p.generators.of(len(messages))
	domain := bbsDomain(p.key, first, points, header)
	base := bbsBase()
	base.Add(base, combined([]*bls12381.G1{first}, []*bls12381.Scalar{domain}))
	all := make([]*bls12381.Scalar, len(messages))
	for i, m := range messages {
		all[i] = bbsMessage(m)
		base.Add(base, combined(points[i:i+1], all[i:i+1]))
	}
	e, r1, r2, e2, r12, r32 := someScalar(t), someScalar(t), someScalar(t), someScalar(t), someScalar(t), someScalar(t)
	inverse := new(bls12381.Scalar)
	inverse.Add(p.secret, e)
	inverse.Inv(inverse)
	signature := combined([]*bls12381.G1{base}, []*bls12381.Scalar{inverse})

	d := combined([]*bls12381.G1{base}, []*bls12381.Scalar{r2})
	a := combined([]*bls12381.G1{signature}, []*bls12381.Scalar{product(r1, r2)})
	negative := new(bls12381.Scalar)
	negative.Set(e)
	negative.Neg()
	b := combined([]*bls12381.G1{d, a}, []*bls12381.Scalar{r1, negative})
	sum1 := combined([]*bls12381.G1{a, d}, []*bls12381.Scalar{e2, r12})
	sum2 := combined([]*bls12381.G1{d}, []*bls12381.Scalar{r32})
	var shown, hidden, blind []*bls12381.Scalar
	for i := range messages {
		if slices.Contains(places, uint64(i)) {
			shown = append(shown, all[i])
			continue
		}
		hidden, blind = append(hidden, all[i]), append(blind, someScalar(t))
		sum2.Add(sum2, combined(points[i:i+1], blind[len(blind)-1:]))
	}
	c := bbsChallenge(places, shown, []*bls12381.G1{a, b, d, sum1, sum2}, domain, presentation)
	r3 := new(bls12381.Scalar)
	r3.Inv(r2)
	parts := []*bls12381.Scalar{plus(e2, e, c), minus(r12, r1, c), minus(r32, r3, c)}
	for i := range hidden {
		parts = append(parts, plus(blind[i], hidden[i], c))
	}
	raw := slices.Concat(a.BytesCompressed(), b.BytesCompressed(), d.BytesCompressed())
	for _, s := range append(parts, c) {
		raw = append(raw, scalarBytes(s)...)
	}
	return raw
}

func TestBBSProof(t *testing.T) {
	t.Parallel()
	p := newBBSPair(t)
	header, presentation := []byte("header"), []byte("to whom")
	all := []string{"a", "b", "c", "d", "e"}
	shown, places := []string{"b", "e"}, []uint64{1, 4}
	raw := p.prove(t, header, presentation, all, places)
	if !bbsFits(p.generators, p.key, raw, header, presentation, shown, places) {
		t.Fatal("a good proof does not fit")
	}
	if none := p.prove(t, nil, nil, nil, nil); !bbsFits(p.generators, p.key, none, nil, nil, nil, nil) {
		t.Error("a proof of nothing does not fit")
	}
	whole := p.prove(t, header, nil, all, []uint64{0, 1, 2, 3, 4})
	if !bbsFits(p.generators, p.key, whole, header, nil, all, []uint64{0, 1, 2, 3, 4}) {
		t.Error("a proof of everything does not fit")
	}
	for i := 0; i < len(raw); i += 31 { // Each takes a while; parts are as long as 32 and 48.
		changed := slices.Clone(raw)
		changed[i] ^= 1
		if bbsFits(p.generators, p.key, changed, header, presentation, shown, places) {
			t.Errorf("byte %d changed, and fits", i)
		}
	}
	fits := func(key *blsKey, raw, header, presentation []byte, shown []string, places ...uint64) bool {
		return bbsFits(p.generators, key, raw, header, presentation, shown, places)
	}
	infinity := make([]byte, bbsPointBytes)
	infinity[0] = 0xc0
	for name, fit := range map[string]bool{
		"another key":          fits(newBBSPair(t).key, raw, header, presentation, shown, 1, 4),
		"another header":       fits(p.key, raw, []byte("x"), presentation, shown, 1, 4),
		"another presentation": fits(p.key, raw, header, nil, shown, 1, 4),
		"another message":      fits(p.key, raw, header, presentation, []string{"b", "d"}, 1, 4),
		"another order":        fits(p.key, raw, header, presentation, []string{"e", "b"}, 4, 1),
		"another place":        fits(p.key, raw, header, presentation, shown, 1, 3),
		"a place twice":        fits(p.key, raw, header, presentation, []string{"b", "b"}, 1, 1),
		"a place beyond":       fits(p.key, raw, header, presentation, shown, 1, 5),
		"a message less":       fits(p.key, raw, header, presentation, shown[:1], 1),
		"more places":          fits(p.key, raw, header, presentation, shown, 1, 2, 4),
		"cut off":              fits(p.key, raw[:len(raw)-1], header, presentation, shown, 1, 4),
		"a number less":        fits(p.key, raw[:len(raw)-32], header, presentation, shown, 1, 4),
		"a number more":        fits(p.key, append(slices.Clone(raw), raw[len(raw)-32:]...), header, presentation, shown, 1, 4),
		"nothing":              fits(p.key, nil, nil, nil, nil),
		"points at infinity":   fits(p.key, slices.Concat(infinity, infinity, infinity, raw[144:]), header, presentation, shown, 1, 4),
		"numbers of nothing":   fits(p.key, slices.Concat(raw[:144], make([]byte, len(raw)-144)), header, presentation, shown, 1, 4),
		"numbers too large":    fits(p.key, slices.Concat(raw[:144], []byte(strings.Repeat("\xff", len(raw)-144))), header, presentation, shown, 1, 4),
		"too many":             fits(p.key, append(slices.Clone(raw), make([]byte, 32*maxBBSMessages)...), header, presentation, shown, 1, 4),
	} {
		if fit {
			t.Errorf("%s: fits", name)
		}
	}
	for _, own := range [][]byte{nil, p.key.raw[1:], append(slices.Clone(p.key.raw), 0), make([]byte, bbsKeyBytes), append([]byte{0xc0}, make([]byte, bbsKeyBytes-1)...)} {
		if _, err := readBLSKey(own); err == nil {
			t.Errorf("key %x is read", own)
		}
	}
}

// bbsBadge discloses all of a badge but two statements, which are signed as
// well; edit changes what the proof says.
func bbsBadge(t testing.TB, p bbsPair, edit func(*bbsDerived)) doc {
	t.Helper()
	d := plain(t, with(someCredential(), doc{"issuer": doc{"id": p.did(), "type": []any{"Profile"}}}))
	proof := doc{"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofPurpose": "assertionMethod", "verificationMethod": p.did()}
	kind, _ := New(Options{}).session(t).suite(proof)
	canonical, err := kind.canonical(d, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	value := bbsDerived{Labels: map[uint64]uint64{}, Presentation: []byte("once")}
	names := map[string]string{}
	nodes := uint64(strings.Count(string(canonical), "_:"))
	for i := range nodes {
		value.Labels[i] = nodes - i
		names[fmt.Sprintf("_:c14n%d", i)] = fmt.Sprintf("_:b%d", nodes-i)
	}
	quads, err := readQuads(canonical)
	if err != nil {
		t.Fatal(err)
	}
	var mandatory string
	all := []string{"hidden at the beginning"}
	for i, line := range lines(quads, func(name string) string { return names[name] }) {
		if someDemands(line) {
			mandatory += line
			value.Mandatory = append(value.Mandatory, uint64(i))
			continue
		}
		value.Disclosed = append(value.Disclosed, uint64(len(all)))
		all = append(all, line)
	}
	config, _, err := kind.configured(d, proof)
	if err != nil {
		t.Fatal(err)
	}
	head, err := kind.canonical(config, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	header := slices.Concat(sum(crypto.SHA256, head), sum(crypto.SHA256, []byte(mandatory)))
	value.Proof = p.prove(t, header, value.Presentation, append(all, "hidden at the end"), value.Disclosed)
	if edit != nil {
		edit(&value)
	}
	raw := append(slices.Clone(bbsDerivedHeader), encodeCBOR(t, value)...)
	return with(d, doc{"proof": with(proof, doc{"proofValue": "u" + base64.RawURLEncoding.EncodeToString(raw)})})
}

func TestBBSDisclosed(t *testing.T) {
	t.Parallel()
	p := newBBSPair(t)
	good := bbsBadge(t, p, nil)
	v := verify(t, newWorld(nil), good)
	wantStatus(t, v, core.VerdictGenuine)
	if !slices.ContainsFunc(v.Checks, func(c core.Check) bool { return c.Name == core.CheckSignature && c.Result == core.CheckWarned }) {
		t.Errorf("does not say that something may be missing: %+v", v.Checks)
	}

	proof := good["proof"].(doc)
	valued := func(raw []byte) doc {
		return with(good, doc{"proof": with(proof, doc{"proofValue": "u" + base64.RawURLEncoding.EncodeToString(raw)})})
	}
	other := newBBSPair(t)
	k := testKeys()
	for _, tt := range []struct {
		name string
		d    doc
		want core.VerdictStatus
	}{
		{"another name", with(good, doc{"name": "Another Badge"}), core.VerdictAltered},
		{"a statement less", with(good, doc{"name": nil}), core.VerdictAltered},
		{"a statement more", with(good, doc{"description": "Added."}), core.VerdictAltered},
		{"a node under another's name", bbsBadge(t, p, func(d *bbsDerived) { d.Labels[0] = d.Labels[1] }), core.VerdictAltered},
		{"other names", bbsBadge(t, p, func(d *bbsDerived) { d.Labels[0], d.Labels[1] = d.Labels[1], d.Labels[0] }), core.VerdictAltered},
		{"no names", bbsBadge(t, p, func(d *bbsDerived) { d.Labels = nil }), core.VerdictAltered},
		{"less that is mandatory", bbsBadge(t, p, func(d *bbsDerived) { d.Mandatory = d.Mandatory[1:] }), core.VerdictAltered},
		{"mandatory beyond the end", bbsBadge(t, p, func(d *bbsDerived) { d.Mandatory[0] = 1 << 40 }), core.VerdictAltered},
		{"places beyond the end", bbsBadge(t, p, func(d *bbsDerived) { d.Disclosed[0] = 1 << 63 }), core.VerdictAltered},
		{"another presentation", bbsBadge(t, p, func(d *bbsDerived) { d.Presentation = nil }), core.VerdictAltered},
		{"the issuer's own proof", valued(append(slices.Clone(bbsBaseHeader), encodeCBOR(t, []any{[]byte{1}})...)), core.VerdictUnknown},
		{"bound to a holder", valued(append([]byte{0xd9, 0x5d, 0x05}, encodeCBOR(t, []any{[]byte{1}})...)), core.VerdictUnknown},
		{"more than is checked", bbsBadge(t, p, func(d *bbsDerived) { d.Proof = append(d.Proof, make([]byte, bbsScalarBytes*maxBBSMessages)...) }), core.VerdictUnknown},
		{"no value", valued(slices.Clone(bbsDerivedHeader)), core.VerdictAltered},
		{"a key of another kind", with(good, doc{"proof": with(proof, doc{"verificationMethod": didOf(k.ed)})}), core.VerdictUnknown},
		{"another's key", with(good, doc{"proof": with(proof, doc{"verificationMethod": other.did()})}), core.VerdictAltered},
	} {
		if v := verify(t, newWorld(nil), tt.d); v.Status != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, v.Status, v.Reason, tt.want)
		}
	}
	// Such a key makes no other proof, and signs no token.
	text := token(t, claimsOf(doc{"issuer": p.did(), "iss": p.did()}), jose.EdDSA, k.ed, doc{"kid": p.did()})
	wantStatus(t, newWorld(nil).verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictUnknown)
	wantStatus(t, verify(t, newWorld(nil), prove(t, someCredential(), "eddsa-rdfc-2022", k.ed, p.did(), nil)), core.VerdictUnknown)
	if sameKey(p.key, other.key) || !sameKey(p.key, p.key) || sameKey(p.key, k.ed.Public()) || sameKey(k.ed.Public(), p.key) {
		t.Error("keys are taken for one another")
	}
}

// However many proofs a verification meets, what they take together is bounded.
func TestBBSWorkIsCounted(t *testing.T) {
	t.Parallel()
	p := newBBSPair(t)
	// As many statements as are checked, most of which are not disclosed.
	d := bbsBadge(t, p, func(d *bbsDerived) { d.Proof = append(d.Proof, make([]byte, bbsScalarBytes*(maxBBSMessages-60))...) })
	s := newWorld(nil).verifier().session(t)
	s.budget.mostNodes = 2 * maxGraphNodes
	checked := 0
	for range 20 {
		proof := d["proof"].(doc)
		kind, ok := s.suite(proof)
		if !ok {
			t.Fatal("bbs-2023 is not known")
		}
		raw, err := base64.RawURLEncoding.DecodeString(text(proof["proofValue"])[1:])
		if err != nil {
			t.Fatal(err)
		}
		_, err = bbsDisclosedFits(with(d, doc{"proof": nil}), proof, raw, kind, scheme{hash: crypto.SHA256, bbs: p.key})
		switch {
		case errors.Is(err, errBBSLarge):
		case err != nil:
			t.Fatal(err)
		default:
			checked++
		}
	}
	if checked == 0 || checked > 5 {
		t.Errorf("%d of 20 were checked", checked)
	}
}
