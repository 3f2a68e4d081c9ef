//go:build windows || js || plan9 || wasip1

package attachment

// noFollow and noWait are nothing: these systems have no such flags.
const (
	noFollow = 0
	noWait   = 0
)
