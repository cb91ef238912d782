package openbadges

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a JSON document. A value takes fifty times the memory that it
// takes as a text, and a badge leads to twenty documents: what people issue has
// a few hundred, and lists of revoked badges have many.
const (
	maxDepth      = 32
	maxValues     = 20_000
	maxListValues = 500_000
)

// errNotJSON says that a text is not the JSON object that was expected.
var errNotJSON = errors.New("not a JSON object")

// parseObject reads a JSON object within bounds. The bounds are checked
// before anything is built in memory.
func parseObject(data []byte, limit int) (map[string]any, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > limit:
		return nil, fmt.Errorf("%w: too large", errNotJSON)
	case !utf8.Valid(data):
		return nil, fmt.Errorf("%w: not UTF-8", errNotJSON)
	}
	if err := bound(data, limit > maxDocumentBytes); err != nil {
		return nil, err
	}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); err != nil || doc == nil {
		return nil, fmt.Errorf("%w: malformed", errNotJSON)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows it", errNotJSON)
	}
	return doc, nil
}

// bound counts how deep and how many values a JSON text holds. long texts
// are lists of states or of revoked badges.
func bound(data []byte, long bool) error {
	most := maxValues
	if long {
		most = maxListValues
	}
	depth, values, inside, escaped := 0, 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case inside && c == '\\':
			escaped = true
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			depth++
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',' || c == ':':
			values++
		}
		if depth > maxDepth {
			return fmt.Errorf("%w: nested too deep", errNotJSON)
		}
		if values > most {
			return fmt.Errorf("%w: too many values", errNotJSON)
		}
	}
	return nil
}

// object returns v as an object, or nil. An array of one is that one, as in
// JSON-LD.
func object(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) == 1 {
			return object(v[0])
		}
	}
	return nil
}

// text returns v as a text, or "". An array of one is that one.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) == 1 {
			return text(v[0])
		}
	}
	return ""
}

// isTrue reports whether v is true. An array of one is that one.
func isTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return len(v) == 1 && isTrue(v[0])
	}
	return false
}

// each returns the values of a property: none, one, or those of an array.
func each(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// texts returns those values of a property that are texts.
func texts(v any) []string {
	var found []string
	for _, one := range each(v) {
		if s, ok := one.(string); ok {
			found = append(found, s)
		}
	}
	return found
}

// id is the identifier of a node: id, or JSON-LD's own @id.
func id(node map[string]any) string {
	if s := text(node["id"]); s != "" {
		return s
	}
	return text(node["@id"])
}

// ref is what a property points at: an address, or the id of the node that
// stands there.
func ref(v any) string {
	if s := text(v); s != "" {
		return s
	}
	if node := object(v); node != nil {
		return id(node)
	}
	return ""
}

// types are the types of a node.
func types(node map[string]any) []string {
	if t := texts(node["type"]); len(t) > 0 {
		return t
	}
	return texts(node["@type"])
}

// isA reports whether a node has one of the types.
func isA(node map[string]any, wanted ...string) bool {
	for _, t := range types(node) {
		for _, w := range wanted {
			if t == w {
				return true
			}
		}
	}
	return false
}

// words joins texts for a detail.
func words(list []string) string { return strings.Join(list, ", ") }
