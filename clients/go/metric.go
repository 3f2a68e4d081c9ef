package datacat

import (
	"sync/atomic"
	"time"
)

// Detail says more about a measurement: Unit, Tags, Metadata, Buckets, Count.
type Detail struct {
	unit     string
	tags     []string
	metadata any
	buckets  []float64
	count    int
}

// Unit of the value, e.g. "fps", "bytes". Measurements of one name with different units are still one series.
func Unit(unit string) Detail { return Detail{unit: unit} }

// Tags tell series of one name apart, e.g. Tags("disk:sda").
func Tags(tags ...string) Detail { return Detail{tags: tags} }

// Metadata about a series; the first that is said is kept.
func Metadata(metadata any) Detail { return Detail{metadata: metadata} }

// Buckets are a histogram's own upper bounds, ascending. A last one without bound always follows.
func Buckets(bounds ...float64) Detail { return Detail{buckets: bounds} }

// Count is how many iterations a timer measured.
func Count(count int) Detail { return Detail{count: count} }

// Gauge records a value as it is now.
func (s *Session) Gauge(name string, value float64, details ...Detail) {
	s.measure(`"metric","type":"gauge","name":`, `,"value":`, name, value, details)
}

// Counter adds delta to a total.
func (s *Session) Counter(name string, delta float64, details ...Detail) {
	s.measure(`"metric","type":"counter","name":`, `,"delta":`, name, delta, details)
}

// Histogram adds a sample to a distribution. Without Buckets, bounds good for seconds are used.
func (s *Session) Histogram(name string, value float64, details ...Detail) {
	s.measure(`"metric","type":"histogram","name":`, `,"value":`, name, value, details)
}

// Duration records how long something took, in seconds unless Unit says "milliseconds".
func (s *Session) Duration(name string, took time.Duration, details ...Detail) {
	value := took.Seconds()
	for _, detail := range details {
		if detail.unit == "milliseconds" || detail.unit == "ms" {
			value = float64(took) / float64(time.Millisecond)
		}
	}
	s.timed(name, value, details)
}

func (s *Session) timed(name string, value float64, details []Detail) {
	s.measure(`"metric","type":"timer","name":`, `,"value":`, name, value, details)
}

// measure does what record does, without a function value: metrics are what games log a hundred times a frame.
func (s *Session) measure(op, key, name string, value float64, details []Detail) {
	if !s.ready() {
		return
	}
	s.record(time.Time{}, func(r *record) bool { return r.metric(op, key, name, value, details) })
}

// Timer measures from its making to Stop:
//
//	defer session.Timer("load").Stop()
type Timer struct {
	session *Session
	name    string
	details []Detail
	started time.Time
	count   atomic.Int64
	stopped atomic.Bool
}

// Timer starts one.
func (s *Session) Timer(name string, details ...Detail) *Timer {
	return &Timer{session: s, name: name, details: append([]Detail(nil), details...), started: time.Now()}
}

// Add counts iterations, so that the time of one can be told.
func (t *Timer) Add(iterations int) {
	if t != nil {
		t.count.Add(int64(iterations))
	}
}

// Stop records the time since the timer was made, once, and answers it. One that was never made (nil, or the zero Timer)
// records nothing.
func (t *Timer) Stop() time.Duration {
	if t == nil || t.started.IsZero() {
		return 0
	}
	took := time.Since(t.started) // by the monotonic clock
	if !t.stopped.Swap(true) {
		if count := t.count.Load(); count > 0 {
			t.details = append(t.details, Count(int(count)))
		}
		t.session.Duration(t.name, took, t.details...)
	}
	return took
}
