package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/bench/pgproxy"
)

// tripCounter is a proxy that counts round trips: the messages of a client
// after which the server answers.
// https://www.postgresql.org/docs/current/protocol-flow.html
type tripCounter struct {
	*pgproxy.Proxy
	trips atomic.Int64
	// last is when the last one came, in Unix nanoseconds.
	last atomic.Int64
}

func startTripCounter(ctx context.Context, target string) (*tripCounter, error) {
	c := &tripCounter{}
	passing := pgproxy.Passing{
		Forward: func(client, server net.Conn) { _ = c.forward(server, client) },
		Back:    func(client, server net.Conn) { _, _ = io.Copy(client, server) },
	}
	var err error
	c.Proxy, err = pgproxy.Start(ctx, target, func() pgproxy.Passing { return passing })
	return c, err
}

// forward passes messages on and counts those that ask for an answer.
func (c *tripCounter) forward(server io.Writer, client io.Reader) error {
	r := bufio.NewReader(client)
	w := bufio.NewWriter(server)
	for first := true; ; first = false {
		kind, err := pgproxy.CopyMessage(w, r, first)
		if err != nil {
			return err
		}
		if kind == 'S' || kind == 'Q' {
			c.trips.Add(1)
			c.last.Store(time.Now().UnixNano())
		}
		// What is behind a message in the buffer is passed on with it.
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// settle waits until nobody has asked for anything for a moment.
func (c *tripCounter) settle(ctx context.Context, quiet time.Duration) error {
	tick := time.NewTicker(quiet / 10)
	defer tick.Stop()
	for time.Since(time.Unix(0, c.last.Load())) < quiet {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
