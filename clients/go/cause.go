package datacat

import (
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"unicode/utf8"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

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

// safely calls a method of the program that returns a text and may panic.
func safely(method func() string) (text string) {
	defer func() {
		if recover() != nil {
			text = "<its method panicked>"
		}
	}()
	return method()
}
