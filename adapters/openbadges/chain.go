package openbadges

import (
	"maps"
	"slices"
)

// maxProofs is how many proofs of one document are looked at.
const maxProofs = 4

// embeddedProof judges the proofs of a document. One that fits is enough:
// https://www.imsglobal.org/spec/ob/v3p0#verification
func (s *session) embeddedProof(doc map[string]any) proof {
	all := each(doc["proof"])
	if len(all) == 0 {
		return proof{detail: "nobody signed it"}
	}
	set := &proofSet{s: s, bare: maps.Clone(doc)}
	delete(set.bare, "proof")
	for _, v := range all[:min(len(all), maxProofs)] {
		if p, ok := v.(map[string]any); ok {
			set.proofs = append(set.proofs, p)
		}
	}
	set.found = make([]*proof, len(set.proofs))
	return set.from(0)
}

// from returns the first proof that fits, from one on, or else the worst.
func (set *proofSet) from(first int) proof {
	worst := proof{detail: "its proof is of a kind that is not known"}
	for i := first; i < len(set.proofs); i++ {
		got := set.judge(i)
		if got.finding == proofFits {
			got.next = func() proof { return set.from(i + 1) }
			return got
		}
		// A proof that does not fit weighs more than one that is not known.
		if got.finding > worst.finding || worst.finding == proofUnknown && got.finding == proofUnknown {
			worst = got
		}
	}
	return worst
}

// proofSet is a document without its proofs, and what became of them.
type proofSet struct {
	s      *session
	bare   map[string]any
	proofs []map[string]any
	found  []*proof
}

// judge judges one proof, and those that it builds on: it covers them, and
// fits only if they do.
// https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains
func (set *proofSet) judge(i int) proof {
	if set.found[i] != nil {
		return *set.found[i]
	}
	// Until it is judged: a proof cannot build on itself.
	set.found[i] = &proof{finding: proofAltered, detail: "its proofs build on one another in a circle"}
	got := set.judgeOnce(i)
	set.found[i] = &got
	return got
}

func (set *proofSet) judgeOnce(i int) proof {
	p := set.proofs[i]
	if p["previousProof"] == nil {
		return set.s.oneProof(set.bare, p)
	}
	var before []any
	names := texts(p["previousProof"])
	if len(names) > maxProofs {
		// Whoever names one often would have it written as often.
		return proof{detail: "what its proof builds on cannot be read"}
	}
	for _, name := range names {
		j := slices.IndexFunc(set.proofs, func(p map[string]any) bool { return name != "" && id(p) == name })
		if j < 0 {
			return proof{finding: proofAltered, detail: "its proof builds on one that is not there"}
		}
		if got := set.judge(j); got.finding != proofFits {
			got.detail = "a proof that it builds on: " + got.detail
			return got
		}
		before = append(before, set.proofs[j])
	}
	if len(before) == 0 || len(names) != len(each(p["previousProof"])) {
		return proof{detail: "what its proof builds on cannot be read"}
	}
	covered := maps.Clone(set.bare)
	covered["proof"] = before
	return set.s.oneProof(covered, p)
}
