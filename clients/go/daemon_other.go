//go:build js || plan9 || wasip1

package datacat

import "syscall"

func detached() *syscall.SysProcAttr { return nil }

func isAlive(int) bool { return false }
