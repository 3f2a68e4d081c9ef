package datacat

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

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

// describe describes an error. Its stack is the one that it carries, else stack.
func describe(err error, stack []uintptr) *Exception {
	if own := ownStack(err); own != nil {
		stack = own
	}
	x := &Exception{Cause: causeOf(err)}
	x.locate(stack)
	t := tree{room: limits.CausesLength}
	t.add(err, 0, 0)
	x.Causes, x.CausesLeftOut = t.causes, t.leftOut
	for _, own := range t.stacks {
		x.Sources = appendSources(x.Sources, own)
	}
	return x
}

func (x *Exception) locate(stack []uintptr) {
	x.Stack = frames(stack)
	if len(stack) > 0 {
		frame, _ := runtime.CallersFrames(stack).Next()
		x.File, x.Line, x.Function = frame.File, frame.Line, frame.Function
		x.Sources = appendSources(x.Sources, stack)
	}
}

func causeOf(err error) Cause {
	c := Cause{Type: encode.TypeName(reflect.TypeOf(err)), Message: safely(err.Error)}
	if object := attributesOf(err, c.Message); len(object) > 0 {
		c.Attributes = object
	}
	return c
}

// tree collects the errors that one wraps, depth first.
type tree struct {
	causes  []Cause
	stacks  [][]uintptr
	leftOut int
	// room is how many bytes of stacks still fit.
	room int
}

// add follows Unwrap, also through errors that wrap several, which are members.
func (t *tree) add(err error, parent, depth int) {
	wrapped, kind := unwrapped(err)
	for i, cause := range wrapped {
		if cause == nil {
			continue
		}
		if len(t.causes) >= limits.MaxTree {
			t.leftOut += len(wrapped) - i
			return
		}
		if depth >= limits.MaxCauses {
			t.leftOut++
			continue
		}
		c := causeOf(cause)
		c.Kind = kind
		c.Message = cut(c.Message, limits.CauseMessage)
		own := ownStack(cause)
		c.Stack = t.fitting(frames(own))
		if len(own) > 0 {
			t.stacks = append(t.stacks, own)
		}
		if parent != len(t.causes) {
			number := parent
			c.Parent = &number
		}
		t.causes = append(t.causes, c)
		t.add(cause, len(t.causes), depth+1)
	}
}

// fitting keeps the innermost frames that fit.
func (t *tree) fitting(stack []string) []string {
	for i, frame := range stack {
		t.room -= len(frame)
		if t.room < 0 || i >= limits.CauseFrames {
			return append(stack[:i:i], "… "+strconv.Itoa(len(stack)-i)+" lines")
		}
	}
	return stack
}

// cut keeps the first bytes of a text, up to a whole character, with the number of the other characters.
func cut(text string, length int) string {
	if len(text) <= length {
		return text
	}
	end := length
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…" + strconv.Itoa(utf8.RuneCountInString(text[end:]))
}

func unwrapped(err error) (causes []error, kind Kind) {
	defer func() { _ = recover() }() // an Unwrap that panics gives no causes
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		return []error{wrapper.Unwrap()}, Direct
	case interface{ Unwrap() []error }:
		return wrapper.Unwrap(), Member
	}
	return nil, Direct
}

// attributesOf are the exported plain fields of an error's struct, and what an errno and an exit status are as numbers.
func attributesOf(err error, message string) (object Object) {
	defer func() {
		if recover() != nil {
			object = nil
		}
	}()
	value := reflect.ValueOf(err)
	if value.Kind() == reflect.Ptr && !value.IsNil() {
		value = value.Elem()
	}
	if number, ok := err.(syscall.Errno); ok {
		return Object{{Key: "errno", Value: int(number)}}
	}
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		object = append(object, Field{Key: "exit_code", Value: exit.ExitCode()})
	}
	if value.Kind() != reflect.Struct {
		return object
	}
	left := 0
	for i := 0; i < value.NumField(); i++ {
		field := value.Type().Field(i)
		plain, ok := plainOf(value.Field(i))
		if field.PkgPath != "" || !ok || plain == "" || plain == message {
			continue
		}
		if len(object) < limits.MaxAttributes {
			object = append(object, Field{Key: field.Name, Value: plain})
		} else {
			left++
		}
	}
	if left > 0 {
		object = append(object, Field{Key: "…", Value: left})
	}
	return object
}

func plainOf(value reflect.Value) (plain any, ok bool) {
	switch value.Kind() {
	case reflect.String:
		return cut(value.String(), limits.AttributeLength), true
	case reflect.Bool:
		return value.Bool(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return value.Int(), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return value.Uint(), true
	case reflect.Float32, reflect.Float64:
		return value.Float(), true
	}
	return nil, false
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
