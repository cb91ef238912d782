package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/laurelbot/laurel"

// root is the repository's root as seen from this package.
const root = "../.."

// source is one parsed Go file.
type source struct {
	path string // below the root
	test bool
	file *ast.File
	fset *token.FileSet
}

// at returns the place of a node for a message.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

// sources parses every Go file below dir, whatever its build constraints.
// Nested modules, test data and hidden folders are left out.
func sources(t *testing.T, dir string) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(dir, path)
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse source: %w", err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return fmt.Errorf("name source: %w", err)
		}
		found = append(found, source{
			path: filepath.ToSlash(rel),
			test: strings.HasSuffix(path, "_test.go"),
			file: file,
			fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// enter returns fs.SkipDir for folders that are no part of the module.
func enter(root, path string) error {
	if path == root {
		return nil
	}
	name := filepath.Base(path)
	if name == "testdata" || name == "vendor" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// importViolations lists the imports that the rules forbid.
func importViolations(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, s := range sources(t, dir) {
		pkg := "."
		if i := strings.LastIndexByte(s.path, '/'); i >= 0 {
			pkg = s.path[:i]
		}
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := judge(module, pkg, imported, s.test); why != "" {
				found = append(found, s.at(spec)+": "+why)
			}
		}
	}
	return found
}

// initFunctions lists the init functions outside tests: nothing works
// before main does.
func initFunctions(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, s := range sources(t, dir) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && !s.test && f.Recv == nil && f.Name.Name == "init" {
				found = append(found, s.at(f)+": init function")
			}
		}
	}
	return found
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, v := range importViolations(t, root) {
		t.Error(v)
	}
}

func TestNoInitFunctions(t *testing.T) {
	t.Parallel()
	for _, v := range initFunctions(t, root) {
		t.Error(v)
	}
}

