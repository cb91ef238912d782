package openbadges

import (
	"fmt"
	"regexp"
	"strings"
)

// errUncovered says that a document holds something of which RDF says
// nothing, so that no signature over RDF covers it.
var errUncovered = fmt.Errorf("%w: it holds something that no signature covers", errGraph)

// languageForm is a language tag as RDF writes it. The library drops
// statements with any other in silence.
var languageForm = regexp.MustCompile(`^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$`)

// covered makes sure that everything of an expanded document becomes a
// statement. What RDF cannot say, such as a node whose identifier is
// relative, is dropped in silence otherwise; then anybody could add it.
func covered(v any) error {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			if err := covered(inner); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, inner := range v {
			fits := true
			switch name {
			case "@id":
				fits = isIdentifier(inner)
			case "@type":
				for _, t := range each(inner) {
					fits = fits && isIdentifier(t)
				}
			case "@language":
				tag, ok := inner.(string)
				fits = ok && languageForm.MatchString(tag)
			case "@value", "@direction":
			case "@list", "@set", "@graph":
			default:
				fits = isURI(name) && !strings.HasPrefix(name, "_:")
			}
			if !fits {
				return errUncovered
			}
			if name != "@value" {
				if err := covered(inner); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// isIdentifier reports whether a value names a node, in full or for this
// document only.
func isIdentifier(v any) bool {
	s, ok := v.(string)
	return ok && (isURI(s) || strings.HasPrefix(s, "_:"))
}

// decisive are the properties on which a verdict rests. They are read where
// a credential or a proof begins.
var decisive = []string{
	modelTerms + "issuer", modelTerms + "credentialSubject", modelTerms + "credentialStatus", modelTerms + "validFrom",
	modelTerms + "validUntil", modelTerms + "issuanceDate", modelTerms + "expirationDate",
	"https://w3id.org/security#expiration", // Of a proof.
}

const modelTerms = "https://www.w3.org/2018/credentials#"

// saysElsewhere reports whether an expanded document has a second node with
// its own identifier that holds a decisive property. For RDF the two are one,
// so that what is moved from one to the other is signed still, and not read.
func saysElsewhere(v any, own string, top bool) bool {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			if saysElsewhere(inner, own, false) {
				return true
			}
		}
	case map[string]any:
		if !top && own != "" && id(v) == own {
			for _, name := range decisive {
				if _, there := v[name]; there {
					return true
				}
			}
		}
		for _, inner := range v {
			if saysElsewhere(inner, own, false) {
				return true
			}
		}
	}
	return false
}

// leaves counts what a document says, before or after its terms were spelled
// out: texts, numbers, truths, names. A value counts once, with its type and
// language, and contexts not at all. What the library leaves out on the way,
// such as a type that it takes for a keyword, is missing afterwards.
func leaves(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []any:
		n := 0
		for _, inner := range v {
			n += leaves(inner)
		}
		return n
	case map[string]any:
		if value, ok := v["@value"]; ok {
			return leaves(value)
		}
		n := 0
		for name, inner := range v {
			if name != "@context" {
				n += leaves(inner)
			}
		}
		return n
	default:
		return 1
	}
}

// countStatements counts the statements that an expanded document makes. The
// library drops in silence what it does not like, addresses for one whose
// host looks strange or that are long; then what it writes are fewer.
func countStatements(expanded []any) int {
	c := &statements{seen: map[[4]string]bool{}}
	for _, v := range expanded {
		c.node(v, "")
	}
	return len(c.seen)
}

// statements are those of a document: graph, subject, predicate and object.
type statements struct {
	seen  map[[4]string]bool
	nodes int
}

// fresh names a node that has no name.
func (c *statements) fresh() string {
	c.nodes++
	return fmt.Sprintf("#%d", c.nodes)
}

// node notes the statements about a node, and returns its name.
func (c *statements) node(v any, graph string) string {
	n, ok := v.(map[string]any)
	if !ok {
		return c.fresh()
	}
	name, ok := n["@id"].(string)
	if !ok {
		name = c.fresh()
	}
	for property, values := range n {
		switch property {
		case "@id":
		case "@graph":
			for _, inner := range each(values) {
				c.node(inner, name)
			}
		case "@type":
			for _, t := range each(values) {
				c.seen[[4]string{graph, name, property, fmt.Sprint(t)}] = true
			}
		default:
			for _, value := range each(values) {
				c.seen[[4]string{graph, name, property, c.object(value, graph)}] = true
			}
		}
	}
	return name
}

// object notes what a value says, and returns how it is told apart.
func (c *statements) object(v any, graph string) string {
	n, ok := v.(map[string]any)
	if !ok {
		return c.fresh()
	}
	if value, ok := n["@value"]; ok {
		return fmt.Sprintf("%q %q %q", fmt.Sprint(value), n["@type"], n["@language"])
	}
	items, ok := n["@list"]
	if !ok {
		return c.node(v, graph)
	}
	// Each item is a node with two statements: the item, and the next node.
	for _, item := range each(items) {
		cell := c.fresh()
		c.seen[[4]string{graph, cell, "first", c.object(item, graph)}] = true
		c.seen[[4]string{graph, cell, "rest", ""}] = true
	}
	return c.fresh()
}
