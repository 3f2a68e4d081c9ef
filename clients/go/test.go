package datacat

import (
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// TestFact describes one test of a test run in an event: that it starts, or with a Result that it ended. Recorders of test
// runners use it; events are named "test_started" and "test".
type TestFact struct {
	// ID is the path of the test: project if there are several, file (in Go the package), suites, name, parameters. The same
	// test has the same path in every run, on every machine. At most 32 parts of 500 characters.
	ID []string
	// File is the part of ID that is the file. Default: the first.
	File int
	// Result is empty when the test starts.
	Result TestResult
	// Attempt counts from 1, the default.
	Attempt int
	// Duration is nil if it is not known.
	Duration *time.Duration
	// Worker is the process or thread of the runner that ran it.
	Worker string
	// Phase is where it failed or was skipped: "collect", "setup", "call" (the default) or "teardown".
	Phase string
	// Reason is that of a skip or of an expected failure.
	Reason string
	// Output is what it printed if it did not pass: the last 16 KiB.
	Output string
	// Diff is what was expected and what was there.
	Diff *TestDiff
	// Kind is "test" (the default), "subtest", "benchmark", "suite" (a file, package or hook that failed as such) or "typecheck".
	Kind string
}

// TestResult is how a test ended.
type TestResult string

// The results of tests.
const (
	TestPassed          TestResult = "passed"
	TestFailed          TestResult = "failed"
	TestError           TestResult = "error" // outside of its own code
	TestSkipped         TestResult = "skipped"
	TestExpectedFailure TestResult = "expected_failure"
	TestUnexpectedPass  TestResult = "unexpected_pass"
)

// TestDiff is a comparison: two texts that are compared by lines, or one that is a comparison. Each up to 8 KiB.
type TestDiff struct{ Expected, Actual, Text string }

// writeTest writes the fact with its id first: CutStrings keeps that whole.
func writeTest(r *lane.Record, fact *TestFact) {
	r.Buf = append(r.Buf, `,"test":{"id":[`...)
	for i, part := range fact.ID {
		if i == limits.MaxTestParts {
			break
		}
		if i > 0 {
			r.Buf = append(r.Buf, ',')
		}
		kept, _ := encode.CutText(secrets.Clean(part), limits.MaxTestPart)
		r.Buf = encode.AppendString(r.Buf, kept)
	}
	r.Buf = append(r.Buf, ']')
	if fact.File > 0 {
		r.Whole(`,"file":`, fact.File)
	}
	r.Text(`,"result":`, string(fact.Result))
	if fact.Attempt > 0 {
		r.Whole(`,"attempt":`, fact.Attempt)
	}
	if fact.Duration != nil {
		ms := float64(*fact.Duration) / float64(time.Millisecond)
		r.Buf = encode.AppendNumber(append(r.Buf, `,"duration_ms":`...), ms, 64)
	}
	r.Text(`,"worker":`, fact.Worker)
	r.Text(`,"phase":`, fact.Phase)
	r.Text(`,"reason":`, fact.Reason)
	r.Text(`,"output":`, fact.Output)
	if d := fact.Diff; d != nil {
		r.Buf = append(r.Buf, `,"diff":{`...)
		start := len(r.Buf)
		r.Text(`,"expected":`, d.Expected)
		r.Text(`,"actual":`, d.Actual)
		r.Text(`,"text":`, d.Text)
		if len(r.Buf) > start { // without the first comma
			r.Buf = append(r.Buf[:start], r.Buf[start+1:]...)
		}
		r.Buf = append(r.Buf, '}')
	}
	r.Text(`,"kind":`, fact.Kind)
	r.Buf = append(r.Buf, '}')
}
