// Package refdata finds the official API descriptions and sample payloads
// that tests hold the code against. They are not part of the repository.
package refdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// EnvDir names the environment variable that says where the reference data
// lies; without it the folder shared/data beside the checkout is used.
const EnvDir = "LAUREL_REFERENCE_DATA"

// Path joins elem below the reference data folder. Where the folder is
// missing the test is skipped by name, or fails when CI=true, so that a
// complete run never passes by skipping.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	dir := os.Getenv(EnvDir)
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
		dir = filepath.Join(root, "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("reference data is missing: set %s", EnvDir)
		}
		tb.Skipf("reference data is missing: set %s", EnvDir)
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

// Read returns the content of a reference file, see Path.
func Read(tb testing.TB, elem ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(tb, elem...))
	if err != nil {
		tb.Fatalf("read reference data: %v", err)
	}
	return data
}
