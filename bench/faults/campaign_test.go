package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// The short form of the campaign is part of all tests: the bot is built as
// for a release, and everything around it is private to this test.
func TestShortCampaign(t *testing.T) {
	t.Parallel()
	missing := unavailable(t)
	if missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	o := options{Options: rig.Options{Short: true, Kills: shortKills, Source: filepath.Join("..", "..")}}
	var out bytes.Buffer
	err := run(ctx, o, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
}

// unavailable says what this machine lacks, if anything.
func unavailable(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return "the campaign needs Linux"
	}
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		return ""
	}
	if _, err := exec.LookPath("initdb"); err != nil {
		return "the campaign needs the programs of a PostgreSQL server"
	}
	return ""
}

func TestEveryFaultHasANumberAndItsWords(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, f := range campaign() {
		if f.Name() == "" || f.Criterion() == "" || slices.Contains(seen, f.number) {
			t.Errorf("%s: no name, no criterion, or a number that comes twice", f.number)
		}
		seen = append(seen, f.number)
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	all, err := chosen(options{})
	if err != nil || len(all) != len(campaign()) {
		t.Errorf("%d faults, %v", len(all), err)
	}
	short, err := chosen(options{Options: rig.Options{Short: true}})
	if err != nil || len(short) == 0 || len(short) >= len(all) {
		t.Errorf("%d faults in the short form, %v", len(short), err)
	}
	two, err := chosen(options{only: "f5, F3"})
	if err != nil || len(two) != 2 || two[0].number != "F5" || two[1].number != "F3" {
		t.Errorf("chosen: %v, %v", two, err)
	}
	if _, err := chosen(options{only: "F99"}); err == nil {
		t.Error("an unknown fault was taken")
	}
}

func TestBusiest(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1_700_000_000, 0)
	var calls []discordCall
	for _, at := range []int{0, 100, 200, 1050, 1150, 1250, 5000} {
		calls = append(calls, discordCall{at: begin.Add(time.Duration(at) * time.Millisecond)})
	}
	if got := busiest(calls, 1100*time.Millisecond); got != 4 {
		t.Errorf("got %d, want 4", got)
	}
}

func TestNeutral(t *testing.T) {
	t.Parallel()
	a := neutral(`{"text":"sent to Ada@Example.org","id":"code:0190-1"}`, "ada@example.org")
	b := neutral(`{"text":"sent to bruno@example.org","id":"code:0190-2"}`, "bruno@example.org")
	if a != b {
		t.Errorf("%q and %q differ", a, b)
	}
	if c := neutral(`{"text":"never sent"}`, "x@example.org"); c == a {
		t.Error("different cards are the same")
	}
}
