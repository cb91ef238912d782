package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// answerWithin is when a platform gives up waiting.
const answerWithin = 3 * time.Second

// load is what a closed loop measured.
type load struct {
	took      time.Duration
	accepted  int
	refused   int
	latencies []time.Duration
}

func (l *load) perSecond() float64 { return float64(l.accepted) / l.took.Seconds() }

// closedLoop sends a request on each connection as soon as the one before was
// answered, for as long as the slice lasts. Requests are numbered by next.
func closedLoop(ctx context.Context, address string, from requester, connections int, slice time.Duration, next *atomic.Int64) (*load, error) {
	start := time.Now()
	end := start.Add(slice)
	results := make([]load, connections)
	errs := make([]error, connections)
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() {
			errs[i] = results[i].loop(ctx, address, from, end, next)
		})
	}
	group.Wait()
	return sum(results, time.Since(start)), errors.Join(errs...)
}

func (l *load) loop(ctx context.Context, address string, from requester, end time.Time, next *atomic.Int64) error {
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for ctx.Err() == nil && time.Now().Before(end) {
		request := from.request(int(next.Add(1)-1), time.Now())
		if err := l.send(c, request, time.Now()); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// openLoop sends n requests at their times, rate of them a second, whether or
// not those before were answered, as long as a connection is free. Latencies
// count from the time a request was due. Requests are numbered by next.
func openLoop(ctx context.Context, address string, from requester, connections, n int, rate float64, next *atomic.Int64) (*load, error) {
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = from.request(int(next.Add(1)-1), time.Now())
	}
	open := make([]*connection, connections)
	defer func() {
		for _, c := range open {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	for i := range open {
		var err error
		if open[i], err = dial(ctx, address); err != nil {
			return nil, err
		}
	}
	results := make([]load, connections)
	errs := make([]error, connections)
	var due atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for i, c := range open {
		group.Go(func() {
			for ctx.Err() == nil {
				k := int(due.Add(1) - 1)
				if k >= n {
					return
				}
				at := start.Add(time.Duration(float64(k) / rate * float64(time.Second)))
				time.Sleep(time.Until(at))
				if errs[i] = results[i].send(c, requests[k], at); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return sum(results, time.Since(start)), errors.Join(append(errs, ctx.Err())...)
}

// send sends one request and counts its answer.
func (l *load) send(c *connection, request []byte, due time.Time) error {
	status, err := c.exchange(request)
	if err != nil {
		return err
	}
	l.latencies = append(l.latencies, time.Since(due))
	if status == http.StatusOK {
		l.accepted++
	} else {
		l.refused++
	}
	return nil
}

func sum(results []load, took time.Duration) *load {
	total := &load{took: took}
	for _, r := range results {
		total.accepted += r.accepted
		total.refused += r.refused
		total.latencies = append(total.latencies, r.latencies...)
	}
	return total
}

// connection is one kept connection to the bot.
type connection struct {
	net.Conn
	r *bufio.Reader
}

func dial(ctx context.Context, address string) (*connection, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &connection{Conn: c, r: bufio.NewReader(c)}, nil
}

// exchange sends a request and returns the status of its answer.
func (c *connection) exchange(request []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return 0, fmt.Errorf("limit exchange: %w", err)
	}
	if _, err := c.Write(request); err != nil {
		return 0, fmt.Errorf("send request: %w", err)
	}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}
