// Command testsummary reads the output of go test -json from its standard
// input and prints one line per package, the whole output of every failure,
// the name of every skipped test, and last how many tests passed, failed and
// were skipped. It exits with status 1 when anything failed or nothing ran.
package main

import (
	"fmt"
	"os"
)

func main() {
	s := newSummary(os.Stdout)
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
	if !s.finish() {
		os.Exit(1)
	}
}
