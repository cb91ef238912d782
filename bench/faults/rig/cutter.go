package rig

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Cutter stands before PostgreSQL, counts the messages of its clients and
// cuts a connection at the n-th one
// (https://www.postgresql.org/docs/current/protocol-flow.html).
type Cutter struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu sync.Mutex
	// left is how many messages still pass; 0 is not armed.
	left int
	// after lets the message reach the server first, and its answer nobody.
	after    bool
	happened chan struct{}
	open     map[net.Conn]bool
	closed   bool
}

// NewCutter starts a cutter before a server.
func NewCutter(ctx context.Context, target string) (*Cutter, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	c := &Cutter{listener: l, target: target, open: map[net.Conn]bool{}}
	c.group.Go(c.accept)
	return c, nil
}

// Address is where it listens.
func (c *Cutter) Address() string { return c.listener.Addr().String() }

// Close cuts all connections.
func (c *Cutter) Close() error {
	err := c.listener.Close()
	c.mu.Lock()
	c.closed = true
	for one := range c.open {
		_ = one.Close() // Its other end may have closed it.
	}
	c.mu.Unlock()
	c.group.Wait()
	return err
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

func (c *Cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		var d net.Dialer
		server, err := d.DialContext(context.Background(), "tcp", c.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		link := &link{cutter: c, client: client, server: server, blind: make(chan struct{})}
		c.mu.Lock()
		c.open[client], c.open[server] = true, true
		if c.closed {
			_, _ = client.Close(), server.Close()
		}
		c.mu.Unlock()
		c.group.Go(link.forward)
		c.group.Go(link.back)
	}
}

// link is one connection through the cutter.
type link struct {
	cutter         *Cutter
	client, server net.Conn
	// blind is closed when nothing of the server may reach the client any
	// more.
	blind chan struct{}
}

func (l *link) end() {
	_, _ = l.client.Close(), l.server.Close()
	l.cutter.mu.Lock()
	delete(l.cutter.open, l.client)
	delete(l.cutter.open, l.server)
	l.cutter.mu.Unlock()
}

// workTime is what the server gets for a message whose answer is lost.
const workTime = 60 * time.Millisecond

// forward passes the client's messages on, one at a time.
func (l *link) forward() {
	defer l.end()
	r := bufio.NewReader(l.client)
	for start := true; ; start = false {
		message, err := readMessage(r, start)
		if err != nil {
			return
		}
		cut, after := l.cutter.due()
		if cut && !after {
			return
		}
		if cut {
			close(l.blind)
		}
		if _, err := l.server.Write(message); err != nil {
			return
		}
		if cut {
			// What comes along with this message reaches the server as well:
			// the commit is done when its answer is lost.
			rest := make([]byte, r.Buffered())
			if _, err := io.ReadFull(r, rest); err == nil {
				_, _ = l.server.Write(rest)
			}
			timer := time.NewTimer(workTime)
			<-timer.C
			return
		}
	}
}

// back passes the server's answers on until they may no longer be seen.
func (l *link) back() {
	defer l.end()
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buffer)
		select {
		case <-l.blind:
			if err != nil {
				return
			}
			continue
		default:
		}
		if n > 0 {
			if _, err := l.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errMessage = errors.New("read message of the database's client")

// readMessage reads one message; the first one of a connection has no kind
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
func readMessage(r *bufio.Reader, start bool) ([]byte, error) {
	const most = 1 << 24
	size := 5
	if start {
		size = 4
	}
	head, err := r.Peek(size)
	if err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[size-4:]))
	if length < 4 || length > most {
		return nil, errMessage
	}
	message := make([]byte, size-4+length)
	_, err = io.ReadFull(r, message)
	return message, err
}
