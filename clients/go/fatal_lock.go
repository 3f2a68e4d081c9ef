//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package datacat

import (
	"os"
	"syscall"
)

// lockFile locks a file. The lock lasts as long as the runtime's descriptor of it, which shows later whether the program has set
// another output.
func lockFile(file *os.File) { syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) } //nolint:errcheck // then it counts as replaced

// isLocked reports whether the runtime still has the file.
func isLocked(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}
