//go:build !windows && !js && !plan9 && !wasip1

package attachment

import "syscall"

// noFollow refuses a link in place of the copy, and noWait does not wait for the writer of a pipe.
const (
	noFollow = syscall.O_NOFOLLOW
	noWait   = syscall.O_NONBLOCK
)
