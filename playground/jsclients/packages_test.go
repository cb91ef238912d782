package jsclients

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPackagesArePinnedAndDocumented holds that every package is required by
// its exact version and has its reason in docs/dependencies.md.
func TestPackagesArePinnedAndDocumented(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var manifest struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(read("package.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	page := string(read(filepath.Join("..", "..", "docs", "dependencies.md")))
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for name, version := range manifest.Dependencies {
		if !exact.MatchString(version) {
			t.Errorf("%s is required as %q, which is no exact version", name, version)
		}
		if !strings.Contains(page, fmt.Sprintf("| `%s` | %s | ", name, version)) {
			t.Errorf("docs/dependencies.md has no row for %s %s", name, version)
		}
	}
	if len(manifest.Dependencies) == 0 {
		t.Error("package.json requires nothing")
	}
}
