//go:build go1.23

package datacat

import (
	"os"
	"runtime/debug"
)

const canSetCrashOutput = true

func setCrashOutput(file *os.File) error { return debug.SetCrashOutput(file, debug.CrashOptions{}) }
