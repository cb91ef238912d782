package discordsim_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that a closed simulator leaves nothing running, its gateway
// connections included.
func TestMain(m *testing.M) {
	// A request that is too large keeps its connection half a second longer.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
