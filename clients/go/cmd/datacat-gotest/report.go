package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

// line is one of `go test -json` (see `go doc test2json`).
type line struct {
	Time       time.Time
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
	// FailedBuild is the import path of the package that did not compile, because of which this one failed.
	FailedBuild string
}

// report turns the lines of one run into a session.
type report struct {
	session  *datacat.Session
	out      io.Writer
	call     invocation
	sources  *sources
	packages map[string]*pkg
	builds   map[string]*transcript // output of the compiler, by import path
	counts   map[string]int
	failures []failed
}

// pkg is a package whose tests run.
type pkg struct {
	name     string
	own      transcript       // what it printed outside of its tests
	last     string           // the newest line of that
	running  map[string]*test // by name
	order    []string         // their names, in the order of their starts
	starts   map[string]int   // how often each was started: with -count, or -cpu, more than once
	held     []ending         // failed subtests that have no error of their own: a panic that follows is theirs
	crash    *crash           // what may be the end of its program
	failedIn map[string]bool  // tests with a subtest that failed
	failed   bool             // a test failed, with which the failure of the package is recorded
}

// test is a test that runs.
type test struct {
	name    string
	id      []string
	started time.Time
	output  transcript
}

// ending is a test with how it ended.
type ending struct {
	*test
	line
}

func newReport(session *datacat.Session, out io.Writer, call invocation) *report {
	return &report{
		session: session, out: out, call: call, packages: map[string]*pkg{}, builds: map[string]*transcript{}, counts: map[string]int{}, sources: &sources{},
	}
}

// read records a whole run and returns the exit code of go test for it.
func (r *report) read(input io.Reader) (exitCode int) {
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, maxInput)
	for scanner.Scan() {
		var l line
		isEvent := json.Unmarshal(scanner.Bytes(), &l) == nil && l.Action != ""
		if r.call.isJSON {
			fmt.Fprintln(r.out, scanner.Text())
		}
		if isEvent {
			r.take(l)
		} else {
			r.takeText(scanner.Text())
		}
	}
	if err := scanner.Err(); err != nil && err != io.ErrClosedPipe {
		r.session.LogException(err, nil)
		io.Copy(io.Discard, input) //nolint:errcheck // go test blocks unless its output is read
		exitCode = 1
	}
	if r.counts["failed"] > 0 || r.counts["packages_failed"] > 0 {
		exitCode = 1
	}
	return exitCode
}

// print prints for a person; with -json, the events were printed.
func (r *report) print(text string) {
	if !r.call.isJSON {
		io.WriteString(r.out, text) //nolint:errcheck // what cannot be printed is still recorded
	}
}

var notBuilt = regexp.MustCompile(`^FAIL\s+(\S+) \[(?:build|setup) failed\]`)

// takeText prints what is not JSON: the output of a compiler, or of a program that does not write through go test. Before
// Go 1.24, go test reports a package that did not compile in this way too.
func (r *report) takeText(text string) {
	r.print(text + "\n")
	if found := notBuilt.FindStringSubmatch(text); found != nil {
		p := r.pkg(found[1])
		p.own.add(text + "\n")
		r.endPackage(p, line{Action: "fail", Package: found[1], Time: time.Now()})
	}
}

func (r *report) pkg(name string) *pkg {
	if r.packages[name] == nil {
		r.packages[name] = &pkg{name: name, running: map[string]*test{}, starts: map[string]int{}, failedIn: map[string]bool{}}
	}
	return r.packages[name]
}

func (r *report) take(l line) {
	p := r.pkg(l.Package)
	switch l.Action {
	case "build-output":
		r.print(l.Output)
		if r.builds[l.ImportPath] == nil {
			r.builds[l.ImportPath] = &transcript{}
		}
		r.builds[l.ImportPath].add(l.Output)
		return
	case "run":
		p.crash = nil // its program goes on
		r.start(p, l)
	case "output":
		r.takeOutput(p, l)
	case "bench": // a benchmark that printed
		r.endBenchmark(p, l.Test, l.Time)
	case "pass", "fail", "skip":
		if l.Test == "" {
			r.endPackage(p, l)
			return
		}
		if l.Action != "fail" {
			p.crash = nil
		}
		r.endTest(p, l)
	}
}

func (r *report) start(p *pkg, l line) {
	p.starts[l.Test]++
	if isBenchmark(l.Test) { // they run one at a time, and go test reports the end of none that passed
		r.endBenchmarks(p, l.Test, l.Time)
	}
	t := &test{name: l.Test, started: l.Time, id: testID(p, l.Test)}
	p.running[l.Test] = t
	p.order = append(p.order, l.Test)
	r.session.Log(datacat.Event{
		Name: "test_started", Group: p.name, Message: l.Test, Time: l.Time, Test: &datacat.TestFact{ID: t.id, Kind: kindOf(l.Test)},
	})
}

// testID is the path of a test: its package, its name, and those of its subtests. A further run of it, with -count, is a test
// of its own, because its failure is one.
func testID(p *pkg, name string) []string {
	id := append([]string{p.name}, strings.Split(name, "/")...)
	if number := p.starts[name]; number > 1 {
		id = append(id, "run "+strconv.Itoa(number))
	}
	return id
}

