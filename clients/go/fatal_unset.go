//go:build !go1.23

package datacat

import "os"

// canSetCrashOutput is false: runtime/debug.SetCrashOutput came with Go 1.23.
const canSetCrashOutput = false

func setCrashOutput(*os.File) error { return nil }
