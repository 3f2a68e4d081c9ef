package datacat

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// Exception is an error or a panic in plain words.
type Exception struct {
	Cause
	// File, Line and Function say where it came from.
	File     string
	Line     int
	Function string
	// Causes led to it, innermost last.
	Causes  []Cause
	Handled Handling
}

// Cause is an exception as it is told of one that led to another.
type Cause struct {
	Type    string
	Message string
	Stack   []string // one frame each, innermost first as Go prints them
}

// Handling says whether the program went on after an exception.
type Handling uint8

const (
	NotSaid   Handling = iota
	Handled            // the program went on
	Unhandled          // it ended the program, or a goroutine
)

// LogException records an error as an event: its type, message, the errors it wraps, and where this call is. data may be
// nil, and a nil error is not recorded.
func (s *Session) LogException(err error, data Data) {
	if err == nil || !s.ready() {
		return
	}
	s.logException(describe(err, callers(2)), data)
}

// LogPanic records a recovered panic that the program survives; a nil value (no panic) is not recorded.
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

// Recover records a panic that nobody will recover from, with its stack, ends the session as crashed, and goes on
// panicking (in direct mode once the server knows, or after two seconds). It belongs in main and in each goroutine, after
// End so that it runs before:
//
//	defer session.End()
//	defer session.Recover()
//
// It must be deferred itself: called from within another deferred function it sees no panic, as Go's recover does not.
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

// isPanicking tells whether its caller was called by a panic: before Go 1.21 that may have no value.
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
	s.close(func(r *record) bool { r.crash(reason, exitCode); return true })
}

func describePanic(value any) *Exception {
	stack := panicStack(callers(3))
	if err, ok := value.(error); ok {
		return describe(err, stack)
	}
	x := &Exception{Cause: Cause{Type: "panic", Message: panicMessage(value)}}
	x.at(stack)
	return x
}

// panicMessage is what was given to panic, as text. What may lead back to itself is no work for fmt, which would follow it
// until the stack is full, and nothing survives that.
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
	var e encoder
	e.value(value)
	return string(e.buf)
}

// isPrintable: fmt prints a pointer within a value as its address, so only these lead back.
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

// describe takes an error apart. Errors that carry a stack of their own are believed; others are as old as this call.
func describe(err error, stack []uintptr) *Exception {
	if own := ownStack(err); own != nil {
		stack = own
	}
	x := &Exception{Cause: causeOf(err)}
	x.at(stack)
	x.Causes = appendCauses(nil, err, 0)
	return x
}

func (x *Exception) at(stack []uintptr) {
	x.Stack = frames(stack)
	if len(stack) > 0 {
		frame, _ := runtime.CallersFrames(stack).Next()
		x.File, x.Line, x.Function = frame.File, frame.Line, frame.Function
	}
}

func causeOf(err error) Cause {
	return Cause{Type: typeName(reflect.TypeOf(err)), Message: safely(err.Error)}
}

// appendCauses follows Unwrap, through errors that wrap several as well, depth first.
func appendCauses(causes []Cause, err error, depth int) []Cause {
	for _, cause := range unwrapped(err) {
		if cause == nil || len(causes) >= maxCauses || depth >= maxCauses {
			continue
		}
		c := causeOf(cause)
		c.Stack = frames(ownStack(cause))
		causes = appendCauses(append(causes, c), cause, depth+1)
	}
	return causes
}

func unwrapped(err error) (causes []error) {
	defer func() { _ = recover() }() // a broken Unwrap has no causes
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		return []error{wrapper.Unwrap()}
	case interface{ Unwrap() []error }:
		return wrapper.Unwrap()
	}
	return nil
}

// ownStack is the stack that an error brings along: `StackTrace()` of program counters, as most packages that do so name it.
func ownStack(err error) (stack []uintptr) {
	defer func() {
		if recover() != nil {
			stack = nil
		}
	}()
	method := reflect.ValueOf(err).MethodByName("StackTrace")
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return nil
	}
	trace := method.Call(nil)[0]
	if trace.Kind() != reflect.Slice || trace.Type().Elem().Kind() != reflect.Uintptr {
		return nil
	}
	for i := 0; i < trace.Len() && i < maxFrames; i++ {
		stack = append(stack, uintptr(trace.Index(i).Uint()))
	}
	return stack
}

// callers is the stack without its innermost frames: skip 1 is the function that calls this one.
func callers(skip int) []uintptr {
	stack := make([]uintptr, maxFrames)
	return stack[:runtime.Callers(skip+1, stack)]
}

// panicStack begins where the panic did, without the runtime's own part.
func panicStack(stack []uintptr) []uintptr {
	for i := 0; i < len(stack); i++ {
		frame, _ := runtime.CallersFrames(stack[i : i+1]).Next()
		if frame.Function != "runtime.gopanic" {
			continue
		}
		for i++; i < len(stack); i++ {
			frame, _ = runtime.CallersFrames(stack[i : i+1]).Next()
			if !strings.HasPrefix(frame.Function, "runtime.") {
				return stack[i:]
			}
		}
	}
	return stack
}

// frames are as Go prints them: the function, and below it the file and line.
func frames(stack []uintptr) []string {
	if len(stack) == 0 {
		return nil
	}
	var lines []string
	each := runtime.CallersFrames(stack)
	for {
		frame, more := each.Next()
		if frame.Function != "" && frame.Function != "runtime.goexit" {
			lines = append(lines, frame.Function+"(...)\n\t"+frame.File+":"+strconv.Itoa(frame.Line))
		}
		if !more {
			return lines
		}
	}
}

func safely(say func() string) (text string) {
	defer func() {
		if recover() != nil {
			text = "<it panicked when asked for its message>"
		}
	}()
	return say()
}
