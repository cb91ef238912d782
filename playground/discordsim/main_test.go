package discordsim_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that a closed simulator leaves nothing running, its gateway
// connections included.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// A request that is too large keeps its connection half a second longer.
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"),
		// discordgo, on a busy machine, may take a connection for dead while it
		// closes, and then nothing ends its trying.
		goleak.IgnoreAnyFunction("github.com/bwmarrin/discordgo.(*Session).reconnect"))
}
