// Package pgproxy stands before PostgreSQL, between its clients and the server,
// for those who count the clients' messages or cut connections at some of them.
package pgproxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Passing says how the bytes of one connection are passed on; the connection
// ends when either returns.
type Passing struct {
	// Forward reads from the client and writes to the server, Back the other
	// way round.
	Forward, Back func(client, server net.Conn)
}

// Proxy listens on a port of its own and connects each client to the server.
type Proxy struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// Start starts a proxy before the server at target. For every connection it
// asks how to pass its bytes on.
func Start(ctx context.Context, target string, pass func() Passing) (*Proxy, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{listener: l, target: target, open: map[net.Conn]bool{}}
	p.group.Go(func() { p.accept(pass) })
	return p, nil
}

// Address is where it listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close cuts all connections.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for one := range p.open {
		_ = one.Close() // Its other end may have closed it.
	}
	p.mu.Unlock()
	p.group.Wait()
	return err
}

func (p *Proxy) accept(pass func() Passing) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		var d net.Dialer
		server, err := d.DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = true, true
		if p.closed {
			_, _ = client.Close(), server.Close()
		}
		p.mu.Unlock()
		how := pass()
		p.group.Go(func() { defer p.end(client, server); how.Forward(client, server) })
		p.group.Go(func() { defer p.end(client, server); how.Back(client, server) })
	}
}

func (p *Proxy) end(client, server net.Conn) {
	_, _ = client.Close(), server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, client)
	delete(p.open, server)
}

// maxMessage is the largest message taken for one, in bytes.
const maxMessage = 1 << 24

var errMessage = errors.New("read message of the database's client")

// CopyMessage copies one message of a client and returns its kind, 0 for the
// first one of a connection, which has none.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
func CopyMessage(w io.Writer, r io.Reader, first bool) (kind byte, err error) {
	head := make([]byte, 5)
	if first {
		head = head[1:]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > maxMessage {
		return 0, errMessage
	}
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	if _, err := io.CopyN(w, r, int64(length)-4); err != nil {
		return 0, err
	}
	if first {
		return 0, nil
	}
	return head[0], nil
}
