package datacat

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// stackMonitor writes the stacks of all goroutines to a side file of the lane while a heartbeat is overdue. While all is well
// its goroutine wakes up at most once per timeout.
//
// A pending timer keeps the Go runtime from reporting that all goroutines are asleep. So there is none while no heartbeat is due,
// nor after the first samples of a hang if no goroutine can go on in them.
type stackMonitor struct {
	starting sync.Once
	file     *os.File
	begun    time.Time // the origin of the times below, in nanoseconds
	clock    func() time.Time

	isStarted atomic.Bool
	timeout   atomic.Int64
	dueAt     atomic.Int64 // when the next heartbeat is due; 0 if none is, and so no timer is needed
	isIdle    atomic.Bool  // the goroutine waits for wake
	wake      chan struct{}
	sender    atomic.Int64 // the goroutine that sent the first heartbeat
}

// watchStacks begins to watch the session's heartbeats, if it has a lane.
func (s *Session) watchStacks() {
	s.stacks.starting.Do(func() {
		l, isLane := s.sink.(*lane.Lane)
		if !isLane || !s.hasStacks() {
			return
		}
		file := l.OpenSide("stacks")
		if file == nil {
			return
		}
		m := &s.stacks
		m.file, m.clock, m.begun = file, s.clock, time.Now()
		m.wake = make(chan struct{}, 1)
		m.timeout.Store(int64(limits.DefaultTimeout))
		m.isStarted.Store(true)
		go m.run(s.over)
	})
}

// hasStacks reports whether the program allows samples of its stacks and the text of a fatal error.
func (s *Session) hasStacks() bool { return !s.options.NoStacks && os.Getenv("DATACAT_STACKS") != "0" }

// heartbeat notes a heartbeat. With a timeout, that is from now on the time within which the next one is due.
func (m *stackMonitor) heartbeat(timeout time.Duration) {
	if !m.isStarted.Load() {
		return
	}
	if timeout >= time.Millisecond {
		m.timeout.Store(int64(timeout))
	} else if m.sender.Load() == 0 {
		m.sender.Store(goroutineID())
	}
	m.resume()
}

// resume notes that the next heartbeat is due within the timeout.
func (m *stackMonitor) resume() {
	if m.isStarted.Load() {
		m.expect(int64(time.Since(m.begun)) + m.timeout.Load())
	}
}

// pause notes that no heartbeat is due.
func (m *stackMonitor) pause() {
	if m.isStarted.Load() {
		m.expect(0)
	}
}

func (m *stackMonitor) expect(dueAt int64) {
	m.dueAt.Store(dueAt)
	if m.isIdle.Load() {
		select {
		case m.wake <- struct{}{}:
		default: // it wakes up already
		}
	}
}

func (m *stackMonitor) run(over <-chan struct{}) {
	defer m.file.Close()
	defer func() { _ = recover() }() // a fault of this package must not reach the program
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		due := m.dueAt.Load()
		if due == 0 {
			if !m.idle(due, nil, over) {
				return
			}
			continue
		}
		wait := time.Duration(due) - time.Since(m.begun)
		if wait <= 0 {
			if !m.sampleHang(due, timer, over) {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-over:
			timer.Stop()
			return
		}
		if time.Since(m.begun) > time.Duration(due)+limits.LateTimer {
			// The process was stopped, or the machine slept: the heartbeat is not late yet.
			m.dueAt.CompareAndSwap(due, int64(time.Since(m.begun))+m.timeout.Load())
		}
	}
}

// sampleHang takes samples until the heartbeat that is due arrives. It returns false when the session has ended.
func (m *stackMonitor) sampleHang(due int64, timer *time.Timer, over <-chan struct{}) bool {
	m.file.Truncate(0) //nolint:errcheck // the samples of the last hang stay before these
	for taken := 1; m.dueAt.Load() == due; taken++ {
		canContinue := m.sample()
		wait := time.Duration(m.timeout.Load()) / limits.HangSamples
		if wait > limits.SampleInterval {
			wait = limits.SampleInterval
		}
		if taken >= limits.HangSamples {
			wait = limits.RepeatInterval
		}
		var elapsed <-chan time.Time
		if canContinue || taken < limits.HangSamples {
			timer.Reset(wait)
			elapsed = timer.C
		}
		if !m.idle(due, elapsed, over) {
			return false
		}
		if !timer.Stop() {
			select {
			case <-timer.C:
			default:
			}
		}
	}
	return true
}

// idle waits for a heartbeat, a time or the end of the session. It returns false at the end.
func (m *stackMonitor) idle(due int64, elapsed <-chan time.Time, over <-chan struct{}) bool {
	m.isIdle.Store(true)
	defer m.isIdle.Store(false)
	if m.dueAt.Load() != due { // it arrived before isIdle was set
		return true
	}
	select {
	case <-m.wake:
		return true
	case <-elapsed:
		return true
	case <-over:
		return false
	}
}

// sample writes the stacks of all goroutines but this one. It reports whether any of them can go on without another.
func (m *stackMonitor) sample() (canContinue bool) {
	if runtime.NumGoroutine() > limits.MaxGoroutines {
		return false
	}
	text := make([]byte, limits.StackBytes)
	text = text[:runtime.Stack(text, true)]
	goroutines := bytes.Split(text, []byte("\n\n"))[1:] // the first is this one
	line := append(strconv.AppendInt([]byte("# "), m.clock().UnixMilli(), 10), '\n')
	m.file.Write(sampleText(line, goroutines, m.sender.Load())) //nolint:errcheck // without room there is no sample
	return anyContinues(goroutines)
}

// sampleText is a sample with the goroutine that sends heartbeats first. Goroutines that find no room are left out.
func sampleText(text []byte, goroutines [][]byte, sender int64) []byte {
	header := strconv.AppendInt([]byte("goroutine "), sender, 10)
	header = append(header, ' ')
	for i, goroutine := range goroutines {
		if bytes.HasPrefix(goroutine, header) {
			copy(goroutines[1:i+1], goroutines[:i])
			goroutines[0] = goroutine
			break
		}
	}
	for _, goroutine := range goroutines {
		if len(text)+len(goroutine)+2 > limits.SampleBytes {
			break
		}
		text = append(append(text, goroutine...), "\n\n"...)
	}
	return text
}

// anyContinues reports whether a goroutine runs, or waits for something outside of the program: a system call, a connection,
// the time.
func anyContinues(goroutines [][]byte) bool {
	for _, goroutine := range goroutines {
		_, state, _ := bytes.Cut(goroutine, []byte(" ["))
		for _, going := range []string{"run", "syscall", "IO wait", "sleep"} { // running, runnable
			if bytes.HasPrefix(state, []byte(going)) {
				return true
			}
		}
	}
	return false
}

// goroutineID is the number of this goroutine, which the runtime only prints.
func goroutineID() int64 {
	var line [64]byte
	text := bytes.TrimPrefix(line[:runtime.Stack(line[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(text, []byte(" "))
	id, _ := strconv.ParseInt(string(digits), 10, 64)
	return id
}
