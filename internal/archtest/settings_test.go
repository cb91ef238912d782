package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// setting is a field of a struct that is read from the environment.
type setting struct {
	name string
	// initial is its default; a switch is off.
	initial string
}

// settings lists what a Go file reads from the environment by tags.
func settings(t *testing.T, path string) []setting {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []setting
	ast.Inspect(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		text, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			t.Fatal(err)
		}
		tag := reflect.StructTag(text)
		if name := tag.Get("env"); name != "" {
			s := setting{name: name, initial: tag.Get("default")}
			if kind, ok := field.Type.(*ast.Ident); ok && kind.Name == "bool" && s.initial == "" {
				s.initial = "false"
			}
			found = append(found, s)
		}
		return true
	})
	return found
}

var quotedName = regexp.MustCompile("`([A-Z][A-Z0-9_]+)`")

// tabled returns, by name, the default that the README's table of settings
// shows: the cell as it is where the row is about several.
func tabled(t *testing.T, page string) map[string]string {
	t.Helper()
	_, table, ok := strings.Cut(page, "| Variable | Default | Meaning |\n")
	if !ok {
		t.Fatal("README.md has no table of settings")
	}
	found := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			break
		}
		for _, name := range quotedName.FindAllStringSubmatch(cells[1], -1) {
			found[name[1]] = strings.TrimSpace(cells[2])
		}
	}
	return found
}

var exampleLine = regexp.MustCompile(`^#?([A-Z][A-Z0-9_]+)=(.*)$`)

// exampled returns the values that the example of the environment file shows.
func exampled(page string) map[string][]string {
	found := map[string][]string{}
	for line := range strings.Lines(page) {
		if m := exampleLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			found[m[1]] = append(found[m[1]], m[2])
		}
	}
	return found
}

// TestEverySettingIsDocumented holds the README's table and the example of the
// environment file against the code: the same names, the same defaults.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	all := append(settings(t, filepath.Join(root, "cmd/bot/config.go")), settings(t, filepath.Join(root, "cmd/bot/main.go"))...)
	if len(all) < 20 {
		t.Fatalf("%d settings found: the code was not understood", len(all))
	}
	table, example := tabled(t, read(t, "README.md")), exampled(read(t, "deploy/laurel.env.example"))
	for _, s := range all {
		shown, ok := table[s.name]
		switch {
		case !ok:
			t.Errorf("README.md has no row for %s", s.name)
		case s.initial != "" && !strings.Contains(shown, "`"+s.initial+"`"):
			t.Errorf("README.md shows %q as the default of %s, which is %q", shown, s.name, s.initial)
		}
		values, ok := example[s.name]
		switch {
		case !ok:
			t.Errorf("deploy/laurel.env.example has no line for %s", s.name)
		case s.initial != "" && !slices.Contains(values, s.initial):
			t.Errorf("deploy/laurel.env.example shows %q as the default of %s, which is %q", values, s.name, s.initial)
		}
		delete(table, s.name)
		delete(example, s.name)
	}
	for name := range table {
		t.Errorf("README.md has a row for %s, which nothing reads", name)
	}
	for name := range example {
		t.Errorf("deploy/laurel.env.example has a line for %s, which nothing reads", name)
	}
}
