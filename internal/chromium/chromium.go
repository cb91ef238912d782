// Package chromium starts the browser in which tests look at pages.
package chromium

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// EnvProgram names the environment variable that says where the browser's
// program is; without it that of Debian is used.
const EnvProgram = "LAUREL_CHROMIUM"

// closeWithin is how long the browser gets to end by itself.
const closeWithin = 10 * time.Second

// Program returns the path of the browser. Without one the test is skipped by
// name, or fails when CI=true, so that a complete run never passes by skipping.
func Program(tb testing.TB) string {
	tb.Helper()
	path := os.Getenv(EnvProgram)
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil { //nolint:gosec // Whoever runs the tests names the program.
		if os.Getenv("CI") == "true" {
			tb.Fatalf("Chromium is missing: set %s", EnvProgram)
		}
		tb.Skipf("Chromium is missing: set %s", EnvProgram)
	}
	return path
}

// Start starts a browser with a profile of its own, which ends with the test,
// and returns the context of its first tab. Without a browser see [Program].
func Start(tb testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	tb.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(Program(tb)), chromedp.UserDataDir(tb.TempDir()), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun,
	}
	// It asks for nothing of its own.
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(tb.Context()), append(options, more...)...)
	tb.Cleanup(cancel)
	// What the protocol's library cannot read of a newer browser is no news.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	tb.Cleanup(func() {
		defer cancel()
		// The browser has to be gone before its folder is.
		end, stop := context.WithTimeout(ctx, closeWithin)
		defer stop()
		if err := chromedp.Cancel(end); err != nil {
			tb.Logf("close browser: %v", err)
		}
	})
	return ctx
}
