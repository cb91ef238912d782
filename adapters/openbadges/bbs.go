package openbadges

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/expander"
)

// What the scheme BBS with SHA-256 is made of:
// https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-08.html#name-bls12-381-sha-256
const (
	bbsAPI         = "BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_"
	bbsScalarBytes = 32
	bbsPointBytes  = 48
	bbsKeyBytes    = 96
	bbsExpandBytes = 48
	bbsFirstPoint  = "a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d161b4e28c9"
	// maxBBSMessages is how many statements a signature may be over, those
	// that are not disclosed included.
	maxBBSMessages = 500
	// workPerMessage is what each of them takes, in the work of telling nodes
	// apart: a quarter of a millisecond.
	workPerMessage = 100
)

// blsKey is a public key on the curve BLS12-381.
type blsKey struct {
	raw   []byte
	point *bls12381.G2
}

// readBLSKey reads a compressed point that is in the right group.
func readBLSKey(raw []byte) (*blsKey, error) {
	point := new(bls12381.G2)
	if len(raw) != bbsKeyBytes || point.SetBytes(raw) != nil || point.IsIdentity() {
		return nil, errBase
	}
	return &blsKey{raw: slices.Clone(raw), point: point}, nil
}

// What the value of a bbs-2023 proof begins with, without any of its options:
// https://www.w3.org/TR/vc-di-bbs/#bbs-2023-functions
var (
	bbsBaseHeader    = []byte{0xd9, 0x5d, 0x02}
	bbsDerivedHeader = []byte{0xd9, 0x5d, 0x03}
)

// bbsDerived is the value of a bbs-2023 proof over what a holder disclosed.
type bbsDerived struct {
	_     struct{} `cbor:",toarray"`
	Proof []byte
	// Labels are the numbers of nodes in what was signed by those that they
	// have now.
	Labels map[uint64]uint64
	// Mandatory are the places of statements that must be disclosed;
	// Disclosed those that the others have among all that were signed.
	Mandatory, Disclosed []uint64
	Presentation         []byte
}

var (
	// errBBSOption says that a proof does more than showing statements, such
	// as binding its holder.
	errBBSOption = errors.New("its proof has options that are not understood")
	// errBBSLarge says that to check a proof would take too long.
	errBBSLarge = errors.New("its proof is over more statements than are checked")
)

// bbsDisclosedFits judges a derived proof over a document without its proofs:
// https://www.w3.org/TR/vc-di-bbs/#verify-derived-proof-bbs-2023
func bbsDisclosedFits(bare, p map[string]any, raw []byte, kind suite, made scheme) (bool, error) {
	if bytes.HasPrefix(raw, bbsBaseHeader) {
		return false, errBaseProof
	}
	encoded, ok := bytes.CutPrefix(raw, bbsDerivedHeader)
	if !ok {
		return false, errBBSOption
	}
	var d bbsDerived
	if err := readCBOR(encoded, &d); err != nil {
		return false, err
	}
	// Two nodes must not get one name, as in ecdsa-sd-2023.
	names, seen := map[string]string{}, map[uint64]bool{}
	for number, signed := range d.Labels {
		if seen[signed] {
			return false, errDerived
		}
		seen[signed] = true
		names[fmt.Sprintf("_:c14n%d", number)] = fmt.Sprintf("_:b%d", signed)
	}
	config, doc, err := kind.configured(bare, p)
	if err != nil {
		return false, err
	}
	head, err := kind.canonical(config, made.hash)
	if err != nil {
		return false, err
	}
	mandatory, other, err := statementsOf(doc, kind, made.hash, names, d.Mandatory)
	if err != nil {
		return false, err
	}
	hidden := (len(d.Proof)-3*bbsPointBytes)/bbsScalarBytes - 4
	if messages := len(other) + max(hidden, 0); messages > maxBBSMessages || !kind.spend(messages*workPerMessage) {
		return false, errBBSLarge
	}
	header := slices.Concat(sum(made.hash, head), sum(made.hash, []byte(strings.Join(mandatory, ""))))
	return bbsFits(kind.bbs, made.bbs, d.Proof, header, d.Presentation, other, d.Disclosed), nil
}

