package openbadges

import (
	"slices"
	"strings"
)

// quad is one statement of canonical RDF: subject, predicate, object, and the
// graph that it is in, which may be empty. Each is written as in N-Quads:
// https://www.w3.org/TR/rdf-canon/#canonical-quads
type quad [4]string

// readQuads splits canonical N-Quads into statements.
func readQuads(canonical []byte) ([]quad, error) {
	var quads []quad
	for line := range strings.Lines(string(canonical)) {
		rest, ended := strings.CutSuffix(line, " .\n")
		var q quad
		var ok1, ok2 bool
		q[0], rest, ok1 = strings.Cut(rest, " ")
		q[1], rest, ok2 = strings.Cut(rest, " ")
		if !ended || !ok1 || !ok2 {
			return nil, errGraph
		}
		// A literal may hold blanks; behind its last quotation mark there
		// are none, except before the name of a graph.
		end := strings.LastIndexByte(rest, '"') + 1
		if space := strings.IndexByte(rest[end:], ' '); space >= 0 {
			if q[3] = rest[end+space+1:]; q[3] == "" {
				return nil, errGraph
			}
			rest = rest[:end+space]
		}
		q[2] = rest
		quads = append(quads, q)
	}
	return quads, nil
}

// line writes a statement.
func (q quad) line() string {
	if q[3] == "" {
		return q[0] + " " + q[1] + " " + q[2] + " .\n"
	}
	return q[0] + " " + q[1] + " " + q[2] + " " + q[3] + " .\n"
}

// renamed returns the statement with other names of nodes that have none.
func (q quad) renamed(name func(string) string) quad {
	for i, term := range q {
		if strings.HasPrefix(term, "_:") {
			q[i] = name(term)
		}
	}
	return q
}

// lines writes statements with other names, in order.
func lines(quads []quad, name func(string) string) []string {
	out := make([]string, len(quads))
	for i, q := range quads {
		out[i] = q.renamed(name).line()
	}
	slices.Sort(out)
	return out
}
