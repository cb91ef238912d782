//go:build unix

package openbadges

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has computed so far. How busy the machine is
// with other things does not count.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
