//go:build !windows && !js && !plan9 && !wasip1

package datacat

import "syscall"

// detached: a session of its own, so that no terminal or process group takes the daemon down with the program.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// isAlive: a process of another user cannot be signalled, and lives all the same.
func isAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
