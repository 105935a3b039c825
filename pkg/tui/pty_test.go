package tui

import "syscall"

// controllingTerminal makes a child's descriptor fd its controlling terminal, which /dev/tty is.
func controllingTerminal(fd int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: fd}
}
