//go:build unix

package testpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// detach puts the command in a process group of its own, so that an
// interrupt typed at the terminal leaves it time to clean up, and takes it
// away from root, as whom PostgreSQL refuses to run.
func detach(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return nil
	}
	cred, err := unprivileged()
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = cred
	return nil
}

// handOver gives a folder and what is in it to the user that detach chooses.
func handOver(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	cred, err := unprivileged()
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(cred.Uid), int(cred.Gid))
	})
}

// unprivileged returns the user that runs the server in place of root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("%w: it does not run as root, and there is no user postgres or nobody", errUnavailable)
}

// suspend stops the server and its children where they stand.
func suspend(pid int) error { return signalTree(pid, syscall.SIGSTOP) }

// resume lets a suspended server run on.
func resume(pid int) error { return signalTree(pid, syscall.SIGCONT) }

// signalTree signals the server first, so that it starts no new child
// meanwhile. Each child is in a session of its own: no process group reaches
// them all.
func signalTree(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("signal server: %w", err)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	if len(stats) == 0 {
		return errors.New("list processes: no /proc here")
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // that process ended meanwhile
		}
		child, parent := parseStat(string(data))
		if parent != pid {
			continue
		}
		if err := syscall.Kill(child, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal child of server: %w", err)
		}
	}
	return nil
}

// parseStat reads the ids of a process and its parent from a line of
// /proc/PID/stat: "pid (name) state parent ...", where the name may hold
// anything, parentheses included.
func parseStat(line string) (pid, parent int) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return 0, 0
	}
	rest := strings.Fields(line[end+1:])
	if len(rest) < 2 {
		return 0, 0
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(line[:open]))
	parent, err2 := strconv.Atoi(rest[1])
	if err1 != nil || err2 != nil {
		return 0, 0
	}
	return pid, parent
}
