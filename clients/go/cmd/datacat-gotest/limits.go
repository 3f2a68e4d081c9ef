package main

const (
	// maxKept is how many lines of a test's output are kept in case it fails: the first and the last half of them.
	maxKept = 200
	// maxJoined is the length to which the pieces of a line are joined. go test splits lines at 4 KiB; a longer line than this
	// is data, and joining it costs time that grows with the square of its length.
	maxJoined = 64 * 1024
	// maxInput is the longest line that is read. go test writes shorter ones; other programs may write into its output.
	maxInput = 1 << 20
)