// tree writes Go files into a fresh folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestForbiddenImportsAreFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		file     string
		imported string
		want     string // "" when the import is fine
	}{
		{"core knows no adapter", "core/a.go", module + "/adapters/slack", "core may not know adapters/slack"},
		{"core knows no room of its own", "core/a.go", module + "/core/chat", "core may not know core/chat"},
		{"core does no SQL", "core/a.go", "database/sql", "core is pure: no database/sql"},
		{"core does no HTTP", "core/a.go", "net/http/httptest", "core is pure: no net/http/httptest"},
		{"core takes no heavy library", "core/a.go", "golang.org/x/time/rate", "is not among its libraries"},
		{"core takes small libraries", "core/a.go", "golang.org/x/text/cases", ""},
		{"core takes the standard library", "core/a.go", "net/url", ""},
		{"core tests take property tests", "core/a_test.go", "pgregory.net/rapid", ""},
		{"core tests take the real store", "core/a_test.go", module + "/adapters/sqlstore", ""},
		{"core tests know no platform", "core/a_test.go", module + "/adapters/slack", "tests of core may not know adapters/slack"},
		{"a folder below core is core", "core/policy/a.go", module + "/core/chat", "core may not know core/chat"},
		{"chat knows core", "core/chat/a.go", module + "/core", ""},
		{"chat takes the catalogue", "core/chat/a.go", "github.com/nicksnyder/go-i18n/v2/i18n", ""},
		{"inbox takes no catalogue", "core/inbox/a.go", "github.com/nicksnyder/go-i18n/v2/i18n", "is not among its libraries"},
		{"inbox knows no cards", "core/inbox/a.go", module + "/core/chat", "core/inbox may not know core/chat"},
		{"delivery knows cards", "core/delivery/a.go", module + "/core/chat", ""},
		{"delivery knows no inbox", "core/delivery/a.go", module + "/core/inbox", "core/delivery may not know core/inbox"},
		{"adapters know core's rooms", "adapters/slack/a.go", module + "/core/delivery", ""},
		{"adapters know no other", "adapters/slack/a.go", module + "/adapters/discord", "adapters/slack may not know adapters/discord"},
		{"nor do their tests", "adapters/slack/a_test.go", module + "/adapters/discord", "tests of adapters/slack may not know adapters/discord"},
		{"adapters know no simulator", "adapters/slack/a.go", module + "/playground/slack", "adapters/slack may not know playground"},
		{"but their tests do", "adapters/slack/a_test.go", module + "/playground/slack", ""},
		{"only the store knows migrations", "adapters/sqlstore/a.go", module + "/migrations", ""},
		{"the pages do not", "adapters/web/a.go", module + "/migrations", "adapters/web may not know migrations"},
		{"an unnamed adapter needs a rule", "adapters/teams/a.go", "fmt", "belongs to no room"},
		{"the scheduler knows no store", "scheduler/a.go", module + "/adapters/sqlstore", "scheduler may not know adapters/sqlstore"},
		{"the playground knows no product", "playground/slack/a.go", module + "/core", "playground may not know core"},
		{"nor do its tests", "playground/slack/a_test.go", module + "/core", "tests of playground may not know core"},
		{"the playground knows itself", "playground/slack/a.go", module + "/playground/simclock", ""},
		{"the playground takes no client", "playground/slack/a.go", "github.com/slack-go/slack", "does not belong into playground"},
		{"its tests do", "playground/slack/a_test.go", "github.com/slack-go/slack", ""},
		{"cmd knows all", "cmd/bot/a.go", module + "/adapters/slack", ""},
		{"cmd takes no driver", "cmd/bot/a.go", "github.com/lib/pq", "does not belong into cmd"},
		{"slack-go in its adapter", "adapters/slack/a.go", "github.com/slack-go/slack/socketmode", ""},
		{"slack-go nowhere else", "adapters/web/a.go", "github.com/slack-go/slack", "does not belong into adapters/web"},
		{"discordgo nowhere else", "adapters/slack/a.go", "github.com/bwmarrin/discordgo", "does not belong into adapters/slack"},
		{"sqlx nowhere else", "scheduler/a.go", "github.com/jmoiron/sqlx", "does not belong into scheduler"},
		{"gocron nowhere else", "adapters/sqlstore/a.go", "github.com/go-co-op/gocron/v2", "does not belong into adapters/sqlstore"},
		{"test libraries only in tests", "adapters/web/a.go", "github.com/chromedp/chromedp", "does not belong into adapters/web"},
		{"adapters fetch through the guard", "adapters/openbadges/a.go", module + "/internal/fetch", ""},
		{"only the guard dials for them", "adapters/openbadges/a.go", "code.dny.dev/ssrf", "does not belong into adapters/openbadges"},
		{"tokens in their adapter", "adapters/web/a.go", "github.com/go-jose/go-jose/v4", "does not belong into adapters/web"},
		{"no helper of tests in the program", "adapters/sqlstore/a.go", module + "/internal/testpg", "adapters/sqlstore may not know internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, map[string]string{tt.file: "package a\n\nimport _ \"" + tt.imported + "\"\n"})
			got := importViolations(t, dir)
			if tt.want == "" {
				if len(got) > 0 {
					t.Fatalf("violations %q, want none", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.want) || !strings.HasPrefix(got[0], tt.file+":3: ") {
				t.Fatalf("violations %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestInitFunctionsAreFound(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"core/a.go":          "package a\n\nfunc init() {}\n",
		"core/b.go":          "package a\n\ntype b struct{}\n\nfunc (b) init() {}\n",
		"core/a_test.go":     "package a\n\nfunc init() {}\n",
		"core/testdata/a.go": "package a\n\nfunc init() {}\n",
		"tools/go.mod":       "module tools\n",
		"tools/a.go":         "package a\n\nfunc init() {}\n",
	})
	got := initFunctions(t, dir)
	if want := []string{"core/a.go:3: init function"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
