package main

import "time"

const (
	// maxKept is how many lines of a test's output are kept in case it fails: the first and the last half of them.
	maxKept = 200
	// maxJoined is the length to which the pieces of a line are joined. go test splits lines at 4 KiB; a longer line than this
	// is data, and joining it costs time that grows with the square of its length.
	maxJoined = 64 * 1024
	// maxInput is the longest line that is read. go test writes shorter ones; other programs may write into its output.
	maxInput = 1 << 20
	// maxOutput is how many characters of a failed test's output are recorded, the last ones.
	maxOutput = 16 * 1024
	// maxDiff is the length of each side of a difference.
	maxDiff = 8 * 1024
	// maxLine is the length of the message of a failed test in a list.
	maxLine = 300
	// maxErrors is how many complaints of one test are recorded as errors of their own.
	maxErrors = 32
	// maxFrames is how many frames of a crash are recorded: those of the goroutine that crashed.
	maxFrames = 100
	// maxHeld is how many failed subtests wait for the panic that may be theirs.
	maxHeld = 100
	// maxListed is how many failed tests a job summary on GitHub lists; it takes 1 MiB.
	maxListed = 50
	// maxSource and maxSources bound the source files in which a failed line is looked up.
	maxSource  = 1 << 20
	maxSources = 64
	// endTime is how long go test may take to end after SIGTERM, until its output is no longer read.
	endTime = 5 * time.Second
)
