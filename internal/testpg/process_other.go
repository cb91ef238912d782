//go:build !unix

package testpg

import (
	"fmt"
	"os/exec"
)

// Private servers need Unix processes and signals; elsewhere only a running
// server helps.

func detach(*exec.Cmd) error {
	return fmt.Errorf("%w: no private servers on this system", errUnavailable)
}

func handOver(string) error { return nil }

func suspend(int) error { return errUnavailable }

func resume(int) error { return errUnavailable }
