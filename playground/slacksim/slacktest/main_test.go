package slacktest_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// quiet runs the tests and lets go of the connections that the client keeps
// for the next request.
type quiet struct{ *testing.M }

func (q quiet) Run() int {
	code := q.M.Run()
	http.DefaultClient.CloseIdleConnections()
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(quiet{m}) }
