package openbadges

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/piprate/json-gold/ld"
)

// Bounds of what is canonicalized as RDF. Its cost is that of telling nodes
// apart that have no name, see [canonicalQuads], and that of the library, which
// compares each value of a property with all others and reads contexts as often
// as they are named.
const (
	maxGraphNodes    = 500
	maxGraphValues   = maxGraphNodes * valuesPerNode
	maxGraphContexts = 64
	maxBlankNames    = 8
	maxGraphBytes    = 256 << 10
	// maxQuadBytes bounds what a document is as statements.
	maxQuadBytes = 2 << 20
	// valuesPerNode and workPerNode are what comes with each node that a
	// verification may canonicalize: texts, numbers and truths, and how much
	// may be tried to tell it from others.
	valuesPerNode = 6
	workPerNode   = 200
)

// errGraph says that a document is not one that is canonicalized as RDF.
var errGraph = errors.New("not a document that can be canonicalized")

// rdf canonicalizes JSON-LD within what one verification may cost, and each
// document once, however many proofs it has.
func (s *session) rdf(doc map[string]any, hash crypto.Hash) ([]byte, error) {
	plain, err := jcs(doc)
	if err != nil {
		return nil, err
	}
	key := hash.String() + string(sum(crypto.SHA256, plain))
	if canonical, ok := s.budget.canonical(key); ok {
		return canonical, nil
	}
	canonical, err := s.v.rdf(doc, hash, s.budget)
	if err == nil {
		s.budget.remember(key, canonical)
	}
	return canonical, err
}

// rdf canonicalizes JSON-LD within a budget: https://www.w3.org/TR/rdf-canon/
func (v *Verifier) rdf(doc map[string]any, hash crypto.Hash, b *budget) (canonical []byte, err error) {
	defer func() {
		// The library was written for documents of friends.
		if problem := recover(); problem != nil {
			canonical, err = nil, errGraph
		}
	}()
	g := &graph{}
	if err := g.look(doc, 0); err != nil {
		return nil, err
	}
	if !b.graph(g.nodes, g.values) {
		return nil, fmt.Errorf("%w: too large, with the others", errGraph)
	}
	options := ld.NewJsonLdOptions("")
	options.ProcessingMode = ld.JsonLd_1_1
	options.DocumentLoader = loader{v.contexts}
	// What no context defines would not be covered by the signature. It is
	// an error, so that nothing is shown that anybody could have added.
	options.SafeMode = true
	processor := ld.NewJsonLdProcessor()
	expanded, err := processor.Expand(ld.CloneDocument(doc), options)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errGraph, ldReason(err))
	}
	if leaves(doc) != leaves(expanded) {
		return nil, errUncovered
	}
	for _, node := range expanded {
		if err := covered(node); err != nil {
			return nil, err
		}
		if saysElsewhere(node, ref(node), true) {
			return nil, fmt.Errorf("%w: it says in another place what belongs to its beginning", errGraph)
		}
	}
	options.SafeMode = false
	quads, err := quadsOf(processor, expanded, options)
	if err != nil {
		return nil, err
	}
	switch len(quads) {
	case 0:
		return nil, errGraph
	case countStatements(expanded):
		return canonicalQuads(quads, hash, b.work)
	default:
		return nil, errUncovered
	}
}

// quadsOf turns an expanded document into statements.
func quadsOf(processor *ld.JsonLdProcessor, expanded []any, options *ld.JsonLdOptions) ([]quad, error) {
	made, err := processor.ToRDF(expanded, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errGraph, ldReason(err))
	}
	dataset, ok := made.(*ld.RDFDataset)
	if !ok {
		return nil, errGraph
	}
	// A name that is written once stands in each statement about its node.
	size := 0
	for graph, statements := range dataset.Graphs {
		for _, q := range statements {
			if size += len(q.Subject.GetValue()) + len(q.Predicate.GetValue()) + len(q.Object.GetValue()) + len(graph); size > maxQuadBytes {
				return nil, fmt.Errorf("%w: too large", errGraph)
			}
		}
	}
	var text bytes.Buffer
	if err := (&ld.NQuadRDFSerializer{}).SerializeTo(&text, dataset); err != nil {
		return nil, errGraph
	}
	return readQuads(text.Bytes())
}

// ldReason is the code of an error of JSON-LD, without the values in it.
func ldReason(err error) string {
	var known *errUnknownContext
	if errors.As(err, &known) {
		return known.Error()
	}
	var coded *ld.JsonLdError
	if errors.As(err, &coded) {
		if inner, ok := coded.Details.(error); ok && errors.As(inner, &known) {
			return known.Error()
		}
		return string(coded.Code)
	}
	return "JSON-LD error"
}

// graph looks through a document for what makes canonicalization dear, or a
// signature cover something else than what is read.
type graph struct{ nodes, values, contexts, blank, bytes int }

func (g *graph) look(v any, depth int) error {
	switch v := v.(type) {
	case map[string]any:
		if g.nodes++; g.nodes > maxGraphNodes || depth > maxDepth {
			return fmt.Errorf("%w: too large", errGraph)
		}
		for name, inner := range v {
			g.bytes += len(name)
			switch {
			case name == "@id", name == "@type", name == "@value", name == "@language":
			case strings.HasPrefix(name, "@") && name != "@context", strings.Contains(name, ":"):
				// The same statement by another name would be signed as
				// well, and not be read: the end of a badge, for one.
				return fmt.Errorf("%w: it uses the name %s", errGraph, shown(name))
			case name == "@context":
				// Terms of one's own could give a property another meaning
				// than the one it is read with.
				for _, c := range each(inner) {
					if _, ok := c.(string); !ok {
						return fmt.Errorf("%w: it defines terms of its own", errGraph)
					}
					g.contexts++
				}
			}
			if err := g.look(inner, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, inner := range v {
			if err := g.look(inner, depth+1); err != nil {
				return err
			}
		}
	case string:
		if isBlank(v) {
			g.blank++
		}
		g.values++
		g.bytes += len(v)
	default:
		g.values++
	}
	if g.blank > maxBlankNames || g.bytes > maxGraphBytes || g.values > maxGraphValues || g.contexts > maxGraphContexts {
		return fmt.Errorf("%w: too large", errGraph)
	}
	return nil
}

// loader gives known contexts to the library, and no other document.
type loader struct{ contexts ContextLoader }

// LoadDocument returns a known context.
func (l loader) LoadDocument(address string) (*ld.RemoteDocument, error) {
	doc, err := l.contexts.Context(address)
	if err != nil {
		return nil, ld.NewJsonLdError(ld.LoadingRemoteContextFailed, err)
	}
	return &ld.RemoteDocument{DocumentURL: address, Document: doc}, nil
}

// jcs canonicalizes JSON: https://www.rfc-editor.org/rfc/rfc8785
func jcs(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := writeJCS(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writeJCS(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errNotJSON
		}
		if v == 0 {
			v = 0 // Minus zero is written as zero.
		}
		// encoding/json writes numbers as ECMAScript does.
		number, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(number)
	case string:
		writeText(b, v)
	case []any:
		b.WriteByte('[')
		for i, inner := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJCS(b, inner); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, compareUTF16)
		b.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, name)
			b.WriteByte(':')
			if err := writeJCS(b, v[name]); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		return errNotJSON
	}
	return nil
}

// compareUTF16 orders names by their UTF-16 code units, as RFC 8785 demands.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func writeText(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if c < ' ' {
				fmt.Fprintf(b, `\u%04x`, c)
				continue
			}
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
}
