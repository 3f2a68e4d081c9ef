// Package datacat records what a program does, up to its last millisecond, and never hurts it: no call returns an error,
// panics, waits for a network or a server, or prints. A call is one write to a file that the Datacat daemon reads.
//
//	session := datacat.Open(context.Background(), datacat.Options{Product: "game", Version: "1.4.2"})
//	defer session.End()
//	defer session.Recover()
//
//	session.UpdateState(datacat.Data{"level": 3})
//	session.LogEvent("door_opened", datacat.Data{"door": 7})
//	session.Gauge("fps", 59.94)
//
// Everything is optional; what is not said comes from the environment (DATACAT_URL, DATACAT_PRODUCT, DATACAT_VERSION,
// DATACAT_SESSION, DATACAT_HOME…). The zero Session is ready for use and opens itself with its first call; a nil *Session
// does nothing. All methods may be called from any goroutine.
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
)

// Version of this client.
const Version = "2.0.0"

// Options say what to record about the session, and where. The zero value takes everything from the environment.
type Options struct {
	// URL of the server. Default: DATACAT_URL, else the daemon's own server.
	URL string
	// Product and Version group sessions on the dashboard. Default: DATACAT_PRODUCT, DATACAT_VERSION.
	Product, Version string
	// Tags to find the session by.
	Tags []string
	// State to begin with: Data, an Object, or a struct.
	State any
	// Direct sends from this process instead of leaving records to the daemon: for where there is no file system.
	Direct bool
	// Key is the API key for direct mode. Default: DATACAT_KEY.
	Key string
	// Join is the id of a session that another process opened: write to that one. Default: DATACAT_SESSION.
	Join string
	// Home is Datacat's folder on this machine. Default: DATACAT_HOME, else the system's place for such things.
	Home string
}

// Session records one run of a program.
type Session struct {
	opening sync.Once
	ctx     context.Context
	options Options
	clock   func() time.Time // tests set it

	id       string
	joined   bool // another process opened it: no start and no end of ours
	disabled bool
	sink     sink
	ended    atomic.Bool
	over     chan struct{} // closed with the session

	records atomic.Int64
	mu      sync.Mutex
	told    map[string]bool
	dropped map[string]int
}

// sink takes records: a lane, or the queue of direct mode.
type sink interface {
	write(r *record, at int64) outcome
	lossCause() string
	close()
}

// outcome is what became of a record.
type outcome uint8

const (
	kept outcome = iota
	lost
	late // the session had ended, by another goroutine's word
)

// Open opens a session. It always gives one that can be used, whatever is wrong; Stats tells what is recorded.
// In direct mode ctx bounds the background sender: when it is done, what is queued is sent once more and the sender stops.
func Open(ctx context.Context, options Options) *Session {
	s := &Session{ctx: ctx, options: options}
	s.ready()
	return s
}

// ready opens the session on its first use, and says whether there is anything to record to.
func (s *Session) ready() bool {
	if s == nil {
		return false
	}
	s.opening.Do(s.open)
	return !s.disabled && !s.ended.Load()
}

