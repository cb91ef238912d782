package openbadges

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// What the value of an ecdsa-sd-2023 proof begins with:
// https://www.w3.org/TR/vc-di-ecdsa/#selective-disclosure-functions
var (
	baseHeader    = []byte{0xd9, 0x5d, 0x00}
	derivedHeader = []byte{0xd9, 0x5d, 0x01}
)

// maxStatements is how many statements of one document may be signed each
// for itself.
const maxStatements = 1000

// hmacBytes is the length of the names that a holder is given for nodes.
const hmacBytes = 32

// derived is the value of a proof over what a holder disclosed.
type derived struct {
	_ struct{} `cbor:",toarray"`
	// BaseSignature is by the issuer, over the proof, PublicKey and what
	// must be disclosed.
	BaseSignature []byte
	// PublicKey made the other signatures, and was used for one badge only.
	PublicKey  []byte
	Signatures [][]byte
	// Labels are the names of nodes by their numbers.
	Labels map[uint64][]byte
	// Mandatory are the numbers of statements that must be disclosed.
	Mandatory []uint64
}

var (
	// errDerived says that the value of a proof is malformed.
	errDerived = errors.New("the value of its proof is malformed")
	// errBaseProof says that a proof is for the holder, who has to derive
	// another one from it.
	errBaseProof = errors.New("its proof is made for its holder only, and has to be derived from")
)

// readDerived reads the value of a derived proof within bounds.
func readDerived(raw []byte) (derived, error) {
	var d derived
	if bytes.HasPrefix(raw, baseHeader) {
		return d, errBaseProof
	}
	encoded, ok := bytes.CutPrefix(raw, derivedHeader)
	if !ok {
		return d, errDerived
	}
	return d, readCBOR(encoded, &d)
}

// readCBOR reads the value of a derived proof behind its mark within bounds.
func readCBOR(encoded []byte, into any) error {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 4, MaxArrayElements: maxStatements, MaxMapPairs: maxStatements,
	}.DecMode()
	if err != nil {
		return fmt.Errorf("prepare CBOR: %w", err)
	}
	if err := mode.Unmarshal(encoded, into); err != nil {
		return errDerived
	}
	return nil
}

// names returns how the nodes of a document are called in what was signed.
// Two nodes must not get one name: the document would say of two what was
// signed about one.
func (d derived) names() (map[string]string, error) {
	names, seen := map[string]string{}, map[string]bool{}
	for number, label := range d.Labels {
		name := "_:u" + base64.RawURLEncoding.EncodeToString(label)
		if len(label) != hmacBytes || seen[name] {
			return nil, errDerived
		}
		seen[name] = true
		names[fmt.Sprintf("_:c14n%d", number)] = name
	}
	return names, nil
}

// disclosedFits judges a derived proof over a document without its proofs:
// https://www.w3.org/TR/vc-di-ecdsa/#verify-derived-proof-ecdsa-sd-2023
func disclosedFits(bare, p map[string]any, raw []byte, kind suite, issuer scheme) (bool, error) {
	d, err := readDerived(raw)
	if err != nil {
		return false, err
	}
	holder, err := multicodecKey(d.PublicKey)
	if err != nil {
		return false, errDerived
	}
	single, ok := kind.scheme(holder)
	if !ok {
		return false, errDerived
	}
	config, doc, err := kind.configured(bare, p)
	if err != nil {
		return false, err
	}
	head, err := kind.canonical(config, issuer.hash)
	if err != nil {
		return false, err
	}
	names, err := d.names()
	if err != nil {
		return false, err
	}
	mandatory, other, err := statementsOf(doc, kind, issuer.hash, names, d.Mandatory)
	if err != nil {
		return false, err
	}
	base := slices.Concat(sum(issuer.hash, head), d.PublicKey, sum(issuer.hash, []byte(strings.Join(mandatory, ""))))
	if len(other) != len(d.Signatures) || !issuer.fits(base, d.BaseSignature) {
		return false, nil
	}
	for i, statement := range other {
		if !single.fits([]byte(statement), d.Signatures[i]) {
			return false, nil
		}
	}
	return true, nil
}

// statementsOf returns those of a document that must be disclosed, which are at
// the given places, and the others, as they were signed: with other names of
// nodes.
func statementsOf(doc map[string]any, kind suite, hash crypto.Hash, names map[string]string, first []uint64) (mandatory, other []string, err error) {
	canonical, err := kind.canonical(doc, hash)
	if err != nil {
		return nil, nil, err
	}
	quads, err := readQuads(canonical)
	if err != nil {
		return nil, nil, err
	}
	// A node that the proof does not name keeps its number, which nobody
	// signed.
	all := lines(quads, func(name string) string {
		if signed, ok := names[name]; ok {
			return signed
		}
		return name
	})
	wanted := make([]bool, len(all))
	for _, i := range first {
		if i >= uint64(len(all)) || wanted[i] {
			return nil, nil, errDerived
		}
		wanted[i] = true
	}
	for i, line := range all {
		if wanted[i] {
			mandatory = append(mandatory, line)
		} else {
			other = append(other, line)
		}
	}
	return mandatory, other, nil
}
