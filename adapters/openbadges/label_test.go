package openbadges

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
)

// someBudget is what one verification may cost.
func someBudget() *budget { return &budget{most: maxFetches, mostNodes: 2 * maxGraphNodes} }

// Names that depend on the hash, as https://www.w3.org/TR/rdf-canon/ gives
// them: the statement with the lower hash comes first.
func TestNamesFollowTheHash(t *testing.T) {
	t.Parallel()
	first := func(hash crypto.Hash, object string) string {
		return hex.EncodeToString(sum(hash, []byte(`_:a <https://example.org/p> "`+object+"\" .\n")))
	}
	swapped := 0
	for i := range 20 {
		a, b := strings.Repeat("a", i+1), strings.Repeat("b _:c14n1 .", i+1)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
			names := []string{"_:c14n0", "_:c14n1"}
			if first(hash, a) > first(hash, b) {
				names = []string{"_:c14n1", "_:c14n0"}
				swapped++
			}
			want := lines([]quad{
				{names[0], "<https://example.org/p>", `"` + a + `"`, ""}, {names[1], "<https://example.org/p>", `"` + b + `"`, ""},
			}, func(name string) string { return name })
			got, err := canonicalOf("_:x <https://example.org/p> \""+a+"\" .\n_:y <https://example.org/p> \""+b+"\" .\n", hash)
			if err != nil || got != strings.Join(want, "") {
				t.Fatalf("%v: %s %v, want %s", hash, got, err, want)
			}
		}
	}
	if swapped == 0 || swapped == 40 {
		t.Errorf("%d of 40 were in the other order", swapped)
	}
	for _, text := range []string{"_:c14n0 <p>", "x .\n", "a b ."} {
		if got, err := canonicalOf(text, crypto.SHA384); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
	// A statement in a graph keeps it, and a literal its blanks.
	text := "<https://example.org/s> <https://example.org/p> \"a \\\"b\\\" c\"@en-GB _:c14n0 .\n"
	if got, err := canonicalOf(text, crypto.SHA384); err != nil || got != text {
		t.Errorf("%q became %q, %v", text, got, err)
	}
}

func canonicalOf(text string, hash crypto.Hash) (string, error) {
	quads, err := readQuads([]byte(text))
	if err != nil {
		return "", err
	}
	got, err := canonicalQuads(quads, hash, someBudget().work)
	return string(got), err
}

// Statements about a few nodes that are hard to tell apart are numbered as the
// library does, whatever the nodes were called before, and with another hash
// there is one form of them as well.
func TestCanonicalQuadsAgree(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	alike := 0
	for range 400 {
		blanks := 1 + random.IntN(5)
		term := func() string {
			if random.IntN(5) == 0 {
				return "<https://example.org/s>"
			}
			return fmt.Sprintf("_:n%d", random.IntN(blanks))
		}
		seen := map[string]bool{}
		for range 1 + random.IntN(8) {
			s, o, g := term(), term(), term()
			if s == o || g == s || g == o {
				continue // A node twice in one statement is counted twice by the library.
			}
			line := s + fmt.Sprintf(" <https://example.org/p%d> ", random.IntN(2)) + o
			if random.IntN(6) == 0 {
				line += " " + g
			}
			seen[line+" .\n"] = true
		}
		var text strings.Builder
		for line := range seen {
			text.WriteString(line)
		}
		options := ld.NewJsonLdOptions("")
		options.Algorithm, options.InputFormat, options.Format = ld.AlgorithmURDNA2015, "application/n-quads", "application/n-quads"
		want, err := ld.NewJsonLdProcessor().Normalize(text.String(), options)
		if err != nil {
			t.Fatal(err)
		}
		got, err := canonicalOf(text.String(), crypto.SHA256)
		if err != nil || got != want {
			t.Fatalf("%s\nbecame\n%s%v\nwant\n%s", text.String(), got, err, want)
		}
		long, err := canonicalOf(text.String(), crypto.SHA384)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, 0, 10)
		for i, n := range random.Perm(blanks) {
			names = append(names, fmt.Sprintf("_:n%d ", i), fmt.Sprintf("_:other%d ", n))
		}
		renamed := strings.NewReplacer(names...).Replace(text.String())
		if again, err := canonicalOf(renamed, crypto.SHA384); err != nil || again != long {
			t.Fatalf("%s\nbecame\n%s%v\nwant\n%s", renamed, again, err, long)
		}
		if strings.Contains(got, "_:c14n1") {
			alike++
		}
	}
	if alike < 100 {
		t.Errorf("only %d of them had several nodes", alike)
	}
}

// What would take for ever is given up; what is only large is not.
func TestAlikeNodes(t *testing.T) {
	t.Parallel()
	// So many nodes, each with so many below it, of which the same is said.
	tree := func(above, below int) string {
		var text strings.Builder
		for i := range above {
			fmt.Fprintf(&text, "<https://example.org/s> <https://example.org/p> _:a%d .\n", i)
			for j := range below {
				fmt.Fprintf(&text, "_:a%d <https://example.org/p> _:b%d-%d .\n", i, i, j)
			}
		}
		return text.String()
	}
	for _, tt := range []struct {
		above, below int
		fits         bool
	}{{1, 200, true}, {400, 1, true}, {2, 5, true}, {100, 3, true}, {2, 12, false}, {20, 20, false}, {2, 200, false}} {
		got, err := canonicalOf(tree(tt.above, tt.below), crypto.SHA256)
		if tt.fits != (err == nil) || err != nil && !errors.Is(err, errGraph) {
			t.Errorf("%d with %d each: %v", tt.above, tt.below, err)
		}
		if err == nil && strings.Count(got, "\n") != tt.above*(tt.below+1) {
			t.Errorf("%d with %d each: lost a statement", tt.above, tt.below)
		}
	}
}

func TestPermute(t *testing.T) {
	t.Parallel()
	for n, want := range []int{1, 1, 2, 6, 24} {
		nodes := []string{"a", "b", "c", "d"}[:n]
		seen := map[string]bool{}
		err := permute(nodes, func(order []string) error {
			seen[strings.Join(order, "")] = true
			return nil
		})
		if err != nil || len(seen) != want || !slices.IsSorted(nodes) {
			t.Errorf("%d: %v %v", n, seen, err)
		}
	}
	if err := permute([]string{"a", "b"}, func([]string) error { return errAlike }); !errors.Is(err, errAlike) {
		t.Error(err)
	}
}
