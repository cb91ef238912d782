package slacksim_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// quiet runs the tests and lets go of the connections that the clients keep
// for the next request.
type quiet struct{ *testing.M }

func (q quiet) Run() int {
	code := q.M.Run()
	http.DefaultClient.CloseIdleConnections()
	return code
}

func TestMain(m *testing.M) {
	// A request that is too large keeps its connection half a second longer.
	goleak.VerifyTestMain(quiet{m}, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
