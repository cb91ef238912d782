//go:build !linux

package rig

import "syscall"

// attributes put a process out of reach of an interrupt typed at the
// terminal.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
