package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc on Linux, whatever the kernel's own
// (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
const tick = 10 * time.Millisecond

// times are the processor times of a process.
type times struct {
	parent int
	own    time.Duration
	// ended are those of its children that ended.
	ended time.Duration
}

// parseTimes reads a line of /proc/PID/stat: "pid (name) state parent ...",
// where the name may hold anything.
func parseTimes(line string) (times, error) {
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	// Counted from the state: the parent is the second, utime, stime, cutime
	// and cstime are the 12th to the 15th.
	const parent, first, last = 1, 11, 14
	if len(fields) <= last {
		return times{}, errors.New("read process times: line is too short")
	}
	var n [4]int
	var errs []error
	for i := range n {
		v, err := strconv.Atoi(fields[first+i])
		n[i] = v
		errs = append(errs, err)
	}
	p, err := strconv.Atoi(fields[parent])
	t := times{parent: p, own: time.Duration(n[0]+n[1]) * tick, ended: time.Duration(n[2]+n[3]) * tick}
	return t, errors.Join(append(errs, err)...)
}

func timesOf(pid int) (times, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return times{}, fmt.Errorf("read process times: %w", err)
	}
	return parseTimes(string(data))
}

// family returns the processor time of a process and of its children. A
// child that ends meanwhile would be missed, so it is looked again then.
func family(pid int) (time.Duration, error) {
	for {
		before, err := timesOf(pid)
		if err != nil {
			return 0, err
		}
		children, err := timesOfChildren(pid)
		if err != nil {
			return 0, err
		}
		after, err := timesOf(pid)
		if err != nil {
			return 0, err
		}
		if before.ended == after.ended {
			return after.own + after.ended + children, nil
		}
	}
}

func timesOfChildren(pid int) (sum time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // That process ended meanwhile.
		}
		if t, err := parseTimes(string(data)); err == nil && t.parent == pid {
			sum += t.own + t.ended
		}
	}
	return sum, nil
}

// resident is the memory of a process, in MB of a million bytes.
type resident struct{ now, most float64 }

func memory(pid int) (resident, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return resident{}, fmt.Errorf("read memory: %w", err)
	}
	return parseMemory(string(data))
}

// parseMemory reads /proc/PID/status, which counts in units of 1024 bytes.
func parseMemory(status string) (r resident, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*float64{"VmRSS": &r.now, "VmHWM": &r.most}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
		if err != nil {
			return r, fmt.Errorf("read memory: %w", err)
		}
		*into = kib * 1024 / 1e6
	}
	if r.now == 0 || r.most == 0 {
		return r, errors.New("read memory: not told")
	}
	return r, nil
}
