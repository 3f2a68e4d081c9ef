package datacat

import "time"

// Category is an event's severity. Any other word may be used as well.
type Category string

const (
	Debug    Category = "debug"
	Info     Category = "info" // the default
	Warning  Category = "warning"
	Error    Category = "error" // the default of an event with an exception
	Critical Category = "critical"
)

// Event is something that happened. Only its name is needed.
type Event struct {
	Name     string
	Category Category
	// Group is where it comes from, e.g. a logger's name.
	Group   string
	Labels  []string
	Message string
	// Data is a free-form object: Data, an Object (whose keys keep their order), or a struct.
	Data any
	// Err records an error with it: its type, message, causes, and the stack of this call.
	Err error
	// Exception is an exception that is known in plain words, instead of Err.
	Exception *Exception
	// Time is when it happened. Default: now.
	Time time.Time
}

// LogEvent records that something happened. data may be nil.
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

// Log records an event with everything that may be said about it.
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
	s.record(event.Time, func(r *record) bool {
		r.event(event)
		return true
	})
}
