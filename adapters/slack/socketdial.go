package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	connectionsOpen = "apps.connections.open"
	socketBuffer    = 8 << 10
)

// dialSocket asks Slack for an address and connects to it. The address holds
// a ticket, so it appears in no error.
func (a *Adapter) dialSocket(ctx context.Context) (*websocket.Conn, error) {
	_, address, err := a.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, deliveryError(connectionsOpen, err)
	}
	if !a.allowedSocket(address) {
		return nil, &socketError{code: "unusable_address"}
	}
	dialer := websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: a.socketTimes.open,
		ReadBufferSize:   socketBuffer,
		WriteBufferSize:  socketBuffer,
	}
	ws, resp, err := dialer.DialContext(ctx, address, nil)
	if resp != nil {
		// Of a refused handshake the first bytes are there already.
		defer resp.Body.Close()
	}
	switch {
	case err == nil:
		return ws, nil
	case errors.Is(err, websocket.ErrBadHandshake) && resp != nil:
		failed := &socketError{code: fmt.Sprintf("http_%d", resp.StatusCode)}
		if resp.StatusCode == http.StatusTooManyRequests {
			failed.after = max(parseRetryAfter(resp.Header.Get("Retry-After")), time.Second)
		}
		return nil, failed
	default:
		code := transportCode(err)
		if code == "unreadable_answer" {
			// Not every error of a connection calls itself one here.
			code = "connection"
		}
		return nil, &socketError{code: code}
	}
}

// allowedSocket reports whether address is one to connect to: encrypted,
// unless the Web API is not either.
func (a *Adapter) allowedSocket(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "wss" || (u.Scheme == "ws" && strings.EqualFold(a.apiURL.Scheme, "http"))
}