func isBenchmark(test string) bool { return strings.HasPrefix(test, "Benchmark") }

func kindOf(test string) string {
	switch {
	case isBenchmark(test):
		return "benchmark"
	case strings.Contains(test, "/"):
		return "subtest"
	}
	return ""
}

func (r *report) takeOutput(p *pkg, l line) {
	t := p.running[l.Test]
	isOwn := t == nil
	if isOwn {
		p.own.add(l.Output)
		p.last = *p.own.newest()
	} else {
		t.output.add(l.Output)
	}
	p.watchCrash(l.Test, l.Output)
	if t != nil && isBenchmark(l.Test) {
		r.measure(p, t, l.Time)
	}
	if isOwn && !r.call.isVerbose && isPackageResult(p.name, l.Output) {
		return // printed at its end, after the tests that had not ended
	}
	isMark := isMark(l.Test, l.Output) || isOwn && l.Output == "PASS\n" || l.Output == l.Test+"\n"
	if r.call.isVerbose || !isMark && (isOwn || isBenchmark(l.Test)) {
		r.print(l.Output)
	}
}

// isMark reports whether go test itself wrote a line of a test's output, to mark what follows.
func isMark(test, output string) bool {
	for _, mark := range []string{"=== RUN   ", "=== PAUSE ", "=== CONT  ", "=== NAME  "} {
		if output == mark+test+"\n" {
			return true
		}
	}
	return isResult(test, output)
}

// isResult reports whether it is the line with the result. That of a benchmark has no time.
func isResult(test, output string) bool {
	for _, mark := range []string{"--- PASS: ", "--- FAIL: ", "--- SKIP: ", "--- BENCH: "} {
		rest := strings.TrimPrefix(strings.TrimLeft(output, " "), mark+test)
		if rest != strings.TrimLeft(output, " ") && (rest == "\n" || strings.HasPrefix(rest, " (")) {
			return true
		}
	}
	return false
}

var results = map[string]datacat.TestResult{"pass": datacat.TestPassed, "fail": datacat.TestFailed, "skip": datacat.TestSkipped}

func (r *report) endTest(p *pkg, l line) {
	t := p.running[l.Test]
	if t == nil { // the start was not read
		p.starts[l.Test]++
		t = &test{name: l.Test, started: l.Time, id: testID(p, l.Test)}
	}
	p.forget(l.Test)
	r.counts[string(results[l.Action])]++
	if l.Action == "fail" {
		p.failed = true
		if !r.call.isVerbose && !isBenchmark(l.Test) {
			r.print(failedText(t))
		}
		if strings.Contains(l.Test, "/") && len(p.held) < maxHeld && r.sources.areLogs(p.name, complaintsIn(t.output.lines())) {
			p.held = append(p.held, ending{t, l})
			return
		}
	}
	if !strings.Contains(l.Test, "/") { // the output of a panic is that of the outermost test
		r.releaseHeld(p, t)
	}
	r.logEnd(p, ending{t, l})
}

// logEnd records how a test ended, as go test reported it.
func (r *report) logEnd(p *pkg, e ending) {
	result := results[e.Action]
	fact := &datacat.TestFact{ID: e.id, Result: result, Kind: kindOf(e.name), Duration: elapsed(e.Elapsed)}
	if fact.Kind == "benchmark" {
		fact.Kind = "" // go test counts it as a test
	}
	event := datacat.Event{Name: "test", Group: p.name, Message: e.name, Time: e.Time, Test: fact}
	lines := e.output.lines()
	switch e.Action {
	case "fail":
		f := r.failure(p, e.test, lines)
		if p.hasFailedIn(e.test, f) {
			f = described{&datacat.Exception{Cause: datacat.Cause{Type: "test failed", Message: "a subtest failed"}, Handled: datacat.Handled}, "a subtest failed", nil}
		}
		for outer := parentOf(e.name); outer != ""; outer = parentOf(outer) {
			p.failedIn[outer] = true
		}
		event.Category, event.Exception, event.Message = datacat.Error, f.exception, f.line
		event.Fingerprint = strings.Join(append([]string{p.name}, e.name), ".")
		fact.Output, fact.Diff = textOf(e.name, lines), f.diff
		r.failures = append(r.failures, failed{e.name, p.name, f.line})
	case "skip":
		if found := complaintsIn(lines); len(found) > 0 {
			fact.Reason = found[len(found)-1].text
		}
	}
	r.session.Log(event)
	if fact.Kind != "subtest" {
		r.session.Histogram("test_seconds", e.Elapsed, datacat.Unit("s"))
	}
}

// hasFailedIn reports whether a test failed only because one of its subtests did.
func (p *pkg) hasFailedIn(t *test, f described) bool {
	return p.failedIn[t.name] && (f.exception.Message == "" || p.crash != nil && p.crash.isClaimed)
}

func elapsed(seconds float64) *time.Duration {
	duration := time.Duration(seconds * float64(time.Second))
	if duration < 0 {
		duration = 0
	}
	return &duration
}

func (p *pkg) forget(name string) {
	delete(p.running, name)
	for i, each := range p.order {
		if each == name {
			p.order = append(p.order[:i:i], p.order[i+1:]...)
			return
		}
	}
}