// bbsProof shows that its maker knows a signature over the disclosed messages
// and some others, without showing either.
type bbsProof struct {
	a, b, d *bls12381.G1
	// e, r1 and r3 hide the signature; hidden stand for the messages that
	// are not disclosed.
	e, r1, r3 *bls12381.Scalar
	hidden    []*bls12381.Scalar
	challenge *bls12381.Scalar
}

// readBBSProof reads a proof, each part of which must have one form only.
func readBBSProof(raw []byte) (p bbsProof, ok bool) {
	rest := len(raw) - 3*bbsPointBytes
	if rest < 4*bbsScalarBytes || rest%bbsScalarBytes != 0 || rest/bbsScalarBytes-4 > maxBBSMessages {
		return p, false
	}
	for i, point := range []**bls12381.G1{&p.a, &p.b, &p.d} {
		*point = new(bls12381.G1)
		if (*point).SetBytes(raw[i*bbsPointBytes:(i+1)*bbsPointBytes]) != nil || (*point).IsIdentity() {
			return p, false
		}
	}
	var scalars []*bls12381.Scalar
	for part := range slices.Chunk(raw[3*bbsPointBytes:], bbsScalarBytes) {
		s := new(bls12381.Scalar)
		if s.UnmarshalBinary(part) != nil || s.IsZero() == 1 {
			return p, false
		}
		scalars = append(scalars, s)
	}
	last := len(scalars) - 1
	p.e, p.r1, p.r3, p.hidden, p.challenge = scalars[0], scalars[1], scalars[2], scalars[3:last], scalars[last]
	return p, true
}

// bbsFits reports whether a proof was derived from a signature by that key
// over a header and messages, of which those at the given places are disclosed:
// https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-08.html#name-coreproofverify
func bbsFits(g *bbsGenerators, key *blsKey, raw, header, presentation []byte, disclosed []string, places []uint64) bool {
	p, ok := readBBSProof(raw)
	total := len(disclosed) + len(p.hidden)
	if !ok || len(disclosed) != len(places) || total > maxBBSMessages {
		return false
	}
	// In order, each once, none beyond the end.
	next := uint64(0)
	for _, place := range places {
		if place < next || place >= uint64(total) {
			return false
		}
		next = place + 1
	}
	first, points := g.of(total)
	domain := bbsDomain(key, first, points, header)

	sum1 := combined([]*bls12381.G1{p.b, p.a, p.d}, []*bls12381.Scalar{p.challenge, p.e, p.r1})
	base := bbsBase()
	base.Add(base, combined([]*bls12381.G1{first}, []*bls12381.Scalar{domain}))
	messages := make([]*bls12381.Scalar, len(places))
	for i, place := range places {
		messages[i] = bbsMessage(disclosed[i])
		base.Add(base, combined([]*bls12381.G1{points[place]}, messages[i:i+1]))
	}
	sum2 := combined([]*bls12381.G1{base, p.d}, []*bls12381.Scalar{p.challenge, p.r3})
	hidden := p.hidden
	for i, point := range points {
		if !slices.Contains(places, uint64(i)) {
			sum2.Add(sum2, combined([]*bls12381.G1{point}, hidden[:1]))
			hidden = hidden[1:]
		}
	}
	shown := []*bls12381.G1{p.a, p.b, p.d, sum1, sum2}
	if bbsChallenge(places, messages, shown, domain, presentation).IsEqual(p.challenge) != 1 {
		return false
	}
	paired := bls12381.ProdPairFrac([]*bls12381.G1{p.a, p.b}, []*bls12381.G2{key.point, bls12381.G2Generator()}, []int{1, -1})
	return paired.IsIdentity()
}

