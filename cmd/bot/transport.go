package main

import "net/http"

// keptConnections is how many idle connections to one platform are kept: as
// many as messages leave at once. With the usual two, nearly every message
// would begin with a new connection.
const keptConnections = 128

// newTransport returns the transport for the chat platforms.
func newTransport() *http.Transport {
	t := &http.Transport{}
	if usual, ok := http.DefaultTransport.(*http.Transport); ok {
		t = usual.Clone()
	}
	t.MaxIdleConns = 2 * keptConnections
	t.MaxIdleConnsPerHost = keptConnections
	return t
}
