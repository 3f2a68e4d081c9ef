package datacat

import (
	"context"
	"time"
)

// Heartbeat says that the program is alive. The first one arms hang detection: without another within the timeout (60 s,
// or what StartHeartbeatMonitor said), the session counts as hung until the next.
func (s *Session) Heartbeat() { s.beat(0) }

// StartHeartbeatMonitor arms hang detection with a timeout of one's own: from now on a Heartbeat is due within it. No
// goroutine is started; the daemon watches. Call Heartbeat from the loop that must not hang.
func (s *Session) StartHeartbeatMonitor(timeout time.Duration) { s.beat(timeout) }

func (s *Session) beat(timeout time.Duration) {
	if s.ready() {
		s.record(time.Time{}, func(r *record) bool {
			r.heartbeat(float64(timeout) / float64(time.Millisecond))
			return true
		})
	}
}

// KeepBeating sends heartbeats from a goroutine of its own, three within each timeout, until ctx is done or the session
// ends. It shows that the process runs at all, not that the rest of it makes progress: prefer Heartbeat in a main loop.
func (s *Session) KeepBeating(ctx context.Context, timeout time.Duration) {
	if timeout < 3*time.Millisecond || !s.ready() {
		return
	}
	if ctx == nil {
		ctx = context.Background()
	}
	s.beat(timeout)
	go func() {
		tick := time.NewTicker(timeout / 3)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.beat(0)
			case <-s.over:
				return
			case <-ctx.Done():
				s.Pause() // the silence that follows is meant
				return
			}
		}
	}()
}
