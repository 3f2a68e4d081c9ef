//go:build js || plan9 || wasip1

package process

import "syscall"

// Detached is empty: these systems have no process groups.
func Detached() *syscall.SysProcAttr { return nil }

// IsAlive is false: there is no call that finds out.
func IsAlive(int) bool { return false }
