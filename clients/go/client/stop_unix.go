//go:build !windows

package client

import (
	"os"
	"syscall"
)

func askToStop(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
