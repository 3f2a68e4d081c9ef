package client

import "time"

const (
	// requestTimeout is the longest request. 1.x's client had none, and waited for ever.
	requestTimeout = 30 * time.Second
	// maxAnswerBytes is the longest answer: a session of a million points in the JSON of 1.x has some hundred megabytes.
	maxAnswerBytes = 1 << 30
	// maxRedirects is how many redirects within its server a request follows: Go's own limit.
	maxRedirects = 10
	// maxDepth is the deepest value that is copied. A deeper one is a cycle, which encoding/json reports.
	maxDepth = 1000
	// startTimeout is the time in which a daemon listens. It takes 0.3 s, on a loaded machine up to some seconds.
	startTimeout = 10 * time.Second
	// stopTimeout is the time in which a daemon sends what it has and stops. 1.x's daemon was killed after it as well.
	stopTimeout = 5 * time.Second
	// pollInterval is the pause between two requests to a daemon that does not listen yet.
	pollInterval = 20 * time.Millisecond
)