func (s *Session) open() {
	defer func() {
		if recover() != nil { // a fault of ours; the program must not notice
			s.disabled = true
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
		s.disabled = true
		return
	}

	now := s.clock()
	s.id = firstOf(s.options.Join, os.Getenv("DATACAT_SESSION"))
	s.joined = isID(s.id)
	if !s.joined {
		s.id = newID(now)
	}
	head := header{
		lane:        newID(now),
		session:     s.id,
		server:      strings.TrimRight(firstOf(s.options.URL, os.Getenv("DATACAT_URL")), "/"),
		at:          now.UnixMilli(),
		monotonicMs: monotonicMs(),
		writer:      thisProcess(),
	}
	daemonURL := os.Getenv("DATACAT_DAEMON_URL")
	switch {
	case daemonURL != "":
		s.sink = newQueue(s.ctx, head, strings.TrimRight(daemonURL, "/"), "") // the key is the daemon's business
	case s.options.Direct:
		s.sink = newQueue(s.ctx, head, firstOf(head.server, "http://localhost:8080"), firstOf(s.options.Key, os.Getenv("DATACAT_KEY")))
	default:
		homes := homes(s.options.Home)
		s.sink = newLane(head, partBytes(), func() []string { return laneFolders(homes) })
	}
	s.sayStart()
	if l, isLane := s.sink.(*lane); isLane {
		ensureDaemon(l.home(), now)
	}
}

func (s *Session) sayStart() {
	if !s.joined {
		s.record(time.Time{}, func(r *record) bool {
			r.start(&s.options, firstOf(s.options.Product, os.Getenv("DATACAT_PRODUCT")), firstOf(s.options.Version, os.Getenv("DATACAT_VERSION")))
			return true
		})
	}
}

// ID is the session's id, for its address on the dashboard and for other processes to join.
func (s *Session) ID() string {
	if s == nil {
		return ""
	}
	s.opening.Do(s.open)
	return s.id
}

// Environment is what a child process needs to record into this session too: append it to exec.Cmd.Env.
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

// UpdateState merges a patch into the state (RFC 7396): objects merge, nil deletes, everything else replaces.
// The patch is Data, an Object (whose keys keep their order), or a struct.
func (s *Session) UpdateState(patch any) {
	if s.ready() {
		s.record(time.Time{}, func(r *record) bool { return r.state(patch) })
	}
}

// Pause says that no heartbeats will come for a while, on purpose: until Resume or the next Heartbeat.
func (s *Session) Pause() { s.say(kindHeartbeat, `"pause"`) }

// Resume says that heartbeats come again.
func (s *Session) Resume() { s.say(kindHeartbeat, `"resume"`) }

func (s *Session) say(k kind, op string) {
	if s.ready() {
		s.record(time.Time{}, func(r *record) bool {
			r.begin(k, op)
			r.finish()
			return true
		})
	}
}

// End ends the session; later calls do nothing. Go has no hook for a normal exit, so a program that wants to be seen as
// ended, not as gone, says `defer session.End()`. In direct mode it waits for the server, two seconds at most.
func (s *Session) End() { s.end(nil) }

// EndWith is End for a program that knows its exit code and, if one asked it to stop, the signal ("SIGTERM").
func (s *Session) EndWith(exitCode int, signal string) { s.end(&exit{exitCode, signal}) }

func (s *Session) end(exit *exit) {
	s.close(func(r *record) bool { r.end(exit); return true })
}

// close writes the last record and lets go of everything, once. A session that another goroutine is just opening is waited
// for; one that was never used is not opened to be ended.
func (s *Session) close(last func(*record) bool) {
	if s == nil || s.ended.Swap(true) {
		return
	}
	s.opening.Do(func() { s.disabled = true })
	if s.sink == nil {
		return
	}
	if !s.joined {
		s.record(time.Time{}, last)
	}
	close(s.over)
	s.sink.close()
}

// Flush waits until the server has what was logged so far, or ctx is done. Only direct mode has anything to wait for.
func (s *Session) Flush(ctx context.Context) error {
	if s == nil {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s.opening.Do(s.open)
	if q, ok := s.sink.(*queue); ok {
		return q.flush(ctx)
	}
	return nil
}

// Stats is what a session recorded, and what of it was lost in this process.
type Stats struct {
	Session string
	// Records written (or queued), `dropped` notes included.
	Records int64
	// Dropped counts by cause what is missing or was written as its description.
	Dropped map[string]int
	// Queued is how many records wait for the server, in direct mode.
	Queued int
}

// Stats tells what this session recorded so far.
func (s *Session) Stats() Stats {
	stats := Stats{Session: s.ID(), Dropped: map[string]int{}}
	if s == nil {
		return stats
	}
	stats.Records = s.records.Load()
	if q, ok := s.sink.(*queue); ok {
		var full int
		if stats.Queued, full = q.counts(); full > 0 {
			stats.Dropped["queue_full"] = full
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for cause, count := range s.dropped {
		stats.Dropped[cause] += count
	}
	return stats
}

var records = sync.Pool{New: func() any { return &record{encoder: encoder{buf: make([]byte, room, 512)}} }}

// record makes one record and gives it to the sink, with a note for each thing that was lost on the way. Whatever
// happens, the program goes on.
func (s *Session) record(at time.Time, write func(*record) bool) {
	r := records.Get().(*record)
	defer func() {
		if recover() != nil { // a fault of ours
			s.count("internal")
			return // r is in an unknown state
		}
		if cap(r.buf) <= pooledBytes && cap(r.names) <= pooledNames {
			records.Put(r)
		}
	}()
	r.reset()
	r.buf = r.buf[:room]
	ms := at.UnixMilli()
	if ms <= 0 || ms > maxTime { // not said, or before there was anything to record, or in no unit of ours
		ms = s.clock().UnixMilli()
	}
	if write(r) {
		s.keep(r, ms)
	}
	for i := range r.losses {
		s.tell(r, r.losses[i], ms)
	}
}

func (s *Session) keep(r *record, at int64) {
	switch s.sink.write(r, at) {
	case kept:
		s.records.Add(1)
	case lost:
		s.count(s.sink.lossCause())
	}
}

// tell notes a loss. What is merely written differently is told once per path; what is missing, each time.
func (s *Session) tell(r *record, l loss, at int64) {
	s.count(l.cause)
	l.detail, _ = cutText(l.detail, maxDetail)
	if l.cause != "not_finite" && !strings.HasSuffix(l.detail, " bytes") && !s.isNew(l.detail) {
		return
	}
	r.dropped(l.cause, 1, l.detail)
	s.keep(r, at)
}

func (s *Session) isNew(detail string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[detail] || len(s.told) >= maxToldPaths {
		return false
	}
	if s.told == nil {
		s.told = map[string]bool{}
	}
	s.told[detail] = true
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
	return laneBytes
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
