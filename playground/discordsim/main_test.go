package discordsim_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that a closed simulator leaves nothing running, its gateway
// connections included.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
