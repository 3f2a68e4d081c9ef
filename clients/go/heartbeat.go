package datacat

import (
	"context"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// Heartbeat records that the program makes progress. The first one starts hang detection: without another one within the
// timeout (60 s, or that of StartHeartbeatMonitor), the session counts as hung until the next.
func (s *Session) Heartbeat() { s.heartbeat(0) }

// StartHeartbeatMonitor starts hang detection with a timeout: from now on a Heartbeat is due within it. Call Heartbeat from the
// loop that must not hang. The daemon decides whether it does; a goroutine of this package writes the stacks of all goroutines
// while a heartbeat is overdue.
func (s *Session) StartHeartbeatMonitor(timeout time.Duration) { s.heartbeat(timeout) }

func (s *Session) heartbeat(timeout time.Duration) {
	s.mark(func(r *lane.Record) { writeHeartbeat(r, float64(timeout)/float64(time.Millisecond)) })
	if s != nil && !s.isDisabled && !s.hasEnded.Load() {
		s.watchStacks()
		s.stacks.heartbeat(timeout)
	}
}

// Pause records that no heartbeats will follow until Resume or the next Heartbeat, so that their absence is not a hang.
func (s *Session) Pause() {
	s.mark(writePause)
	if s != nil {
		s.stacks.pause()
	}
}

// Resume records that heartbeats will follow again.
func (s *Session) Resume() {
	s.mark(writeResume)
	if s != nil {
		s.stacks.resume()
	}
}

// mark records an op that has no texts, so no limit applies to it.
func (s *Session) mark(write func(*lane.Record)) {
	if s.ready() {
		s.record(time.Time{}, func(r *lane.Record) bool {
			write(r)
			return true
		})
	}
}

// KeepBeating sends heartbeats from a goroutine of its own, three within each timeout, until ctx is done or the session
// ends. They show that the process runs, not that its main loop makes progress; Heartbeat in that loop shows both.
func (s *Session) KeepBeating(ctx context.Context, timeout time.Duration) {
	if timeout < 3*time.Millisecond || !s.ready() {
		return
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s.heartbeat(timeout)
	go func() {
		tick := time.NewTicker(timeout / 3)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.heartbeat(0)
			case <-s.over:
				return
			case <-ctx.Done():
				s.Pause() // otherwise the silence that follows is a hang
				return
			}
		}
	}()
}
