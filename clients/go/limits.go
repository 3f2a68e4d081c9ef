package datacat

import "time"

// Every number that bounds something, each with its reason. What the server refuses is in src/core/limits.ts.
const (
	// maxDepth: beyond this nothing can be read by a person.
	maxDepth = 64
	// maxEventBytes: a stack of a thousand frames fits; a memory dump does not.
	maxEventBytes = 256 * 1024
	// maxOpBytes: the sequence and time that stand before take some.
	maxOpBytes = maxEventBytes - 64
	// maxEncodedBytes: a small value that holds another twice, and that again, grows beyond all memory; nothing this long is kept whole.
	maxEncodedBytes = 2 * 1024 * 1024
	// maxMembers: a map of more is longer than a state or an event may be, with keys of one letter.
	maxMembers = maxStateBytes / len(`"k":0,`)
	// maxStateBytes: a row of the server's storage holds the whole state beside a batch.
	maxStateBytes = 512 * 1024
	// wholeString: strings up to this stay whole when an event is cut to fit; names, paths and codes identify it.
	wholeString = 64
	// maxName, maxLabel, maxLabels, maxBuckets: what the server takes; beyond it the whole batch would be refused.
	maxName    = 256
	maxLabel   = 256
	maxLabels  = 64
	maxBuckets = 256
	maxID      = 128
	// maxTime: the last millisecond that the server's Date has; microseconds taken for seconds are beyond.
	maxTime = 8_640_000_000_000_000
	// maxDetail: a note about a loss names a place, and keys may be of any length.
	maxDetail = 1_024
	// maxDigits: a number longer than this is not computed with, which takes time that grows with the square of it.
	maxDigits = 1000
	// maxFrames: enough for any stack that is not a runaway recursion, of which the innermost frames tell all.
	maxFrames = 256
	// maxCauses: a chain of errors longer than this is a mistake, or a cycle.
	maxCauses = 16

	// laneBytes: when a part of a lane is full: small enough to be read, sent and deleted while the session goes on.
	laneBytes = 8 * 1024 * 1024
	// maxToldPaths: losses are told once per path; a program mistaken about more than these is mistaken everywhere.
	maxToldPaths = 1000
	// pooledBytes: a buffer that grew beyond this for one huge record is not kept for the next small one.
	pooledBytes = 64 * 1024
	pooledNames = 1_024
	// reopenAfter: a lane that could not be opened is tried again by later calls, but not by each of a thousand a frame.
	reopenAfter = 250 * time.Millisecond
	// restartAfter: a daemon that was started is given this long to say in daemon.json that it lives.
	restartAfter = 10 * time.Second

	// Direct mode: what waits in memory while the server is away.
	queueOps   = 10_000
	queueBytes = 4 * 1024 * 1024
	// A request: well under what the server takes (5,000 ops, 1 MiB), so that its CPU limit is not met either.
	batchOps   = 1_000
	batchBytes = 256 * 1024
	// gatherFor: ops that nobody waits for are gathered this long before they are sent.
	gatherFor = 500 * time.Millisecond
	// leaseFor: the server hears from this process within this time, or takes it for suspended; said again every third of it.
	leaseFor = 3 * time.Minute
	// refusedPause: between tries to find what the server refused, so that one that refuses everything is not stormed.
	refusedPause = 50 * time.Millisecond
	// requestTimeout: a server that has not answered by then is asked again.
	requestTimeout = 10 * time.Second
	// First and longest pause between two tries.
	retryFirst   = 250 * time.Millisecond
	retryLongest = 30 * time.Second
	// endWait: how long End waits in direct mode for the server to have it all. Nothing else in this package waits.
	endWait = 2 * time.Second
	// maxAnswerBytes: an answer is a few hundred bytes per batch; anything longer is not from a Datacat server.
	maxAnswerBytes = 1024 * 1024
)
