package datacat

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// Exception describes an error or a panic.
type Exception struct {
	Cause
	// File, Line and Function are where it was made.
	File     string
	Line     int
	Function string
	// Causes are the exceptions that led to it, each after the one that it belongs to.
	Causes []Cause
	// CausesLeftOut is how many of them are not listed.
	CausesLeftOut int
	// Sources are lines of source around frames.
	Sources []Excerpt
	Handled Handling
}

// Excerpt is a part of a source file.
type Excerpt struct {
	File string
	// First is the number of the first line.
	First int
	Lines []string
}

// Cause describes one exception of a chain.
type Cause struct {
	Type    string
	Message string
	// Stack has one element for each frame, innermost first, as Go prints them.
	Stack []string
	// Attributes are plain values that the error holds: Data or an Object.
	Attributes any
	Notes      []string
	// Kind is what it is to the exception that it belongs to. Default: a Direct cause.
	Kind Kind
	// Parent is the number of that exception: 0 is the event's own, n the nth of Causes. Nil is the one before.
	Parent *int
}

// Kind is what an exception is to the one that it belongs to.
type Kind string

// A Direct cause was wrapped, a Context was being handled, and a Member is one of several, as of errors.Join.
const (
	Direct  Kind = ""
	Context Kind = "context"
	Member  Kind = "member"
)

// Handling is whether the program continued after an exception. The zero value is unknown.
type Handling uint8

// The program continued after a Handled exception; an Unhandled one ended it, or a goroutine.
const (
	_ Handling = iota
	Handled
	Unhandled
)

// LogException records an error as an event: its type, its message, the errors that it wraps, and the stack of this call.
// data may be nil, and a nil error is not recorded.
func (s *Session) LogException(err error, data Data) {
	if err == nil || !s.ready() {
		return
	}
	s.logException(describe(err, callers(2)), data)
}

// LogPanic records a panic that the program recovers from. A nil value (no panic) is not recorded.
//
//	defer func() { session.LogPanic(recover(), nil) }()
func (s *Session) LogPanic(value any, data Data) {
	if value == nil || !s.ready() {
		return
	}
	x := describePanic(value)
	x.Handled = Handled
	s.logException(x, data)
}

// Recover records a panic that ends the program, with its stack, ends the session as crashed, and continues the panic (in
// direct mode when the server has the records, or after two seconds). Defer it in main and in each goroutine, after End so
// that it runs before End:
//
//	defer session.End()
//	defer session.Recover()
//
// Recover itself must be deferred. Called from another deferred function it finds no panic, as Go's recover does not.
func (s *Session) Recover() {
	value := recover()
	if value == nil && !isPanicking() {
		return
	}
	if s.ready() {
		x := describePanic(value)
		x.Handled = Unhandled
		s.logException(x, nil)
		s.crash("uncaught_exception", panicExitCode)
	}
	panic(value)
}

// isPanicking reports whether a panic runs its caller. Before Go 1.21 a panic may have no value.
func isPanicking() bool {
	var caller [1]uintptr
	runtime.Callers(3, caller[:])
	frame, _ := runtime.CallersFrames(caller[:]).Next()
	return frame.Function == "runtime.gopanic"
}

// panicExitCode is what the Go runtime exits with after a panic.
const panicExitCode = 2

func (s *Session) logException(x *Exception, data Data) {
	event := Event{Name: "exception", Exception: x}
	if data != nil {
		event.Data = data
	}
	s.log(&event)
}

func (s *Session) crash(reason string, exitCode int) {
	s.close(func(r *lane.Record) { writeCrash(r, reason, exitCode) })
}

func describePanic(value any) *Exception {
	stack := panicStack(callers(3))
	if err, ok := value.(error); ok {
		return describe(err, stack)
	}
	x := &Exception{Cause: Cause{Type: "panic", Message: panicMessage(value)}}
	x.locate(stack)
	return x
}

// panicMessage is the value of a panic as text. A value that may contain itself is encoded: fmt would follow it until the
// stack overflows, which no program survives.
func panicMessage(value any) string {
	if value == nil {
		return "nil"
	}
	t := reflect.TypeOf(value)
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	if _, ok := value.(fmt.Stringer); ok || isPrintable(t) {
		return safely(func() string { return fmt.Sprint(value) })
	}
	var e encode.Encoder
	e.Value(value)
	return string(e.Buf)
}

// isPrintable reports whether values of a type cannot contain themselves for fmt, which prints an inner pointer as an
// address.
func isPrintable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Map, reflect.Slice, reflect.Interface:
		return false
	case reflect.Array:
		return isPrintable(t.Elem())
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if !isPrintable(t.Field(i).Type) {
				return false
			}
		}
	}
	return true
}
