package datacat

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/daemon"
	"github.com/datacat/datacat/clients/go/v2/internal/direct"
	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/process"
	"github.com/datacat/datacat/clients/go/v2/internal/settings"
)

// Session records one run of a program.
type Session struct {
	opening sync.Once
	ctx     context.Context
	options Options
	clock   func() time.Time // replaced by tests

	id         string
	isJoined   bool // another process opened it and ends it
	isDisabled bool
	sink       sink
	hasEnded   atomic.Bool
	over       chan struct{} // closed with the session
	stacks     stackMonitor

	records  atomic.Int64
	mu       sync.Mutex
	reported map[string]bool // paths of losses that have a `dropped` record
	dropped  map[string]int  // losses by cause
}

// sink is where records go: a lane, or the queue of direct mode.
type sink interface {
	Write(r *lane.Record, at int64) lane.Outcome
	LossCause() string
	Close()
}

// ready opens the session on its first use, and reports whether it records.
func (s *Session) ready() bool {
	if s == nil {
		return false
	}
	s.opening.Do(s.open)
	return !s.isDisabled && !s.hasEnded.Load()
}

func (s *Session) open() {
	defer func() {
		if recover() != nil { // a fault of this package must not reach the program
			s.isDisabled = true
		}
	}()
	if s.ctx == nil {
		s.ctx = context.Background()
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.over = make(chan struct{})
	if isTrue(os.Getenv("DATACAT_DISABLED")) {
		s.isDisabled = true
		return
	}

	now := s.clock()
	s.id = firstOf(s.options.Join, os.Getenv("DATACAT_SESSION"))
	s.isJoined = lane.IsID(s.id)
	if !s.isJoined {
		s.id = lane.NewID(now)
	}
	s.openSink(lane.Header{
		Lane:        lane.NewID(now),
		Session:     s.id,
		Server:      strings.TrimRight(firstOf(s.options.URL, os.Getenv("DATACAT_URL")), "/"),
		At:          now.UnixMilli(),
		MonotonicMs: process.MonotonicMs(),
		Writer:      lane.ThisWriter("datacat-go " + Version),
	})
	s.recordStart()
	s.watchFatal()
	if _, isLane := s.sink.(*lane.Lane); isLane {
		daemon.Ensure(lane.Usable(lane.Homes(s.options.Home)), now)
	}
}

// openSink chooses where records go: to a daemon elsewhere, to the server, or to a lane.
func (s *Session) openSink(header lane.Header) {
	daemonURL := strings.TrimRight(os.Getenv("DATACAT_DAEMON_URL"), "/")
	switch {
	case daemonURL != "":
		s.sink = direct.New(s.ctx, header, daemonURL, "") // that daemon has a key of its own
	case s.options.Direct || isOriginalAlone(s.options.Home):
		url := firstOf(header.Server, "http://localhost:8080")
		s.sink = direct.New(s.ctx, header, url, firstOf(s.options.Key, settings.KeyFor(url)))
	default:
		homes := lane.Homes(s.options.Home)
		l := lane.New(header, partBytes(), func() []string { return lane.Folders(homes) })
		l.IsJoined = s.isJoined
		s.sink = l
	}
}

// isOriginalAlone reports whether lanes would stay unsent: the daemon that is found is that of datacat 1.x, which reads none,
// and no other serves the home.
func isOriginalAlone(home string) bool {
	for _, each := range lane.Homes(home) {
		if daemon.IsServed(each) {
			return false
		}
	}
	return daemon.FindOriginal("sends its records to the server itself, without a daemon") != ""
}

func (s *Session) recordStart() {
	if s.isJoined {
		if len(s.options.Tags) > 0 {
			s.addTags(s.options.Tags)
		}
		return
	}
	options := s.options
	if more := environmentTags(); more != nil {
		options.Tags = append(more, options.Tags...)
	}
	options.Product = firstOf(options.Product, os.Getenv("DATACAT_PRODUCT"))
	options.Version = firstOf(options.Version, os.Getenv("DATACAT_VERSION"))
	s.record(time.Time{}, func(r *lane.Record) bool {
		writeStart(r, &options)
		return true
	})
}

// ID is the session's id: part of its address on the dashboard, and what another process joins.
func (s *Session) ID() string {
	if s == nil {
		return ""
	}
	s.opening.Do(s.open)
	return s.id
}

// Environment lists the variables with which a child process records into this session. Append it to exec.Cmd.Env.
func (s *Session) Environment() []string {
	if s.ID() == "" {
		return nil
	}
	environment := []string{"DATACAT_SESSION=" + s.id}
	if s.options.URL != "" {
		environment = append(environment, "DATACAT_URL="+s.options.URL)
	}
	if home, err := filepath.Abs(s.options.Home); s.options.Home != "" && err == nil { // the child may run in another folder
		environment = append(environment, "DATACAT_HOME="+home)
	}
	return environment
}

// UpdateState merges a patch into the state (RFC 7396): objects are merged, nil deletes a key, every other value replaces.
// The patch is Data, an Object (whose keys keep their order), or a struct.
func (s *Session) UpdateState(patch any) {
	if s.ready() {
		s.record(time.Time{}, func(r *lane.Record) bool { return writeState(r, patch) })
	}
}

// End ends the session; later calls do nothing. Go has no hook for a normal exit, so without `defer session.End()` the
// session of a program that exits counts as crashed. In direct mode End waits for the server, two seconds at most.
func (s *Session) End() { s.close(writeEnd) }

// EndWith ends the session with the program's exit code and, if one stopped the program, the signal ("SIGTERM").
func (s *Session) EndWith(exitCode int, signal string) {
	s.close(func(r *lane.Record) { writeExit(r, exitCode, signal) })
}

// close writes the last record and closes the sink, once. It waits for an opening in another goroutine, and does not open a
// session that was never used.
func (s *Session) close(writeLast func(*lane.Record)) {
	if s == nil || s.hasEnded.Swap(true) {
		return
	}
	s.opening.Do(func() { s.isDisabled = true })
	if s.sink == nil {
		return
	}
	if !s.isJoined {
		s.record(time.Time{}, func(r *lane.Record) bool {
			writeLast(r)
			return true
		})
	}
	s.releaseFatal()
	close(s.over)
	s.sink.Close()
}

// Flush waits until the server has all earlier records, or ctx is done. Without direct mode it returns at once.
func (s *Session) Flush(ctx context.Context) error {
	if s == nil {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s.opening.Do(s.open)
	if q, ok := s.sink.(*direct.Queue); ok {
		return q.Flush(ctx)
	}
	return nil
}

// Stats counts what a session recorded, and what this process lost of it.
type Stats struct {
	// Session is the session's id.
	Session string
	// Records were written or queued. Those that count losses (`dropped`) are included.
	Records int64
	// Dropped counts by cause the values that are missing, and those that are described by a text.
	Dropped map[string]int
	// Queued records wait for the server, in direct mode.
	Queued int
}

// Stats returns the counts so far.
func (s *Session) Stats() Stats {
	stats := Stats{Session: s.ID(), Dropped: map[string]int{}}
	if s == nil {
		return stats
	}
	stats.Records = s.records.Load()
	if q, ok := s.sink.(*direct.Queue); ok {
		var full int
		if stats.Queued, full = q.Counts(); full > 0 {
			stats.Dropped["queue_full"] = full
		}
	}
	if l, ok := s.sink.(*lane.Lane); ok && !l.HasStart() { // until it is written it is lost
		stats.Records--
		stats.Dropped[l.LossCause()]++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for cause, count := range s.dropped {
		stats.Dropped[cause] += count
	}
	return stats
}

var recordPool = sync.Pool{New: func() any { return lane.NewRecord() }}

// record makes one record and a `dropped` record for each loss in it, and writes them. write returns false for an op that
// is not to be written. A panic in here is a fault of this package and does not reach the program.
func (s *Session) record(at time.Time, write func(*lane.Record) bool) {
	r := recordPool.Get().(*lane.Record)
	defer func() {
		if recover() != nil {
			s.count("internal")
			return // r is in an unknown state
		}
		if r.IsSmall() {
			recordPool.Put(r)
		}
	}()
	r.Reset()
	ms := at.UnixMilli()
	if ms <= 0 || ms > limits.MaxTime { // not set, or not a time that the server accepts
		ms = s.clock().UnixMilli()
	}
	if write(r) {
		s.write(r, ms)
	}
	for i := range r.Losses {
		s.reportLoss(r, r.Losses[i], ms)
	}
}

func (s *Session) write(r *lane.Record, at int64) {
	switch s.sink.Write(r, at) {
	case lane.Kept, lane.Late:
		s.records.Add(1)
	case lane.Lost:
		s.count(s.sink.LossCause())
	}
}

// reportLoss counts a loss and records it. A value that is described by a text is recorded once for each path; a value that
// is missing, each time.
func (s *Session) reportLoss(r *lane.Record, loss encode.Loss, at int64) {
	s.count(loss.Cause)
	detail, _ := encode.CutText(loss.Detail, limits.MaxDetail)
	if loss.Cause != "not_finite" && loss.Cause != "unreadable" && !strings.HasSuffix(detail, " bytes") && !s.isNew(detail) {
		return
	}
	r.Dropped(loss.Cause, 1, detail)
	s.write(r, at)
}

// isNew reports whether a path of a loss was not reported yet.
func (s *Session) isNew(detail string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reported[detail] || len(s.reported) >= limits.MaxLossPaths {
		return false
	}
	if s.reported == nil {
		s.reported = map[string]bool{}
	}
	s.reported[detail] = true
	return true
}

func (s *Session) count(cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped == nil {
		s.dropped = map[string]int{}
	}
	s.dropped[cause]++
}

func partBytes() int64 {
	if n, err := strconv.ParseInt(os.Getenv("DATACAT_LANE_BYTES"), 10, 64); err == nil && n > 0 {
		return n
	}
	return limits.LaneBytes
}

func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
