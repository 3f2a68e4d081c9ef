package datacat

import (
	"sync/atomic"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// Detail is an option of a measurement: Unit, Tags, Metadata, Buckets or Count.
type Detail struct {
	unit     string
	tags     []string
	metadata any
	buckets  []float64
	count    int
}

// Unit is the unit of the value, e.g. "fps", "bytes". Measurements of one name with different units are one series.
func Unit(unit string) Detail { return Detail{unit: unit} }

// Tags separate the series of one name, e.g. Tags("disk:sda"), Tags(Tag("gpu", 0)) or Tags(TagsOf(values)...).
func Tags(tags ...string) Detail { return Detail{tags: tags} }

// Metadata describes a series: Data, an Object, or a struct. The first one of a series is kept.
func Metadata(metadata any) Detail { return Detail{metadata: metadata} }

// Buckets are a histogram's upper bounds, ascending. A last bucket without a bound always follows.
func Buckets(bounds ...float64) Detail { return Detail{buckets: bounds} }

// Count is the number of iterations that a timer measured.
func Count(count int) Detail { return Detail{count: count} }

// mergeDetails combines details. Of two of one kind, the last one counts.
func mergeDetails(details []Detail) Detail {
	d := details[0]
	for _, next := range details[1:] {
		if next.unit != "" {
			d.unit = next.unit
		}
		if next.tags != nil {
			d.tags = next.tags
		}
		if next.metadata != nil {
			d.metadata = next.metadata
		}
		if next.buckets != nil {
			d.buckets = next.buckets
		}
		if next.count != 0 {
			d.count = next.count
		}
	}
	return d
}

// Gauge records a current value.
func (s *Session) Gauge(name string, value float64, details ...Detail) {
	s.measure(`"metric","type":"gauge","name":`, `,"value":`, name, value, details)
}

// Counter adds delta to a total.
func (s *Session) Counter(name string, delta float64, details ...Detail) {
	s.measure(`"metric","type":"counter","name":`, `,"delta":`, name, delta, details)
}

// Histogram adds a sample to a distribution. The default Buckets suit seconds.
func (s *Session) Histogram(name string, value float64, details ...Detail) {
	s.measure(`"metric","type":"histogram","name":`, `,"value":`, name, value, details)
}

// Duration records how long something took: in milliseconds with Unit("milliseconds") or Unit("ms"), else in seconds.
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

func (s *Session) measure(op, key, name string, value float64, details []Detail) {
	if !s.ready() {
		return
	}
	s.record(time.Time{}, func(r *lane.Record) bool { return writeMetric(r, op, key, name, value, details) })
}

// Timer measures the time from Session.Timer to Stop:
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

// Timer starts a timer.
func (s *Session) Timer(name string, details ...Detail) *Timer {
	return &Timer{session: s, name: name, details: append([]Detail(nil), details...), started: time.Now()}
}

// Add counts iterations, which gives the time of one.
func (t *Timer) Add(iterations int) {
	if t != nil {
		t.count.Add(int64(iterations))
	}
}

// Stop records the time since the timer was started, once, and returns it. A nil or zero Timer records nothing.
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
