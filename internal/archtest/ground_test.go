package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestChecksRunTheTests(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(read(t, ".ci/run")) {
		if strings.TrimSpace(line) == "scripts/test" {
			return
		}
	}
	t.Error(".ci/run does not call scripts/test")
}

func TestREADMEHasExactlyTwoCommands(t *testing.T) {
	t.Parallel()
	got := shellCommands(read(t, "README.md"))
	slices.Sort(got)
	if want := []string{"go run ./cmd/bot playground", "scripts/test"}; !slices.Equal(got, want) {
		t.Errorf("README.md has the commands %q, want %q", got, want)
	}
}

// shellCommands returns the lines of a page's shell blocks, without comments
// and prompts.
func shellCommands(page string) []string {
	shells := []string{"", "sh", "bash", "shell", "console"}
	var commands []string
	inside, shell := false, false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if language, fence := strings.CutPrefix(line, "```"); fence {
			inside = !inside
			shell = inside && slices.Contains(shells, language)
			continue
		}
		line = strings.TrimPrefix(line, "$ ")
		if shell && line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}

func TestShellCommands(t *testing.T) {
	t.Parallel()
	page := "text\n```sh\n# comment\n$ one\n\n two \n```\nnot this\n```go\nnor this\n```\n```\nthree\n```\n"
	if got, want := shellCommands(page), []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("shellCommands = %q, want %q", got, want)
	}
}

// requirement matches a direct requirement of a go.mod file.
var requirement = regexp.MustCompile(`^(?:require )?\t?(\S+) (v\S+)$`)

// requirements returns the direct requirements of a go.mod file as
// "module version".
func requirements(file string) []string {
	var found []string
	for line := range strings.Lines(file) {
		if m := requirement.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			found = append(found, m[1]+" "+m[2])
		}
	}
	return found
}

// documented returns the rows of the page's tables as "module version".
func documented(page string) []string {
	var found []string
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		name, version := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if strings.HasPrefix(version, "v") && strings.TrimSpace(cells[3]) != "" && strings.TrimSpace(cells[4]) != "" {
			found = append(found, strings.Trim(name, "`")+" "+version)
		}
	}
	return found
}

func TestEveryDependencyIsDocumented(t *testing.T) {
	t.Parallel()
	required := requirements(read(t, "go.mod"))
	if len(required) == 0 {
		t.Fatal("go.mod requires nothing: it was not understood")
	}
	page := documented(read(t, "docs/dependencies.md"))
	for _, r := range required {
		if !slices.Contains(page, r) {
			t.Errorf("docs/dependencies.md has no complete row for %s", r)
		}
	}
	tools := read(t, "tools/go.mod")
	for _, p := range page {
		if !slices.Contains(required, p) && !strings.Contains(tools, "\t"+p+" // indirect\n") && !strings.Contains(tools, "\t"+p+"\n") {
			t.Errorf("docs/dependencies.md has a row for %s, which nothing requires", p)
		}
	}
}

func TestRequirements(t *testing.T) {
	t.Parallel()
	file := "module m\n\ngo 1.26.0\n\nrequire (\n\ta.example/x v1.0.0\n\tb.example/y v2.0.0 // indirect\n)\n\nrequire c.example/z v0.1.0\n"
	want := []string{"a.example/x v1.0.0", "c.example/z v0.1.0"}
	if got := requirements(file); !slices.Equal(got, want) {
		t.Errorf("requirements = %q, want %q", got, want)
	}
	page := "| Module | Version | Licence | Reason |\n|---|---|---|---|\n| `a.example/x` | v1.0.0 | MIT | speed |\n| `b` | v1 |  | none |\n"
	if got, want := documented(page), []string{"a.example/x v1.0.0"}; !slices.Equal(got, want) {
		t.Errorf("documented = %q, want %q", got, want)
	}
}
