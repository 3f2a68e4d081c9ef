//go:build go1.23 && !go1.27 && gc

package datacat

import _ "unsafe" // for go:linkname

const noCrashOutput = ^uintptr(0)

// setCrashFD is the function behind runtime/debug.SetCrashOutput. It returns the descriptor that was set before, for which there is
// no public function. The versions above have it.
//
//go:linkname setCrashFD runtime.setCrashFD
func setCrashFD(uintptr) uintptr

const knowsCrashOutput = true

// hasCrashOutput reports whether the program has set a crash output.
func hasCrashOutput() bool {
	descriptor := setCrashFD(noCrashOutput)
	if descriptor != noCrashOutput {
		setCrashFD(descriptor)
	}
	return descriptor != noCrashOutput
}
