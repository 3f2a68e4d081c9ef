//go:build unix

package datacat

import (
	"errors"
	"fmt"
	"math"
	"syscall"
	"testing"
)

// BenchmarkExceptionAgainstEvent measures the processor time of an exception ten calls deep, and of one with two causes, beside that of an
// event with a message. Each round has them in turn; the best round counts.
func BenchmarkExceptionAgainstEvent(b *testing.B) {
	s := testSession(b)
	const calls, depth = 300, 10
	cause := errors.New("could not load the level")
	causes := fmt.Errorf("start: %w", fmt.Errorf("level 3: %w", cause))
	kinds := []struct {
		unit string
		call func()
		best float64
	}{
		{unit: "event-ns", call: func() { s.Log(Event{Name: "failed", Message: "could not load the level"}) }},
		{unit: "exception-ns", call: func() { deep(depth, func() { s.LogException(cause, nil) }) }},
		{unit: "causes-ns", call: func() { deep(depth, func() { s.LogException(causes, nil) }) }},
	}
	for round := 0; round < b.N; round++ {
		for i := range kinds {
			kind := &kinds[i]
			before := cpuTime(b)
			for call := 0; call < calls; call++ {
				kind.call()
			}
			cost := (cpuTime(b) - before) / calls
			if round == 0 {
				kind.best = math.Inf(1)
			}
			kind.best = math.Min(kind.best, cost)
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, kind := range kinds {
		b.ReportMetric(kind.best, kind.unit)
	}
}

//go:noinline
func deep(depth int, call func()) {
	if depth == 0 {
		call()
		return
	}
	deep(depth-1, call)
}

// cpuTime is the processor time of this process, in nanoseconds.
func cpuTime(b *testing.B) float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}
