//go:build !windows

package client

import (
	"os"
	"syscall"
)

// askToStop sends the signal on which the daemon sends what it has and exits.
func askToStop(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
