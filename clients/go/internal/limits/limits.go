// Package limits holds every number that bounds something in this module, each with its reason. The server's own limits
// are in src/core/limits.ts.
package limits

import "time"

// Values and records.
const (
	// MaxDepth is the deepest nesting of a value that is written. A deeper one is not readable.
	MaxDepth = 64
	// MaxEventBytes is the longest record. A stack of a thousand frames fits; a memory dump does not.
	MaxEventBytes = 256 * 1024
	// MaxOpBytes is the longest op of a record: its sequence and time take the rest of MaxEventBytes.
	MaxOpBytes = MaxEventBytes - 64
	// MaxStateBytes is the longest patch, in bytes of JSON: one row of the server's storage holds the whole state beside a batch.
	MaxStateBytes = 512 * 1024
	// MaxEncodedBytes is where the encoder stops. A small value that contains another twice, and so on, has no bound of its
	// own, and a record of this length is cut or dropped anyway.
	MaxEncodedBytes = 2 * 1024 * 1024
	// MaxMembers is the largest map that is written: with keys of one letter, a larger one is over MaxStateBytes.
	MaxMembers = MaxStateBytes / len(`"k":0,`)
	// MaxCut is the length to which strings are cut first when an event is too long: half of the longest event.
	MaxCut = MaxEventBytes / 2
	// MinCut is the length to which strings are cut last: names, paths and codes of this length identify an event.
	MinCut = 64
	// MaxDigits is the longest number that is converted. Conversion takes time that grows with the square of its length.
	MaxDigits = 1000
	// MaxBits is the largest number (of package math/big) whose digits are computed: about 80,000 of them. The time grows faster
	// than their number, and the exponent of a big.Float can stand for a thousand million digits.
	MaxBits = 1 << 18
	// MaxExact is the largest integer up to which a double holds every integer (2^53). A larger one is written as a string.
	MaxExact = 1 << 53
	// MaxName, MaxLabel (in UTF-16 units), MaxLabels, MaxBuckets and MaxID are what the server accepts. It refuses a whole
	// batch because of one longer value.
	MaxName    = 256
	MaxLabel   = 256
	MaxLabels  = 64
	MaxBuckets = 256
	MaxID      = 128
	// MaxTestParts and MaxTestPart (in UTF-16 units) are those of a test's id.
	MaxTestParts = 32
	MaxTestPart  = 500
	// Redaction (src/core/secrets/limits.ts has the reasons): how far scanners look back or ahead, in bytes.
	MaxSecretName      = 128
	MaxCachedNames     = 256 // the cache is copied for each new one
	MaxNameDistance    = MaxSecretName + 8
	MaxPEMLabel        = 64
	MaxUserinfo        = 512
	MaxCommandDistance = 120
	MinURLToken        = 16
	MaxArgumentsBefore = 6
	MaxPasses          = 8
	MaxIndex           = 32
	MaxTagLength       = 128
	MaxNetrc           = 256
	// MinRead is how many characters are read of a text that is cut to MaxCut: 4,096 more, because a secret may stand across the cut.
	// FirstRead has room for secrets in bytes.
	MinRead     = MaxCut + 4096
	FirstRead   = MinRead + 32*1024
	MaxItemName = 64
	// MaxTime is the last millisecond of JavaScript's Date. A time in microseconds is larger.
	MaxTime = 8_640_000_000_000_000
	// MaxDetail is the longest description of a loss (in UTF-16 units): it contains a path of keys, which have any length.
	MaxDetail = 1_024
	// MaxLossPaths is how many paths of losses a session reports. A program that makes more mistakes repeats one in a loop.
	MaxLossPaths = 1_000
	// MaxFrames is the deepest stack that is recorded. Only a runaway recursion has more, and its innermost frames show it.
	MaxFrames = 256
	// MaxCauses is the longest chain of causes (causes_kept in clients/README.md). A longer one is a cycle or a mistake.
	MaxCauses = 16
	// MaxTree is how many causes and members one exception has, the same in every client as all of these (clients/README.md,
	// "Exceptions"). A group of more tasks fails for few reasons.
	MaxTree = 64
	// CauseFrames, CausesLength and CauseMessage bound these: frames of each, bytes of all their stacks, and bytes of each message.
	CauseFrames  = 100
	CausesLength = 64 * 1024
	CauseMessage = 8 * 1024
	// MaxAttributes is how many fields of an error are recorded, and AttributeLength how many bytes of each: a paragraph.
	MaxAttributes   = 32
	AttributeLength = 1_000
	// MaxSources is how many excerpts of source an exception has, SourceLines how many lines before and after the frame's, and
	// SourceLength how many bytes of a line.
	MaxSources   = 16
	SourceLines  = 4
	SourceLength = 200
	// SourceFiles is how many source files are kept, and SourceFileBytes the largest that is read: generated ones are larger.
	SourceFiles     = 64
	SourceFileBytes = 512 * 1024
	// PooledBytes and PooledNames are the largest buffers that are kept for the next record: one huge record does not hold
	// its memory for ever.
	PooledBytes = 64 * 1024
	PooledNames = 1_024
)

