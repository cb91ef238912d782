package archtest

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testName matches the name of a test or fuzz target.
var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)

// missingTests lists the tests that a page names and nobody knows.
func missingTests(page string, known map[string]bool) []string {
	var missing []string
	for _, name := range testName.FindAllString(page, -1) {
		if !known[name] && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// untested lists the rows of a page's tables that name no test, although the
// table has a column for tests, its last one.
func untested(page string) []string {
	var found []string
	wanted := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case !strings.HasPrefix(line, "|"):
			wanted = false
		case last == "Tests":
			wanted = true
		case wanted && strings.Trim(last, "-") != "" && !testName.MatchString(last), wanted && last == "":
			found = append(found, line)
		}
	}
	return found
}

func TestSecurityPageNamesItsTests(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range sources(t, root) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	page := read(t, "docs/security.md")
	for _, name := range missingTests(page, known) {
		t.Errorf("docs/security.md names %s, which is no test", name)
	}
	for _, row := range untested(page) {
		t.Errorf("docs/security.md claims without a test: %s", row)
	}
	if n := len(testName.FindAllString(page, -1)); n < 50 {
		t.Errorf("docs/security.md names only %d tests: it was not understood", n)
	}
}

func TestMissingTests(t *testing.T) {
	t.Parallel()
	page := "a (TestOne)\n\n| Claim | Tests |\n|---|---|\n| x | TestOne, FuzzTwo |\n| y | |\n| z | none |\n\n| A | B |\n|---|---|\n| w | |\n"
	if got, want := missingTests(page, map[string]bool{"TestOne": true}), []string{"FuzzTwo"}; !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
	if got, want := untested(page), []string{"| y | |", "| z | none |"}; !slices.Equal(got, want) {
		t.Errorf("untested %q, want %q", got, want)
	}
}
