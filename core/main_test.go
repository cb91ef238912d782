package core_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain keeps the random worlds few enough for every day: each is a
// database of its own. -rapid.checks=N asks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", "30"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
