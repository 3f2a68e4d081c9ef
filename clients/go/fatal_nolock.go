//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package datacat

import "os"

func lockFile(*os.File) {}

// isLocked is true: without locks of files, an output that the program has set after opening its session is replaced with the end of
// the session.
func isLocked(string) bool { return true }
