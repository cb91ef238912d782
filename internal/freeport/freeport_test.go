package freeport

import (
	"net"
	"strconv"
	"testing"
)

// A port can be listened on and lies outside the range that the system hands
// out by itself.
func TestPortsAreFree(t *testing.T) {
	t.Parallel()
	for range 50 {
		port, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if port < first || port >= 32768 {
			t.Fatalf("port %d", port)
		}
		var listen net.ListenConfig
		l, err := listen.Listen(t.Context(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
