package rig

import "syscall"

// attributes put a process out of reach of an interrupt typed at the
// terminal, and end it when the campaign ends, however that happens.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
