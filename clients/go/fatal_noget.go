//go:build !(go1.23 && !go1.27 && gc)

package datacat

const knowsCrashOutput = false

// hasCrashOutput is false: the crash output cannot be asked for, so one that the program has set before opening its session is
// replaced.
func hasCrashOutput() bool { return false }
