package jsclients

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/laurelbot/laurel/internal/npm"
)

// TestMain fetches the packages once for all tests, and holds that nothing is
// left running.
func TestMain(m *testing.M) {
	npm.Warm(".")
	goleak.VerifyTestMain(m)
}
