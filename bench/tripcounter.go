package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands before PostgreSQL and counts round trips: the messages of a
// client after which the server answers
// (https://www.postgresql.org/docs/current/protocol-flow.html).
type proxy struct {
	listener net.Listener
	target   string
	trips    atomic.Int64
	// last is when the last one came, in Unix nanoseconds.
	last  atomic.Int64
	group sync.WaitGroup

	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

func startProxy(ctx context.Context, target string) (*proxy, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &proxy{listener: l, target: target}
	p.group.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// close cuts all connections.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.open {
		_ = c.Close() // Its other end may have closed it.
	}
	p.mu.Unlock()
	p.group.Wait()
	return err
}

func (p *proxy) accept() {
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
		p.open = append(p.open, client, server)
		if p.closed {
			_, _ = client.Close(), server.Close()
		}
		p.mu.Unlock()
		p.group.Go(func() {
			_ = p.forward(server, client)
			_ = server.Close()
		})
		p.group.Go(func() {
			_, _ = io.Copy(client, server)
			_ = client.Close()
		})
	}
}

// forward passes messages on and counts those that ask for an answer.
func (p *proxy) forward(server io.Writer, client io.Reader) error {
	r := bufio.NewReader(client)
	w := bufio.NewWriter(server)
	for start := true; ; start = false {
		kind, err := copyMessage(w, r, start)
		if err != nil {
			return err
		}
		if kind == 'S' || kind == 'Q' {
			p.trips.Add(1)
			p.last.Store(time.Now().UnixNano())
		}
		// What is behind a message in the buffer is passed on with it.
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

var errMessage = errors.New("read message of the database's client")

// copyMessage copies one message and returns its kind, 0 for the first one of
// a connection, which has none
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
func copyMessage(w io.Writer, r io.Reader, start bool) (kind byte, err error) {
	const most = 1 << 24
	head := make([]byte, 5)
	if start {
		head = head[1:]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > most {
		return 0, errMessage
	}
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	if _, err := io.CopyN(w, r, int64(length)-4); err != nil {
		return 0, err
	}
	if start {
		return 0, nil
	}
	return head[0], nil
}

// settle waits until nobody has asked for anything for a moment.
func (p *proxy) settle(ctx context.Context, quiet time.Duration) error {
	tick := time.NewTicker(quiet / 10)
	defer tick.Stop()
	for time.Since(time.Unix(0, p.last.Load())) < quiet {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