// bbsChallenge is the number that a prover cannot choose: it follows from all
// that the proof shows.
func bbsChallenge(places []uint64, messages []*bls12381.Scalar, shown []*bls12381.G1, domain *bls12381.Scalar, presentation []byte) *bls12381.Scalar {
	said := binary.BigEndian.AppendUint64(nil, uint64(len(places)))
	for i, place := range places {
		said = append(binary.BigEndian.AppendUint64(said, place), scalarBytes(messages[i])...)
	}
	for _, point := range shown {
		said = append(said, point.BytesCompressed()...)
	}
	said = append(said, scalarBytes(domain)...)
	return bbsScalar(append(binary.BigEndian.AppendUint64(said, uint64(len(presentation))), presentation...), "H2S_")
}

// bbsDomain ties a signature to its key, its header and how many messages it
// is over.
func bbsDomain(key *blsKey, first *bls12381.G1, points []*bls12381.G1, header []byte) *bls12381.Scalar {
	said := binary.BigEndian.AppendUint64(slices.Clone(key.raw), uint64(len(points)))
	said = append(said, first.BytesCompressed()...)
	for _, point := range points {
		said = append(said, point.BytesCompressed()...)
	}
	said = append(said, bbsAPI...)
	return bbsScalar(append(binary.BigEndian.AppendUint64(said, uint64(len(header))), header...), "H2S_")
}

// bbsBase is the point that every signature begins with.
func bbsBase() *bls12381.G1 {
	point := new(bls12381.G1)
	raw, err := hex.DecodeString(bbsFirstPoint)
	if err != nil || point.SetBytes(raw) != nil {
		panic("the first point of BBS is none")
	}
	return point
}

// bbsGenerators are the points of the scheme, which are the same for all
// signatures: made as far as they were needed.
type bbsGenerators struct {
	mu     sync.Mutex
	seed   []byte
	points []*bls12381.G1
}

// of returns the points for the domain and for so many messages.
func (g *bbsGenerators) of(messages int) (first *bls12381.G1, points []*bls12381.G1) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seed == nil {
		g.seed = bbsExpand([]byte(bbsAPI+"MESSAGE_GENERATOR_SEED"), "SIG_GENERATOR_SEED_")
	}
	for len(g.points) < messages+1 {
		g.seed = bbsExpand(binary.BigEndian.AppendUint64(g.seed, uint64(len(g.points)+1)), "SIG_GENERATOR_SEED_")
		point := new(bls12381.G1)
		point.Hash(g.seed, []byte(bbsAPI+"SIG_GENERATOR_DST_"))
		g.points = append(g.points, point)
	}
	return g.points[0], g.points[1 : messages+1 : messages+1]
}

func bbsExpand(data []byte, purpose string) []byte {
	return expander.NewExpanderMD(crypto.SHA256, []byte(bbsAPI+purpose)).Expand(data, bbsExpandBytes)
}

func bbsScalar(data []byte, purpose string) *bls12381.Scalar {
	s := new(bls12381.Scalar)
	s.SetBytes(bbsExpand(data, purpose))
	return s
}

func bbsMessage(text string) *bls12381.Scalar {
	return bbsScalar([]byte(text), "MAP_MSG_TO_SCALAR_AS_HASH_")
}

func scalarBytes(s *bls12381.Scalar) []byte {
	raw, err := s.MarshalBinary()
	if err != nil || len(raw) != bbsScalarBytes {
		panic("a number of BBS that cannot be written")
	}
	return raw
}

// combined is the sum of points, each as often as its number says.
func combined(points []*bls12381.G1, often []*bls12381.Scalar) *bls12381.G1 {
	total := new(bls12381.G1)
	total.SetIdentity()
	for i, point := range points {
		product := new(bls12381.G1)
		product.ScalarMult(often[i], point)
		total.Add(total, product)
	}
	return total
}
