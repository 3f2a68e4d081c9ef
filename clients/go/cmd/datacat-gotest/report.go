package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sort"
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

// place is a test, or with an empty name a package.
type place struct{ pkg, test string }

// report turns the lines of one run into a session.
type report struct {
	session   *datacat.Session
	out       io.Writer
	isVerbose bool
	outputs   map[place]*transcript
	running   map[place]time.Time // with the time of their start
	failed    map[string]bool     // packages with a failed test, whose exception is recorded with the test
	cached    map[string]bool     // packages whose tests did not run: go test repeats the results of an earlier run
	counts    map[string]int
}

func newReport(session *datacat.Session, out io.Writer, isVerbose bool) *report {
	return &report{
		session: session, out: out, isVerbose: isVerbose,
		outputs: map[place]*transcript{}, running: map[place]time.Time{}, failed: map[string]bool{}, cached: map[string]bool{}, counts: map[string]int{},
	}
}

// read records a whole run and returns the exit code of go test for it.
func (r *report) read(input io.Reader) (exitCode int) {
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, maxInput)
	for scanner.Scan() {
		var l line
		if json.Unmarshal(scanner.Bytes(), &l) != nil || l.Action == "" {
			r.takeText(scanner.Text())
			continue
		}
		r.take(l)
	}
	if err := scanner.Err(); err != nil {
		r.session.LogException(err, nil)
		io.Copy(io.Discard, input) //nolint:errcheck // go test blocks unless its output is read
		exitCode = 1
	}
	if r.counts["failed"] > 0 || r.counts["packages_failed"] > 0 {
		exitCode = 1
	}
	return exitCode
}

// takeText prints what is not JSON: the output of a compiler, or of a program that does not write through go test. Before
// Go 1.24, go test reports a package that did not compile in this way too.
func (r *report) takeText(text string) {
	fmt.Fprintln(r.out, text)
	if found := notBuilt.FindStringSubmatch(text); found != nil {
		r.transcript(place{found[1], ""}).add(text)
		r.endPackage(line{Action: "fail", Package: found[1]})
	}
}

func (r *report) take(l line) {
	at := place{l.Package, l.Test}
	switch l.Action {
	case "start":
		r.session.UpdateState(datacat.Data{"running": datacat.Data{l.Package: ""}})
	case "run":
		r.session.UpdateState(datacat.Data{"running": datacat.Data{l.Package: l.Test}})
		if isBenchmark(l.Test) { // they run one at a time, and go test reports the end of none
			r.forget(l.Package, isBenchmark)
		}
		r.running[at] = l.Time
	case "output":
		if l.Test == "" && strings.HasPrefix(l.Output, "FAIL\t") {
			r.endUnfinished(l)
		}
		if l.Test == "" && strings.HasPrefix(l.Output, "ok ") && strings.Contains(l.Output, "\t(cached)") {
			r.cached[l.Package] = true
		}
		r.keep(at, l.Output)
		r.endBenchmark(l)
	case "build-output":
		io.WriteString(r.out, l.Output)
		r.transcript(place{l.ImportPath, ""}).add(l.Output)
	case "pass", "fail", "skip":
		if l.Test == "" {
			r.endPackage(l)
			r.forget(l.Package, func(string) bool { return true })
		} else {
			r.endTest(l)
		}
		delete(r.outputs, at)
		delete(r.running, at)
	}
}

// keep keeps a test's output in case it fails, and prints what go test prints.
func (r *report) keep(at place, output string) {
	r.transcript(at).add(output)
	isProgress := strings.HasPrefix(output, "=== ") || output == "PASS\n" || strings.HasPrefix(output, "--- PASS") || output == at.test+"\n"
	if r.isVerbose || !isProgress && (at.test == "" || isBenchmark(at.test)) {
		io.WriteString(r.out, output)
	}
}

func (r *report) transcript(at place) *transcript {
	if r.outputs[at] == nil {
		r.outputs[at] = &transcript{}
	}
	return r.outputs[at]
}

var results = map[string]string{"pass": "passed", "fail": "failed", "skip": "skipped"}

func (r *report) endTest(l line) {
	result := results[l.Action]
	r.counts[result]++
	event := datacat.Event{
		Name: "test", Group: l.Package, Labels: []string{result}, Message: l.Test, Time: l.Time,
		Data: datacat.Object{
			{Key: "test", Value: l.Test}, {Key: "package", Value: l.Package}, {Key: "result", Value: result},
			{Key: "duration_ms", Value: milliseconds(l.Elapsed)},
		},
	}
	if l.Action == "fail" {
		r.failed[l.Package] = true
		output := r.transcript(place{l.Package, l.Test}).lines()
		event.Exception = failure(output)
		if !r.isVerbose {
			r.print(output)
		}
	}
	r.session.Log(event)
	r.session.Histogram("test_seconds", l.Elapsed, datacat.Unit("s"))
}

func isBenchmark(test string) bool { return strings.HasPrefix(test, "Benchmark") }

// forget removes those tests of a package that have ended without a report.
func (r *report) forget(pkg string, hasEnded func(test string) bool) {
	for at := range r.running {
		if at.pkg == pkg && hasEnded(at.test) {
			delete(r.running, at)
			delete(r.outputs, at)
		}
	}
}

