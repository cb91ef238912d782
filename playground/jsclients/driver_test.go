package jsclients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// patience is how long a call or an event may take.
	patience = 15 * time.Second
	// answerWithin is how long a client may take to answer; the platforms leave
	// it three seconds, which a busy machine may not.
	answerWithin = 10 * time.Second
	// leave is how long a driver may take to end by itself.
	leave = 5 * time.Second
)

// driver is a running script; see lines.mjs for how it is spoken with.
type driver struct {
	stdin io.WriteCloser

	mu      sync.Mutex
	last    int
	answers map[int]chan answer
	events  []event
	changed chan struct{}
	gone    chan struct{}
	stderr  bytes.Buffer
}

type event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *failure        `json:"error"`
}

// failure is an error as the client has thrown it.
type failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	// Code is a word of the Slack clients, and Discord's number.
	Code       any             `json:"code"`
	Data       slackData       `json:"data"`
	Status     int             `json:"status"`
	Errors     json.RawMessage `json:"errors"`
	RetryAfter int             `json:"retryAfter"`
}

// slackData is the answer that Slack's client keeps with its error.
type slackData struct {
	Error    string `json:"error"`
	Needed   string `json:"needed"`
	Metadata struct {
		Messages []string `json:"messages"`
	} `json:"response_metadata"`
}

func (f *failure) String() string {
	if f == nil {
		return "no error"
	}
	out, err := json.Marshal(f)
	if err != nil {
		return f.Message
	}
	return string(out)
}

// run starts a script in a folder of npm.Project, until the test's end.
func run(tb testing.TB, folder, script string, env ...string) *driver {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "--no-deprecation", script)
	cmd.Dir = folder
	// Proxies of the machine have no part in this.
	cmd.Env = append(os.Environ(), append(env, "NODE_ENV=test", "NO_PROXY=*")...)
	d := &driver{answers: map[int]chan answer{}, changed: make(chan struct{}), gone: make(chan struct{})}
	cmd.Stderr = lockedWriter{d}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	d.stdin = stdin
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(d.gone)
		d.read(stdout)
	}()
	tb.Cleanup(func() {
		_ = stdin.Close()
		select {
		case <-d.gone:
		case <-time.After(leave):
			tb.Errorf("%s does not end by itself", script)
		}
		cancel()
		<-d.gone
		_ = cmd.Wait()
		if tb.Failed() {
			d.mu.Lock()
			defer d.mu.Unlock()
			tb.Logf("%s: events left %s\n%s", script, d.names(), d.stderr.String())
		}
	})
	await[nothing](tb, d, "started", nil)
	return d
}

type lockedWriter struct{ d *driver }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	return w.d.stderr.Write(p)
}

func (d *driver) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var line struct {
			event
			answer
		}
		d.mu.Lock()
		switch {
		case json.Unmarshal(lines.Bytes(), &line) != nil:
			fmt.Fprintf(&d.stderr, "not a line: %s\n", lines.Bytes())
		case line.Name != "":
			d.events = append(d.events, line.event)
			close(d.changed)
			d.changed = make(chan struct{})
		case d.answers[line.ID] != nil:
			d.answers[line.ID] <- line.answer
			delete(d.answers, line.ID)
		}
		d.mu.Unlock()
	}
}

// names lists the events that nobody took; d.mu is held.
func (d *driver) names() string {
	out := []string{}
	for _, e := range d.events {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

// begin starts a call, and returns how to wait for its end.
func (d *driver) begin(tb testing.TB, name string, args ...any) func() (json.RawMessage, *failure) {
	tb.Helper()
	d.mu.Lock()
	d.last++
	id, got := d.last, make(chan answer, 1)
	d.answers[id] = got
	d.mu.Unlock()
	line, err := json.Marshal(map[string]any{"id": id, "call": name, "args": args})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := d.stdin.Write(append(line, '\n')); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return func() (json.RawMessage, *failure) {
		tb.Helper()
		select {
		case a := <-got:
			return a.Result, a.Error
		case <-d.gone:
			tb.Fatalf("%s: the driver has ended", name)
		case <-time.After(patienceOf(tb)):
			tb.Fatalf("%s: nothing came of it", name)
		}
		return nil, nil
	}
}

// try calls a function of the driver.
func (d *driver) try(tb testing.TB, name string, args ...any) (json.RawMessage, *failure) {
	tb.Helper()
	return d.begin(tb, name, args...)()
}

// do calls a function of the driver, which has to succeed.
func do[T any](tb testing.TB, d *driver, name string, args ...any) T {
	tb.Helper()
	raw, failed := d.try(tb, name, args...)
	if failed != nil {
		tb.Fatalf("%s: %s", name, failed)
	}
	return decoded[T](tb, name, raw)
}

// nothing is the result that nobody looks at.
type nothing = json.RawMessage

// await takes the first event of a name that is as wanted; a nil want takes
// any.
func await[T any](tb testing.TB, d *driver, name string, want func(T) bool) T {
	tb.Helper()
	late := time.After(patienceOf(tb))
	for {
		d.mu.Lock()
		changed := d.changed
		for i, e := range d.events {
			if e.Name != name {
				continue
			}
			if v := decoded[T](tb, name, e.Data); want == nil || want(v) {
				d.events = append(d.events[:i:i], d.events[i+1:]...)
				d.mu.Unlock()
				return v
			}
		}
		d.mu.Unlock()
		select {
		case <-changed:
		case <-d.gone:
			tb.Fatalf("wait for %s: the driver has ended", name)
		case <-late:
			d.mu.Lock()
			names := d.names()
			d.mu.Unlock()
			tb.Fatalf("wait for %s: only %q came", name, names)
		}
	}
}

// count tells how many events of a name nobody has taken.
func (d *driver) count(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, e := range d.events {
		if e.Name == name {
			n++
		}
	}
	return n
}

func decoded[T any](tb testing.TB, what string, raw json.RawMessage) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		tb.Fatalf("%s said %s: %v", what, raw, err)
	}
	return v
}

// acting is what a person does beside the client, which has to answer it.
type acting[T any] struct {
	done chan outcome[T]
}

type outcome[T any] struct {
	res T
	err error
}

// act begins what a person does.
func act[T any](do func() (T, error)) acting[T] {
	a := acting[T]{done: make(chan outcome[T], 1)}
	go func() {
		res, err := do()
		a.done <- outcome[T]{res, err}
	}()
	return a
}

// end waits for what came of it.
func (a acting[T]) end(tb testing.TB) T {
	tb.Helper()
	select {
	case out := <-a.done:
		if out.err != nil {
			tb.Fatalf("act: %v", out.err)
		}
		return out.res
	case <-time.After(patienceOf(tb)):
		tb.Fatal("act: nothing came of it")
		panic("unreachable")
	}
}

// equal fails the test where two things differ in their JSON.
func equal(tb testing.TB, what string, got, want any) {
	tb.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		tb.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		tb.Fatal(err)
	}
	if !bytes.Equal(g, w) {
		tb.Fatalf("%s: got %s, want %s", what, g, w)
	}
}
