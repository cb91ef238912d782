package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// event is one line of go test -json. See https://pkg.go.dev/cmd/test2json
// and, for build events, https://pkg.go.dev/cmd/go ("go help buildjson").
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// unit is a test of a package, or with an empty test the package itself.
type unit struct{ pkg, test string }

// summary gathers the events of one run.
type summary struct {
	out     io.Writer
	output  map[unit][]string   // what each running unit printed so far
	build   map[string][]string // what the compiler said, by import path
	running map[string][]string // tests without a verdict, by package
	failed  map[string]int      // failed tests, by package

	passed, failures, skips int
	skipped                 []string
	packages                int
}

func newSummary(out io.Writer) *summary {
	return &summary{
		out:     out,
		output:  make(map[unit][]string),
		build:   make(map[string][]string),
		running: make(map[string][]string),
		failed:  make(map[string]int),
	}
}

// read takes in events until the end of r. Lines that are no events are
// printed as they are.
func (s *summary) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				s.take(e)
			} else {
				s.print(string(line))
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
}

func (s *summary) take(e event) {
	u := unit{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		s.build[e.ImportPath] = append(s.build[e.ImportPath], e.Output)
	case "output":
		s.output[u] = append(s.output[u], e.Output)
	case "run":
		s.running[e.Package] = append(s.running[e.Package], e.Test)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(e)
		}
		delete(s.output, u)
	}
}

func (s *summary) endTest(e event) {
	s.running[e.Package] = slices.DeleteFunc(s.running[e.Package], func(name string) bool { return name == e.Test })
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skips++
		s.skipped = append(s.skipped, e.Package+" "+e.Test+reason(s.output[unit{e.Package, e.Test}]))
	case "fail":
		s.fail(e.Package, e.Test)
	}
}

// fail counts a failed test and prints what it said.
func (s *summary) fail(pkg, test string) {
	s.failures++
	s.failed[pkg]++
	s.print(fmt.Sprintf("--- FAIL: %s %s\n", pkg, test))
	s.print(s.output[unit{pkg, test}]...)
}

func (s *summary) endPackage(e event) {
	s.packages++
	elapsed := time.Duration(e.Elapsed * float64(time.Second)).Round(10 * time.Millisecond)
	switch e.Action {
	case "pass":
		s.print(fmt.Sprintf("ok    %s  %s\n", e.Package, elapsed))
	case "fail":
		// A panic or the time limit leaves tests without a verdict.
		for _, test := range s.running[e.Package] {
			s.fail(e.Package, test)
		}
		if s.failed[e.Package] == 0 {
			s.failures++
		}
		s.print(s.build[e.FailedBuild]...)
		s.print(s.output[unit{e.Package, ""}]...)
		s.print(fmt.Sprintf("FAIL  %s  %s\n", e.Package, elapsed))
	}
	delete(s.running, e.Package)
}

// finish prints the end of the summary and reports whether the run is good.
func (s *summary) finish() bool {
	if len(s.skipped) > 0 {
		slices.Sort(s.skipped)
		s.print("\nskipped:\n")
		for _, name := range s.skipped {
			s.print("  " + name + "\n")
		}
	}
	// A run that was cut short has tests without a verdict.
	for pkg, tests := range s.running {
		for _, test := range tests {
			s.fail(pkg, test)
		}
	}
	s.print(fmt.Sprintf("\n%d passed, %d failed, %d skipped\n", s.passed, s.failures, s.skips))
	return s.failures == 0 && s.packages > 0
}

func (s *summary) print(text ...string) {
	for _, t := range text {
		// Nothing sensible can be done when the terminal is gone.
		_, _ = io.WriteString(s.out, t)
	}
}

// reason returns what a skipped test gave as its reason: the last line it
// wrote before the framework's own.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "=== ") {
			return ": " + line
		}
	}
	return ""
}
