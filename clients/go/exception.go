package datacat

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Exception describes an error or a panic.
type Exception struct {
	Cause
	// File, Line and Function are where it was made.
	File     string
	Line     int
	Function string
	// Causes are the exceptions that led to it, innermost last.
	Causes  []Cause
	Handled Handling
}

// Cause describes one exception of a chain.
type Cause struct {
	Type    string
	Message string
	// Stack has one element for each frame, innermost first, as Go prints them.
	Stack []string
}

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

// describe describes an error. Its stack is the one that it carries, else stack.
func describe(err error, stack []uintptr) *Exception {
	if own := ownStack(err); own != nil {
		stack = own
	}
	x := &Exception{Cause: causeOf(err)}
	x.locate(stack)
	x.Causes = appendCauses(nil, err, 0)
	return x
}

func (x *Exception) locate(stack []uintptr) {
	x.Stack = frames(stack)
	if len(stack) > 0 {
		frame, _ := runtime.CallersFrames(stack).Next()
		x.File, x.Line, x.Function = frame.File, frame.Line, frame.Function
	}
}

func causeOf(err error) Cause {
	return Cause{Type: encode.TypeName(reflect.TypeOf(err)), Message: safely(err.Error)}
}

// appendCauses follows Unwrap depth first, also through errors that wrap several.
func appendCauses(causes []Cause, err error, depth int) []Cause {
	for _, cause := range unwrapped(err) {
		if cause == nil || len(causes) >= limits.MaxCauses || depth >= limits.MaxCauses {
			continue
		}
		c := causeOf(cause)
		c.Stack = frames(ownStack(cause))
		causes = appendCauses(append(causes, c), cause, depth+1)
	}
	return causes
}

func unwrapped(err error) (causes []error) {
	defer func() { _ = recover() }() // an Unwrap that panics gives no causes
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		return []error{wrapper.Unwrap()}
	case interface{ Unwrap() []error }:
		return wrapper.Unwrap()
	}
	return nil
}

// ownStack is the stack that an error carries: the program counters of `StackTrace()`, the usual name of that method.
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
	for i := 0; i < trace.Len() && i < limits.MaxFrames; i++ {
		stack = append(stack, uintptr(trace.Index(i).Uint()))
	}
	return stack
}

// callers is the stack without its innermost frames: with skip 1 it begins at the function that calls callers.
func callers(skip int) []uintptr {
	stack := make([]uintptr, limits.MaxFrames)
	return stack[:runtime.Callers(skip+1, stack)]
}

// panicStack is the part of a stack from the function that panicked, without the frames of the runtime.
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

// frames formats a stack as Go prints it: the function, and below it the file and line.
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

// safely calls a method of the program that returns a text and may panic.
func safely(method func() string) (text string) {
	defer func() {
		if recover() != nil {
			text = "<its method panicked>"
		}
	}()
	return method()
}
