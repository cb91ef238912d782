// Package npm gives tests that drive other people's JavaScript the packages
// that a lock file pins. They never lie in the source tree: they are installed
// once into the user's cache, by the content of the lock file.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// installWithin limits the installation of the packages.
const installWithin = 3 * time.Minute

// The oldest version of Node.js on which the packages run; scripts/test knows
// it too.
const oldestMajor, oldestMinor = 20, 18

// Project returns a new folder with the scripts (*.mjs) of the folder dir and
// the packages that its package-lock.json pins; scripts of packages are not
// run. Where Node.js or npm is missing the test is skipped by name, or fails
// when CI=true, so that a complete run never passes by skipping.
func Project(tb testing.TB, dir string) string {
	tb.Helper()
	if err := ready(tb.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("look for Node.js: %v", err)
		}
		tb.Skipf("look for Node.js: %v", err)
	}
	packages, err := install(tb.Context(), dir)
	if err != nil {
		tb.Fatalf("install packages: %v", err)
	}
	folder := tb.TempDir()
	scripts, err := filepath.Glob(filepath.Join(dir, "*.mjs"))
	if err != nil {
		tb.Fatalf("list scripts: %v", err)
	}
	for _, script := range append(scripts, filepath.Join(dir, "package.json")) {
		if err := copyFile(filepath.Join(folder, filepath.Base(script)), script); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.Symlink(packages, filepath.Join(folder, "node_modules")); err != nil {
		tb.Fatalf("link packages: %v", err)
	}
	return folder
}

// Warm installs the packages that Project will ask for, so that tests which
// begin together do not all do so. What goes wrong, Project tells.
func Warm(dir string) {
	ctx := context.Background()
	if ready(ctx) == nil {
		_, _ = install(ctx, dir)
	}
}

var version = regexp.MustCompile(`^v(\d+)\.(\d+)\.`)

// ready tells what is missing.
func ready(ctx context.Context) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("find npm: %w", err)
	}
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("ask node for its version: %w", err)
	}
	return newEnough(string(out))
}

func newEnough(said string) error {
	m := version.FindStringSubmatch(said)
	if m == nil {
		return fmt.Errorf("read version %q", said)
	}
	major, errMajor := strconv.Atoi(m[1])
	minor, errMinor := strconv.Atoi(m[2])
	if errMajor != nil || errMinor != nil || major < oldestMajor || major == oldestMajor && minor < oldestMinor {
		return fmt.Errorf("use node %s: %d.%d or newer is needed", m[0], oldestMajor, oldestMinor)
	}
	return nil
}

// install returns the folder of the packages, which it makes when it is not
// there yet. Several processes may do so at the same time: the first wins.
func install(ctx context.Context, dir string) (string, error) {
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		sum.Write(data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "laurel", "npm")
	folder := filepath.Join(cache, hex.EncodeToString(sum.Sum(nil)[:12]))
	packages := filepath.Join(folder, "node_modules")
	if _, err := os.Stat(packages); err == nil {
		return packages, nil
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", fmt.Errorf("make cache: %w", err)
	}
	fresh, err := os.MkdirTemp(cache, "fresh-")
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(fresh) //nolint:errcheck // Once it is renamed there is nothing to remove.
	for _, name := range []string{"package.json", "package-lock.json"} {
		if err := copyFile(filepath.Join(fresh, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	within, cancel := context.WithTimeout(ctx, installWithin)
	defer cancel()
	cmd := exec.CommandContext(within, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("run npm ci: %w: %s", err, out)
	}
	if err := os.Rename(fresh, folder); err != nil && !exists(packages) {
		return "", fmt.Errorf("keep packages: %w", err)
	}
	return packages, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(from), err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil { //nolint:gosec // Both folders are the test's own.
		return fmt.Errorf("write %s: %w", filepath.Base(to), err)
	}
	return nil
}
