package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Entry is one line of the log of what was acknowledged.
type Entry struct {
	Press
	// Sent is when the click was due, and Latency the time from then until its
	// acknowledgement.
	Sent    time.Time
	Latency time.Duration
	// Wrote is when the last byte of the request left, zero if none did.
	Wrote time.Time
	// Status is 0 where no answer came.
	Status int
	// Said is what the acknowledgement itself said; most say nothing.
	Said Say
	// Refused: no replica took the connection, so nobody worked on it.
	Refused bool
	Err     error
}

// Ledger logs every click.
type Ledger struct {
	mu      sync.Mutex
	entries []Entry
}

// Entries are the lines in the order of sending.
func (l *Ledger) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.entries)
	slices.SortFunc(out, func(a, b Entry) int { return a.Sent.Compare(b.Sent) })
	return out
}

// Add logs a click that came another way than by HTTP.
func (l *Ledger) Add(e Entry) { l.add(e) }

func (l *Ledger) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

// Client sends clicks to the replicas as a load balancer would: in turn, and
// to the next one where a connection is refused.
type Client struct {
	s      *Stage
	client http.Client
	// Ledger logs what was sent.
	Ledger *Ledger
	// Only, when set, is the one replica that gets everything.
	Only *Bot
	mu   sync.Mutex
	next int
	runs []*Run
}

// patience is how long a click waits for its answer. It is longer than the
// platforms are, so that the log tells how late an answer was.
const patience = 20 * time.Second

// NewClient returns a client with a log of its own. Fresh makes it open a
// connection for every click.
func (s *Stage) NewClient(fresh bool) *Client {
	return &Client{
		s: s, Ledger: &Ledger{},
		client: http.Client{Timeout: patience, Transport: &http.Transport{
			MaxIdleConnsPerHost: 256, DisableKeepAlives: fresh, DisableCompression: true,
			DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		}},
	}
}

// Close ends what is under way and closes idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	runs := c.runs
	c.mu.Unlock()
	for _, r := range runs {
		_ = r.Stop() // Whoever wanted to know has asked.
	}
	c.client.CloseIdleConnections()
}

// Post sends a signed request to one replica and returns status and body.
func (c *Client) Post(ctx context.Context, b *Bot, r Request) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.Address+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header = r.Header.Clone()
	res, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(res.Body, most))
	return res.StatusCode, body, err
}

// Click sends one press, logs it and returns the line.
func (c *Client) Click(ctx context.Context, p Press) Entry {
	return c.clickAt(ctx, p, time.Now())
}

func (c *Client) clickAt(ctx context.Context, p Press, due time.Time) Entry {
	c.mu.Lock()
	first := c.next
	c.next++
	c.mu.Unlock()
	e := Entry{Press: p, Sent: due}
	var wrote atomic.Int64
	request := c.s.Request(p)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				wrote.Store(time.Now().UnixNano())
			}
		},
	})
	bots := c.s.Bots
	if c.Only != nil {
		bots = []*Bot{c.Only}
	}
	for i := range bots {
		var body []byte
		e.Status, body, e.Err = c.Post(ctx, bots[(first+i)%len(bots)], request)
		e.Refused = errors.Is(e.Err, syscall.ECONNREFUSED)
		if !e.Refused {
			e.Said = SayNothing
			if p.Platform == Discord && strings.Contains(string(body), `"components"`) {
				e.Said = said(body)
			}
			break
		}
	}
	e.Latency = time.Since(due)
	if n := wrote.Load(); n > 0 {
		e.Wrote = time.Unix(0, n)
	}
	c.Ledger.add(e)
	return e
}

// Load sends clicks at a rate, each at its time whether or not those before
// were answered, and returns when all were. Every click has a badge of its
// own, and its owner presses; every other one comes from Discord.
func (c *Client) Load(ctx context.Context, first, perSecond int, during time.Duration) error {
	return c.Begin(ctx, first, perSecond, during).Wait()
}

// Run is a load under way.
type Run struct {
	done, stop chan struct{}
	once       sync.Once
	err        error
}

// Begin starts a load. It ends by itself after its time, or by Stop.
func (c *Client) Begin(ctx context.Context, first, perSecond int, during time.Duration) *Run {
	r := &Run{done: make(chan struct{}), stop: make(chan struct{})}
	c.mu.Lock()
	c.runs = append(c.runs, r)
	c.mu.Unlock()
	go func() {
		defer close(r.done)
		r.err = c.load(ctx, r.stop, first, perSecond, during)
	}()
	return r
}

// Wait waits until a load is over and everything was answered.
func (r *Run) Wait() error {
	<-r.done
	return r.err
}

// Stop lets a load send no more and waits for the answers.
func (r *Run) Stop() error {
	r.once.Do(func() { close(r.stop) })
	return r.Wait()
}

func (c *Client) load(ctx context.Context, stop <-chan struct{}, first, perSecond int, during time.Duration) error {
	begin := time.Now()
	n := int(during.Seconds() * float64(perSecond))
	if first+n > c.s.Badges() {
		return fmt.Errorf("load: %d clicks from %d on need more badges than there are", n, first)
	}
	var group sync.WaitGroup
	defer group.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range n {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		badge := first + i + 1
		group.Go(func() {
			c.clickAt(ctx, Press{N: badge, Badge: badge, Person: c.s.Owner(badge), Platform: Platform(badge % 2)}, due)
		})
	}
	return nil
}

// Quantile returns the latency that a part of the entries does not exceed.
func Quantile(entries []Entry, q float64) time.Duration {
	values := make([]time.Duration, 0, len(entries))
	for _, e := range entries {
		values = append(values, e.Latency)
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