// endBenchmark records a benchmark when its line is complete: its figures by their units, and its time as a metric, which
// can be compared between runs.
func (r *report) endBenchmark(l line) {
	found := measured.FindStringSubmatch(*r.transcript(place{l.Package, l.Test}).newest())
	if found == nil {
		return
	}
	data := datacat.Object{{Key: "benchmark", Value: found[1]}, {Key: "package", Value: l.Package}, {Key: "iterations", Value: json.Number(found[2])}}
	figures := strings.Fields(found[3])
	for i := 0; i+1 < len(figures); i += 2 {
		data = append(data, datacat.Field{Key: figures[i+1], Value: json.Number(figures[i])})
		if value, err := strconv.ParseFloat(figures[i], 64); err == nil && figures[i+1] == "ns/op" {
			r.session.Gauge("benchmark", value, datacat.Unit("ns/op"), datacat.Tags(l.Package+"."+found[1]))
		}
	}
	r.session.Log(datacat.Event{Name: "benchmark", Group: l.Package, Message: found[1], Data: data, Time: l.Time})
	delete(r.running, place{l.Package, l.Test})
}

// endUnfinished records the tests that were running when their program ended (by a timeout, os.Exit, a signal) as failed.
// They are the cause of the failure, and go test reports no result for them.
func (r *report) endUnfinished(l line) {
	var left []place
	for at := range r.running {
		if at.pkg == l.Package && at.test != "" {
			left = append(left, at)
		}
	}
	sort.Slice(left, func(i, j int) bool { return left[i].test < left[j].test })
	for _, at := range left {
		r.transcript(at).add(at.test + " had not ended when its program did\n")
		r.take(line{Time: l.Time, Action: "fail", Package: at.pkg, Test: at.test, Elapsed: l.Time.Sub(r.running[at]).Seconds()})
	}
}

// print prints a failed test as go test does: its result, then its output.
func (r *report) print(output []string) {
	var result, rest strings.Builder
	for _, text := range output {
		switch {
		case strings.HasPrefix(strings.TrimSpace(text), "--- FAIL"):
			result.WriteString(text)
		case !strings.HasPrefix(text, "=== "):
			rest.WriteString(text)
		}
	}
	io.WriteString(r.out, result.String()+rest.String())
}

func (r *report) endPackage(l line) {
	result := results[l.Action]
	r.counts["packages_"+result]++
	data := datacat.Object{
		{Key: "package", Value: l.Package}, {Key: "result", Value: result}, {Key: "duration_ms", Value: milliseconds(l.Elapsed)},
	}
	if r.cached[l.Package] {
		data = append(data, datacat.Field{Key: "cached", Value: true})
	}
	event := datacat.Event{Name: "package", Group: l.Package, Labels: []string{result}, Message: l.Package, Time: l.Time, Data: data}
	if l.Action == "fail" && !r.failed[l.Package] { // it did not compile, or its program ended before its tests
		output := r.transcript(place{l.Package, ""}).lines()
		if l.FailedBuild != "" {
			output = append(r.transcript(place{l.FailedBuild, ""}).lines(), output...)
		}
		event.Exception = failure(output)
	}
	r.session.Log(event)
	r.session.UpdateState(datacat.Data{
		"running": datacat.Data{l.Package: nil},
		"tests":   datacat.Data{"passed": r.counts["passed"], "failed": r.counts["failed"], "skipped": r.counts["skipped"]},
	})
}

func milliseconds(seconds float64) float64 { return float64(int64(seconds*1e6+0.5)) / 1e3 }

var (
	complaint = regexp.MustCompile(`^\s*([^\s:]+\.go):(\d+)(?::\d+)?: ?(.*)`)
	measured  = regexp.MustCompile(`^(Benchmark\S*?)(?:-\d+)?\s+(\d+)\s+(\S.* ns/op.*)\n$`)
	notBuilt  = regexp.MustCompile(`^FAIL\s+(\S+) \[(?:build|setup) failed\]`)
	panicked  = regexp.MustCompile(`^panic: (.*?)( \[recovered.*)?$`)
)

// failure describes the output of a failed test as an exception: its first complaint is the message, all of it the stack.
func failure(output []string) *datacat.Exception {
	x := &datacat.Exception{Cause: datacat.Cause{Type: "test failed"}, Handled: datacat.Handled}
	for _, line := range output {
		text := strings.TrimRight(line, "\n")
		if strings.HasPrefix(text, "=== ") || text == "FAIL" || strings.HasPrefix(strings.TrimSpace(text), "--- FAIL") {
			continue
		}
		if found := panicked.FindStringSubmatch(text); found != nil && x.Type != "panic" {
			x.Type, x.Message = "panic", found[1]
		}
		if found := complaint.FindStringSubmatch(text); found != nil && x.File == "" {
			x.File = found[1]
			x.Line, _ = strconv.Atoi(found[2])
			if x.Message == "" {
				x.Message = found[3]
			}
		}
		x.Stack = append(x.Stack, text)
	}
	if x.Message == "" && len(x.Stack) > 0 {
		x.Message = strings.TrimSpace(x.Stack[0])
	}
	return x
}

// transcript keeps the first and the last lines of an output.
type transcript struct {
	first, last []string
	leftOut     int
}

func (t *transcript) add(output string) {
	if last := t.newest(); last != nil && !strings.HasSuffix(*last, "\n") && len(*last) < maxJoined { // a line can arrive in pieces
		*last += output
		return
	}
	if len(t.first) < maxKept/2 {
		t.first = append(t.first, output)
		return
	}
	if len(t.last) == maxKept/2 {
		t.last = t.last[1:]
		t.leftOut++
	}
	t.last = append(t.last, output)
}

func (t *transcript) newest() *string {
	for _, lines := range [][]string{t.last, t.first} {
		if len(lines) > 0 {
			return &lines[len(lines)-1]
		}
	}
	return nil
}

func (t *transcript) lines() []string {
	all := append([]string(nil), t.first...)
	if t.leftOut > 0 {
		all = append(all, fmt.Sprintf("… %d lines left out …\n", t.leftOut))
	}
	return append(all, t.last...)
}
