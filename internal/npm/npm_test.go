package npm

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	for said, good := range map[string]bool{
		"v20.18.0\n": true, "v22.1.0\n": true, "v20.17.9\n": false, "v18.20.4\n": false, "20.18.0": false, "": false,
	} {
		if err := newEnough(said); (err == nil) != good {
			t.Errorf("%q: %v", said, err)
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := install(t.Context(), dir); err == nil {
		t.Error("a folder without package.json was installed")
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := install(t.Context(), dir); err == nil {
		t.Error("a folder without a lock file was installed")
	}
}
