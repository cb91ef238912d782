package openbadges

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// errAlike says that too many nodes of a document are alike: to number them
// means to try their orders, of which there may be more than anybody can.
var errAlike = fmt.Errorf("%w: too many of its nodes are alike", errGraph)

// canonicalQuads numbers the nodes without names of a set of statements, and
// writes these in order: https://www.w3.org/TR/rdf-canon/#canon-algorithm.
// spend is asked before each step whether so much work may be done still; it
// is about as many names given out.
func canonicalQuads(quads []quad, hash crypto.Hash, spend func(work int) bool) ([]byte, error) {
	l := &labels{hash: hash, spend: spend, in: map[string][]quad{}, first: map[string]string{}, given: newNames("_:c14n")}
	for _, q := range quads {
		for i, term := range q {
			if isBlank(term) && !slices.Contains(q[:i], term) {
				l.in[term] = append(l.in[term], q)
			}
		}
	}
	alike := map[string][]string{}
	for node := range l.in {
		h := l.firstDegree(node)
		alike[h] = append(alike[h], node)
	}
	hashes := slices.Sorted(maps.Keys(alike))
	for _, h := range hashes {
		if len(alike[h]) == 1 {
			l.given.of(alike[h][0])
		}
	}
	for _, h := range hashes {
		if len(alike[h]) == 1 {
			continue
		}
		if err := l.giveAlike(alike[h]); err != nil {
			return nil, err
		}
	}
	return []byte(strings.Join(lines(quads, l.given.of), "")), nil
}

func isBlank(term string) bool { return strings.HasPrefix(term, "_:") }

// labels is a set of statements whose nodes are being numbered.
type labels struct {
	hash  crypto.Hash
	spend func(work int) bool
	// in are the statements that a node is in.
	in map[string][]quad
	// first are the hashes of the first degree that are known.
	first map[string]string
	given *names
}

// names are given to nodes in the order in which they are asked for.
type names struct {
	prefix string
	byNode map[string]string
	order  []string
}

func newNames(prefix string) *names { return &names{prefix: prefix, byNode: map[string]string{}} }

func (n *names) has(node string) bool { return n.byNode[node] != "" }

func (n *names) of(node string) string {
	if name := n.byNode[node]; name != "" {
		return name
	}
	name := fmt.Sprintf("%s%d", n.prefix, len(n.order))
	n.byNode[node] = name
	n.order = append(n.order, node)
	return name
}

func (n *names) clone() *names {
	return &names{prefix: n.prefix, byNode: maps.Clone(n.byNode), order: slices.Clone(n.order)}
}

func (l *labels) sum(text string) string { return hex.EncodeToString(sum(l.hash, []byte(text))) }

// firstDegree is the hash of what is said of a node, whoever the others are:
// https://www.w3.org/TR/rdf-canon/#hash-1d-quads
func (l *labels) firstDegree(node string) string {
	if h := l.first[node]; h != "" {
		return h
	}
	h := l.sum(strings.Join(lines(l.in[node], func(name string) string {
		if name == node {
			return "_:a"
		}
		return "_:z"
	}), ""))
	l.first[node] = h
	return h
}

// trail is how a node was told from those of which the same is said.
type trail struct {
	hash  string
	given *names
}

// giveAlike numbers nodes of which the same is said.
func (l *labels) giveAlike(nodes []string) error {
	var trails []trail
	for _, node := range slices.Sorted(slices.Values(nodes)) {
		if l.given.has(node) {
			continue
		}
		given := newNames("_:b")
		given.of(node)
		p, err := l.nDegree(node, given)
		if err != nil {
			return err
		}
		trails = append(trails, p)
	}
	slices.SortStableFunc(trails, func(a, b trail) int { return strings.Compare(a.hash, b.hash) })
	for _, p := range trails {
		for _, node := range p.given.order {
			l.given.of(node)
		}
	}
	return nil
}

// nDegree is the hash of a node by way of its neighbours:
// https://www.w3.org/TR/rdf-canon/#hash-nd-quads
func (l *labels) nDegree(node string, given *names) (trail, error) {
	if !l.spend(1 + len(l.in[node])) {
		return trail{}, errAlike
	}
	near := l.neighbours(node, given)
	var data strings.Builder
	for _, h := range slices.Sorted(maps.Keys(near)) {
		data.WriteString(h)
		var best trail
		err := permute(near[h], func(order []string) error {
			p, err := l.along(order, given, best.hash)
			if err == nil && p.given != nil && (best.given == nil || p.hash < best.hash) {
				best = p
			}
			return err
		})
		if err != nil {
			return trail{}, err
		}
		data.WriteString(best.hash)
		given = best.given
	}
	return trail{hash: l.sum(data.String()), given: given}, nil
}

// neighbours are the other nodes without names in the statements about a node,
// by how they are related to it: https://www.w3.org/TR/rdf-canon/#hash-related-blank-node
func (l *labels) neighbours(node string, given *names) map[string][]string {
	near := map[string][]string{}
	for _, q := range l.in[node] {
		for i, position := range [4]string{"s", "", "o", "g"} {
			other := q[i]
			if position == "" || !isBlank(other) || other == node {
				continue
			}
			text := position
			if position != "g" {
				text += q[1]
			}
			switch {
			case l.given.has(other):
				text += l.given.of(other)
			case given.has(other):
				text += given.of(other)
			default:
				text += l.firstDegree(other)
			}
			h := l.sum(text)
			near[h] = append(near[h], other)
		}
	}
	return near
}

// along is the trail along neighbours in one order; without names where it is
// no better than the best.
func (l *labels) along(order []string, given *names, best string) (trail, error) {
	if !l.spend(1 + len(given.order) + len(order)) {
		return trail{}, errAlike
	}
	p := trail{given: given.clone()}
	worse := func() bool { return best != "" && len(p.hash) >= len(best) && p.hash > best }
	var fresh []string
	for _, node := range order {
		if l.given.has(node) {
			p.hash += l.given.of(node)
		} else {
			if !p.given.has(node) {
				fresh = append(fresh, node)
			}
			p.hash += p.given.of(node)
		}
		if worse() {
			return trail{}, nil
		}
	}
	for _, node := range fresh {
		result, err := l.nDegree(node, p.given)
		if err != nil {
			return trail{}, err
		}
		p.hash += p.given.of(node) + "<" + result.hash + ">"
		p.given = result.given
		if worse() {
			return trail{}, nil
		}
	}
	return p, nil
}

// permute calls f with each order of nodes, which f does not keep.
func permute(nodes []string, f func(order []string) error) error {
	order := slices.Clone(nodes)
	var place func(i int) error
	place = func(i int) error {
		if i >= len(order)-1 {
			return f(order)
		}
		for j := i; j < len(order); j++ {
			order[i], order[j] = order[j], order[i]
			err := place(i + 1)
			order[i], order[j] = order[j], order[i]
			if err != nil {
				return err
			}
		}
		return nil
	}
	return place(0)
}
