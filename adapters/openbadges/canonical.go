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
// apart that have no name: trees are cheap, nodes that point at one another
// are not, so named ones that could are few.
const (
	maxGraphNodes = 500
	maxBlankNames = 8
	maxGraphBytes = 256 << 10
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
	g := &graph{}
	if err := g.look(doc, 0); err != nil {
		return nil, err
	}
	if !s.budget.graph(g.nodes) {
		return nil, fmt.Errorf("%w: too large, with the others", errGraph)
	}
	canonical, err := s.v.rdf(doc, hash)
	if err == nil {
		s.budget.remember(key, canonical)
	}
	return canonical, err
}

// rdf canonicalizes JSON-LD: https://www.w3.org/TR/rdf-canon/
func (v *Verifier) rdf(doc map[string]any, hash crypto.Hash) (canonical []byte, err error) {
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
	options.Algorithm = ld.AlgorithmURDNA2015
	options.Format = "application/n-quads"
	quads, err := processor.Normalize(expanded, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errGraph, ldReason(err))
	}
	text, ok := quads.(string)
	if !ok || text == "" {
		return nil, errGraph
	}
	if strings.Count(text, "\n") != countStatements(expanded) {
		return nil, errUncovered
	}
	if hash != crypto.SHA256 {
		// The library knows that one only.
		return relabeled([]byte(text), hash)
	}
	return []byte(text), nil
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
type graph struct{ nodes, blank, bytes int }

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
		if strings.HasPrefix(v, "_:") {
			g.blank++
		}
		g.bytes += len(v)
	}
	if g.blank > maxBlankNames || g.bytes > maxGraphBytes {
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
