package rig

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/pgproxy"
)

// Cutter stands before PostgreSQL, counts the messages of its clients and
// cuts a connection at the n-th one.
// https://www.postgresql.org/docs/current/protocol-flow.html
type Cutter struct {
	*pgproxy.Proxy

	mu sync.Mutex
	// left is how many messages still pass; 0 is not armed.
	left int
	// after lets the message reach the server first, and its answer nobody.
	after    bool
	happened chan struct{}
}

// NewCutter starts a cutter before a server.
func NewCutter(ctx context.Context, target string) (*Cutter, error) {
	c := &Cutter{}
	var err error
	c.Proxy, err = pgproxy.Start(ctx, target, func() pgproxy.Passing {
		l := &link{cutter: c, blind: make(chan struct{})}
		return pgproxy.Passing{Forward: l.forward, Back: l.back}
	})
	return c, err
}

// Arm cuts the connection on which the n-th message from now on comes: before
// it, or after the server got it and before its answer can come back.
func (c *Cutter) Arm(n int, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.after, c.happened = n, after, make(chan struct{})
}

// Disarm lets everything pass.
func (c *Cutter) Disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
}

// Await waits for the cut and reports whether it happened in time.
func (c *Cutter) Await(ctx context.Context, patience time.Duration) (bool, error) {
	c.mu.Lock()
	happened := c.happened
	c.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-happened:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// due counts a message and says whether the connection is to be cut at it.
func (c *Cutter) due() (cut, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return false, false
	}
	c.left--
	if c.left == 0 {
		close(c.happened)
		return true, c.after
	}
	return false, false
}

// link is one connection through the cutter.
type link struct {
	cutter *Cutter
	// blind is closed when nothing of the server may reach the client any
	// more.
	blind chan struct{}
}

// workTime is what the server gets for a message whose answer is lost.
const workTime = 60 * time.Millisecond

// forward passes the client's messages on, one at a time.
func (l *link) forward(client, server net.Conn) {
	r := bufio.NewReader(client)
	var message bytes.Buffer
	for first := true; ; first = false {
		message.Reset()
		if _, err := pgproxy.CopyMessage(&message, r, first); err != nil {
			return
		}
		cut, after := l.cutter.due()
		if cut && !after {
			return
		}
		if cut {
			close(l.blind)
		}
		if _, err := server.Write(message.Bytes()); err != nil {
			return
		}
		if cut {
			// What comes along with this message reaches the server as well:
			// the commit is done when its answer is lost.
			rest := make([]byte, r.Buffered())
			if _, err := io.ReadFull(r, rest); err == nil {
				_, _ = server.Write(rest)
			}
			timer := time.NewTimer(workTime)
			<-timer.C
			return
		}
	}
}

// back passes the server's answers on until they may no longer be seen.
func (l *link) back(client, server net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		select {
		case <-l.blind:
			if err != nil {
				return
			}
			continue
		default:
		}
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
