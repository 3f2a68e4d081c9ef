//go:build !windows && !js && !plan9 && !wasip1

package process

import "syscall"

// Detached starts a process in a session of its own, so that it survives the program's terminal and process group.
func Detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// IsAlive reports whether a process exists. One of another user exists too, although it cannot be signalled.
func IsAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
