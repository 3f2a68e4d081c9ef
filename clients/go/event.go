package datacat

import (
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// Category is an event's severity. Any other text may be used as well.
type Category string

// The categories that the dashboard gives colours. Info is the default, Error that of an event with an exception.
const (
	Debug    Category = "debug"
	Info     Category = "info"
	Warning  Category = "warning"
	Error    Category = "error"
	Critical Category = "critical"
)

// Event is something that happened. Only Name is required.
type Event struct {
	Name     string
	Category Category
	// Group is the part of the program, e.g. a logger's name.
	Group string
	// Tags are those of this event beside those of the session: "key:value", or a key. See Tag and TagsOf.
	Tags    []string
	Message string
	// Data is a free-form object: Data, an Object (whose keys keep their order), or a struct.
	Data any
	// Err adds an error: its type, message, causes, and the stack of this call.
	Err error
	// Exception adds an exception that is already described, instead of Err.
	Exception *Exception
	// Fingerprint groups exceptions: those with the same one are one group, whatever their type and stack. Default: computed from both.
	Fingerprint string
	// Test describes a test of a test run that the event is about.
	Test *TestFact
	// Time is when it happened. Default: now.
	Time time.Time
}

// LogEvent records an event. data may be nil.
func (s *Session) LogEvent(name string, data Data) {
	if !s.ready() {
		return
	}
	event := Event{Name: name}
	if data != nil {
		event.Data = data
	}
	s.log(&event)
}

// Log records an event with any of its fields.
func (s *Session) Log(event Event) {
	if !s.ready() {
		return
	}
	if event.Err != nil && event.Exception == nil {
		event.Exception = describe(event.Err, callers(2))
	}
	s.log(&event)
}

func (s *Session) log(event *Event) {
	s.record(event.Time, func(r *lane.Record) bool {
		writeEvent(r, event)
		return true
	})
}
