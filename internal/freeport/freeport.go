// Package freeport finds ports for servers that are started by address, as
// other programs are: the port is looked for first and listened on later.
//
// A port that the system hands out may be handed out again in between. So
// these lie below the range from which systems take the ports of outgoing
// connections and of listeners on port 0: 32768 on Linux
// (https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range).
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	first = 10_000
	count = 10_000
	tries = 200
)

var errNone = errors.New("find free port: none is free")

// Take returns a port of 127.0.0.1 on which nobody listens, or an error when
// none is found.
func Take() (int, error) {
	for range tries {
		port := first + rand.IntN(count) //nolint:gosec // Keeps processes apart; nothing depends on its being unguessable.
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("find free port: %w", err)
		}
		return port, nil
	}
	return 0, errNone
}
