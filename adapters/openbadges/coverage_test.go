package openbadges

import (
	"crypto"
	"errors"
	"testing"
)

// prefixed knows one more context, which shortens addresses of example.org.
type prefixed struct{ ContextLoader }

const prefixURL = "https://example.org/prefix"

func (p prefixed) Context(address string) (any, error) {
	if address == prefixURL {
		return doc{"@context": doc{"ex": "https://example.org/credentials/"}}, nil
	}
	return p.ContextLoader.Context(address)
}

// A node is the same by its short name: what is moved there is found.
func TestNothingIsHiddenByShortNames(t *testing.T) {
	t.Parallel()
	v := New(Options{Contexts: prefixed{EmbeddedContexts()}})
	d := with(someCredential(), doc{
		"@context":       append(append([]any{}, someCredential()["@context"].([]any)...), prefixURL, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"),
		"refreshService": doc{"id": "ex:1", "type": []any{"1EdTechCredentialRefresh"}},
	})
	if _, err := v.rdf(plain(t, d), crypto.SHA256, someBudget()); err != nil {
		t.Fatal(err)
	}
	d["refreshService"] = doc{"id": "ex:1", "type": []any{"1EdTechCredentialRefresh", "VerifiableCredential"}, "validUntil": "2025-01-01T00:00:00Z"}
	if got, err := v.rdf(plain(t, d), crypto.SHA256, someBudget()); !errors.Is(err, errGraph) {
		t.Errorf("canonicalized, %v:\n%s", err, got)
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v    any
		want int
	}{
		{nil, 0},
		{"x", 1},
		{[]any{"x", nil, []any{1.0, true}}, 3},
		{doc{"@context": []any{"a", "b"}, "id": "x", "type": []any{"A", "B"}}, 3},
		{doc{"@value": "x", "@type": "y", "@language": "z"}, 1},
		{doc{"@value": nil, "@language": "z"}, 0},
		{doc{"@language": "z"}, 1},
		{doc{}, 0},
	} {
		if got := leaves(tt.v); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.v, got, tt.want)
		}
	}
}
