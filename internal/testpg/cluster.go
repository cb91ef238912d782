package testpg

import (
	"bufio"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/internal/freeport"
)

const (
	// startTimeout limits initdb and the start of the server together.
	startTimeout = 120 * time.Second
	// portAttempts is how often another port is tried when somebody takes
	// the free one between finding and using it.
	portAttempts = 5
)

// supervise starts the server, says so, and stops it when its standard input
// ends: that happens however the test process ends.
//
//go:embed supervise.sh
var supervise string

// settings trade durability for speed and keep times independent of the
// machine. See https://www.postgresql.org/docs/current/non-durability.html.
var settings = []string{
	"listen_addresses=127.0.0.1",
	"unix_socket_directories=",
	"max_connections=300",
	"shared_buffers=64MB",
	"fsync=off",
	"full_page_writes=off",
	"timezone=UTC",
	"log_timezone=UTC",
}

// cluster is one PostgreSQL server with a data directory of its own.
type cluster struct {
	bin      string
	dir      string
	port     int
	password string
	settings []string
	cmd      *exec.Cmd
	stdin    *os.File // its end stops the server
}

// newCluster makes a data directory and starts a server on it, with more
// settings that win over the usual ones. The error wraps errUnavailable when
// this machine has no PostgreSQL to start.
func newCluster(more ...string) (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurel-testpg-")
	if err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	c := &cluster{bin: bin, dir: dir, password: rand.Text(), settings: append(slices.Clone(settings), more...)}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(c.password+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write password: %w", err), c.remove())
	}
	if err := handOver(dir); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	for attempt := 1; ; attempt++ {
		if c.port, err = freeport.Take(); err == nil {
			err = c.start()
		}
		if err == nil {
			return c, nil
		}
		if attempt == portAttempts || !strings.Contains(err.Error(), "Address already in use") {
			return nil, errors.Join(err, c.remove())
		}
	}
}

// dsn returns the superuser's DSN of a database.
func (c *cluster) dsn(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", c.password),
		Host:     c.addr(),
		Path:     "/" + database,
		RawQuery: "sslmode=disable&connect_timeout=10",
	}
	return u.String()
}

func (c *cluster) addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
}

// start starts the server, which makes its data directory the first time, and
// returns when it accepts connections.
func (c *cluster) start() error {
	stdin, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("make pipe: %w", err), stdin.Close(), in.Close())
	}
	options := "-p " + strconv.Itoa(c.port)
	for _, s := range c.settings {
		options += " -c " + s
	}
	cmd := exec.Command("/bin/sh", "-c", supervise, "supervise", c.bin, c.dir, options) //nolint:noctx // the end of stdin ends it
	cmd.Dir, cmd.Stdin, cmd.Stdout = c.dir, stdin, stdout
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err = detach(cmd)
	if err == nil {
		err = cmd.Start()
	}
	err = errors.Join(err, stdin.Close(), stdout.Close())
	if err == nil {
		err = awaitReady(out)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		err = errors.Join(err, in.Close())
		if cmd.Process != nil {
			_ = cmd.Wait() // what went wrong is in the log
		}
		return fmt.Errorf("%w\n%s", err, c.log())
	}
	c.cmd, c.stdin = cmd, in
	return nil
}

// stop stops the server; with keep its data directory stays for a next start.
func (c *cluster) stop(keep bool) error {
	if c.cmd == nil {
		return nil
	}
	var err error
	if keep {
		_, err = c.stdin.WriteString("keep\n")
	}
	err = errors.Join(err, c.stdin.Close(), c.cmd.Wait())
	c.cmd, c.stdin = nil, nil
	if err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// remove deletes the data directory of a stopped server.
func (c *cluster) remove() error { return os.RemoveAll(c.dir) }

// pid returns the process id of the running server.
func (c *cluster) pid() (int, error) {
	data, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("read process id: %w", err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strconv.Atoi(first)
}

// log returns the end of what the server and its tools wrote.
func (c *cluster) log() string {
	const limit = 4096
	data, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return "no log was written"
	}
	return string(data[max(0, len(data)-limit):])
}

// awaitReady waits for the supervisor's word that the server accepts
// connections.
func awaitReady(out *os.File) error {
	if err := out.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return fmt.Errorf("limit wait: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("wait for server: %w", err)
	}
	if line != "ready\n" {
		return fmt.Errorf("wait for server: unexpected answer %q", line)
	}
	return nil
}

// binaries returns the folder of the newest PostgreSQL server programs.
func binaries() (string, error) {
	// Debian keeps them out of the PATH, a folder per major version.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("look for initdb: %w", err)
	}
	best, newest := "", -1
	for _, path := range found {
		bin := filepath.Dir(path)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
		if err == nil && version > newest {
			best, newest = bin, version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("%w: no initdb on this machine", errUnavailable)
	}
	return filepath.Dir(path), nil
}
