package datacat

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

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
