// Command screenshots starts the playground, goes through it in a browser
// without a window and leaves the pictures of the README in docs/images:
//
//	go run ./playground/screenshots
//
// With -only and names, with commas between, it goes the same way and takes
// only these pictures.
//
// It needs Chromium, whose program LAUREL_CHROMIUM names, and is run from the
// top of the repository.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// within is how long everything may take.
const within = 3 * time.Minute

func main() {
	out := flag.String("out", filepath.Join("docs", "images"), "folder for the pictures")
	only := flag.String("only", "", "names of pictures to take, with commas between; all when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, within)
	err := run(ctx, *out, strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }))
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, only []string) error {
	if err := os.MkdirAll(out, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	address, stop, err := play(ctx)
	if err != nil {
		return err
	}
	defer stop()
	b, err := openBrowser(ctx, address, out)
	if err != nil {
		return err
	}
	defer b.close()
	b.story(only...)
	return b.err
}

var openAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// play starts the playground and returns the address of its page.
func play(ctx context.Context) (address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "laurel-screenshots-")
	if err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	remove := func() { _ = os.RemoveAll(dir) }
	program := filepath.Join(dir, "bot")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/bot") //nolint:gosec // the folder was made just now.
	if said, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build bot: %w: %s", err, said)
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, "playground", "--playground-addr", "127.0.0.1:0") //nolint:gosec // it was built just now.
	cmd.Stderr = os.Stderr
	stop = func() {
		cancel()
		// It was killed: what it says about that is no news.
		_ = cmd.Wait()
		remove()
	}
	said, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		remove()
		return "", nil, fmt.Errorf("start playground: %w", err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if at := openAt.FindString(lines.Text()); at != "" {
			return at, stop, nil
		}
	}
	stop()
	return "", nil, errors.Join(errors.New("the playground did not open"), lines.Err())
}

func chromium() string {
	if path := os.Getenv("LAUREL_CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

// openBrowser opens the page.
func openBrowser(ctx context.Context, address, out string) (*browser, error) {
	ctx, stopProgram := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(chromium()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	// What the protocol's library cannot read of a newer browser is no news.
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	b := &browser{ctx: ctx, out: out, at: address, close: func() {
		_ = chromedp.Cancel(ctx)
		stopTab()
		stopProgram()
	}}
	// The browser lives as long as the context of its first step.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(wide.width, wide.height)); err != nil {
		b.close()
		return nil, fmt.Errorf("start browser: %w", err)
	}
	b.home()
	if b.err != nil {
		b.close()
		return nil, b.err
	}
	return b, nil
}