// Attachments: the numbers of all clients; a test compares them with test/fixtures/attachments.json.
const (
	// MaxAttachmentBytes is the largest attachment: ten screenshots of 4K, or a log of 100,000 lines.
	MaxAttachmentBytes = 10 * 1024 * 1024
	// BlockBytes are read and written at once: the memory of a program that crashes may be low.
	BlockBytes = 64 * 1024
	// ChunkBytes are in one request of direct mode: half of the largest row of Cloudflare's SQLite.
	ChunkBytes = 1024 * 1024
	// WaitingBytes is the content that waits in memory in direct mode: as much as the queue of ops.
	WaitingBytes = 4 * 1024 * 1024
	// MaxMediaType is the longest media type. The longest registered one has 73 characters.
	MaxMediaType = 100
	// DefaultMediaType is the type of a name without a known extension.
	DefaultMediaType = "application/octet-stream"
	// UnknownAnswers is how often the server answers that it does not have the op before it is not asked again: the op was dropped
	// because the queue was full. They take a minute.
	UnknownAnswers = 6
)

// MediaTypes are the types of names by their extension.
var MediaTypes = map[string]string{
	"png":  "image/png",
	"jpg":  "image/jpeg",
	"jpeg": "image/jpeg",
	"webp": "image/webp",
	"gif":  "image/gif",
	"txt":  "text/plain",
	"log":  "text/plain",
	"json": "application/json",
	"html": "text/html",
	"csv":  "text/csv",
	"xml":  "application/xml",
	"pdf":  "application/pdf",
	"zip":  "application/zip",
	"gz":   "application/gzip",
	"mp4":  "video/mp4",
	"webm": "video/webm",
	"wav":  "audio/wav",
}

// Lanes and the daemon.
const (
	// LaneBytes is the length of one part of a lane. A part of this length is read, sent and deleted during the session.
	LaneBytes = 8 * 1024 * 1024
	// ReopenAfter is the pause before a lane that could not be opened is tried again. A frame may make a thousand calls.
	ReopenAfter = 250 * time.Millisecond
	// CheckAfter is how often a lane checks that its file still exists.
	CheckAfter = time.Second
	// ReservedBytes is the space that a session reserves for its last reports and its end, besides the header: four reports
	// take 800 bytes, an end 60.
	ReservedBytes = 3072
	// RestartAfter is the time in which a started daemon writes daemon.json. No second one is started within it.
	RestartAfter = 10 * time.Second
)

// Stacks of a program that hangs (clients/README.md, "Stacks and fatal errors").
const (
	// DefaultTimeout is the time within which a heartbeat is due without another timeout, as for the server.
	DefaultTimeout = time.Minute
	// HangSamples are taken at an interval of a third of the timeout, at most SampleInterval: three show whether stacks change.
	HangSamples    = 3
	SampleInterval = 5 * time.Second
	// RepeatInterval is the time between further samples of the same hang. The daemon keeps the last one.
	RepeatInterval = time.Minute
	// LateTimer is how late a timer is after the process was stopped or the machine slept. The next heartbeat gets its time again.
	LateTimer = time.Second
	// StackBytes is the text of all goroutines that is looked at: about 7,000 goroutines. SampleBytes is what is written of it, as
	// much as the server stores of a sample.
	StackBytes  = 1024 * 1024
	SampleBytes = 64 * 1024
	// MaxGoroutines is the most whose stacks are taken. All goroutines stand still meanwhile: 27 ms for 10,000 of them.
	MaxGoroutines = 100_000
)

// Direct mode: the policy of all clients. Its reasons are in clients/README.md, "Direct mode"; a test compares these numbers
// with test/fixtures/direct-policy.json.
const (
	QueueOps           = 10_000
	QueueBytes         = 4 * 1024 * 1024
	QueueFreedPercent  = 10
	BatchOps           = 1_000
	BatchBytes         = 256 * 1024
	Gather             = time.Second
	WatchedGather      = 250 * time.Millisecond
	Lease              = 3 * time.Minute
	LeaseRenewal       = Lease / 3
	RequestTimeout     = 30 * time.Second
	RetryFirst         = time.Second
	RetryLongest       = 30 * time.Second
	RetryJitterPercent = 50
	RefusedPause       = 50 * time.Millisecond
	EndWait            = 2 * time.Second
)

// MaxAnswerBytes is the longest answer that is read. A Datacat server answers a few hundred bytes for a batch.
const MaxAnswerBytes = 1024 * 1024

// IdleConnection is how long an unused connection stays open: longer than LeaseRenewal, so that a renewal finds it open.
const IdleConnection = 90 * time.Second
