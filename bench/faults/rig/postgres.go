package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

// StatementStatistics is the extension that counts statements.
const StatementStatistics = "pg_stat_statements"

// Postgres is the private server. It writes durably.
type Postgres struct {
	server *testpg.Durable
	data   string
	// Counts says whether the server counts statements.
	Counts    bool
	suspended bool
}

// startPostgres starts the server, with statements counted where the machine
// has that extension.
func startPostgres() (*Postgres, error) {
	settings := []string{"shared_buffers=256MB", "max_wal_size=2GB", "max_connections=300"}
	p := &Postgres{}
	found, err := filepath.Glob("/usr/lib/postgresql/*/lib/" + StatementStatistics + ".so")
	if err != nil {
		return nil, fmt.Errorf("look for extension: %w", err)
	}
	if len(found) > 0 {
		p.Counts = true
		p.server, err = testpg.StartDurable(append(settings, "shared_preload_libraries="+StatementStatistics)...)
	}
	if len(found) == 0 || err != nil {
		p.Counts = false
		p.server, err = testpg.StartDurable(settings...)
	}
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	db, err := p.Open("postgres")
	if err != nil {
		return nil, errors.Join(err, p.server.Stop())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = db.QueryRowContext(ctx, `SHOW data_directory`).Scan(&p.data)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("find data directory: %w", err), p.server.Stop())
	}
	return p, nil
}

func (p *Postgres) stop() error {
	return errors.Join(p.Resume(), p.server.Stop())
}

// DSN returns the URL of a database.
func (p *Postgres) DSN(database string) string { return p.server.DSN(database) }

// Through returns the URL of a database with another host and port.
func Through(dsn, address string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the URL of the database cannot be read")
	}
	u.Host = address
	return u.String(), nil
}

// Address returns host and port of the server.
func (p *Postgres) Address() (string, error) {
	u, err := url.Parse(p.DSN("postgres"))
	if err != nil {
		return "", errors.New("the URL of the database cannot be read")
	}
	return u.Host, nil
}

// Open returns a small pool of connections to a database.
func (p *Postgres) Open(database string) (*sql.DB, error) {
	db, err := sql.Open("postgres", p.DSN(database))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(8)
	return db, nil
}

// Admin runs statements in the server's own database.
func (p *Postgres) Admin(ctx context.Context, statements ...string) error {
	db, err := p.Open("postgres")
	if err != nil {
		return err
	}
	for _, one := range statements {
		if _, err := db.ExecContext(ctx, one); err != nil {
			return errors.Join(fmt.Errorf("prepare server: %w", err), db.Close())
		}
	}
	return db.Close()
}

// RestartImmediately restarts the server as after a crash: every connection
// breaks, and it recovers from its log. It returns the moment from which the
// server accepts connections again.
func (p *Postgres) RestartImmediately(ctx context.Context) (up time.Time, err error) {
	before, err := p.server.PID()
	if err != nil {
		return up, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.server.Programs(), "pg_ctl"), //nolint:gosec // The server's own program.
		"-D", p.data, "-m", "immediate", "-w", "-t", "60", "-l", filepath.Join(filepath.Dir(p.data), "log"), "restart")
	cmd.Dir = filepath.Dir(p.data)
	if cmd.SysProcAttr, err = asOwner(p.data); err != nil {
		return up, err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return up, fmt.Errorf("restart PostgreSQL: %w: %s", err, out)
	}
	up = time.Now()
	after, err := p.server.PID()
	if err == nil && after == before {
		err = errors.New("restart PostgreSQL: the process is the same as before")
	}
	return up, err
}

// asOwner makes a process run as the owner of a folder: PostgreSQL refuses to
// run as root.
func asOwner(path string) (*syscall.SysProcAttr, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look at data directory: %w", err)
	}
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		attributes.Credential = &syscall.Credential{Uid: s.Uid, Gid: s.Gid}
	}
	return attributes, nil
}

// Suspend stops the server and all its connections where they stand, and
// asserts that the server stands still.
func (p *Postgres) Suspend() error {
	pid, err := p.server.PID()
	if err != nil {
		return err
	}
	p.suspended = true
	if err := signalFamily(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	return AwaitState(pid, "T")
}

// Resume lets the server run on.
func (p *Postgres) Resume() error {
	if !p.suspended {
		return nil
	}
	pid, err := p.server.PID()
	if err != nil {
		return err
	}
	p.suspended = false
	return signalFamily(pid, syscall.SIGCONT)
}

// signalFamily signals a process first, so that it starts no new child
// meanwhile, and then its children.
func signalFamily(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("signal server: %w", err)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // That process ended meanwhile.
		}
		child, _, parent := parseStat(string(data))
		if parent != pid {
			continue
		}
		if err := syscall.Kill(child, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal child of server: %w", err)
		}
	}
	return nil
}

// parseStat reads the id, the state and the parent of a process from a line
// of /proc/PID/stat: "pid (name) state parent ...", where the name may hold
// anything (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
func parseStat(line string) (pid int, state string, parent int) {
	end := strings.LastIndexByte(line, ')')
	start := strings.IndexByte(line, '(')
	if start < 0 || end < start {
		return 0, "", 0
	}
	rest := strings.Fields(line[end+1:])
	if len(rest) < 2 {
		return 0, "", 0
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(line[:start]))
	parent, err2 := strconv.Atoi(rest[1])
	if errors.Join(err1, err2) != nil {
		return 0, "", 0
	}
	return pid, rest[0], parent
}

// AwaitState waits until the kernel says that a process is in a state, "T"
// for stopped.
func AwaitState(pid int, state string) error {
	var seen string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return fmt.Errorf("look at process: %w", err)
		}
		if _, seen, _ = parseStat(string(data)); seen == state {
			return nil
		}
	}
	return fmt.Errorf("process %d is in state %s, not %s", pid, seen, state)
}
