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

const (
	// maxKept lines of a test's output are kept in case it fails: the first and the last half of them.
	maxKept = 200
	// maxLine: go test splits longer lines itself, but other programs may write into its output.
	maxLine = 1 << 20
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
	// FailedBuild is the import path of what did not compile, and why a package failed.
	FailedBuild string
}

// place is a test, or with an empty name a package.
type place struct{ pkg, test string }

// report turns the lines of one run into a session.
type report struct {
	session   *datacat.Session
	out       io.Writer
	isVerbose bool
	said      map[place]*transcript
	running   map[place]time.Time // since when
	failed    map[string]bool     // packages with a failed test: theirs is no failure of its own
	cached    map[string]bool     // packages whose tests did not run: what is told of them is from an earlier run
	counts    map[string]int
}

func newReport(session *datacat.Session, out io.Writer, isVerbose bool) *report {
	return &report{
		session: session, out: out, isVerbose: isVerbose,
		said: map[place]*transcript{}, running: map[place]time.Time{}, failed: map[string]bool{}, cached: map[string]bool{}, counts: map[string]int{},
	}
}

// read records a whole run and answers the exit code that go test has for it.
func (r *report) read(input io.Reader) (exitCode int) {
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, maxLine)
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
		io.Copy(io.Discard, input) //nolint:errcheck // so that go test can end
		exitCode = 1
	}
	if r.counts["failed"] > 0 || r.counts["packages_failed"] > 0 {
		exitCode = 1
	}
	return exitCode
}

// takeText prints what is not JSON: a compiler, or a program that writes past go test. Before Go 1.24 that is also how
// go test says that a package did not compile.
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
		if isBenchmark(l.Test) { // one at a time, and none of them is said to have ended
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
		r.hear(at, l.Output)
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
		delete(r.said, at)
		delete(r.running, at)
	}
}

// hear keeps a test's output for the case that it fails, and prints what go test would.
func (r *report) hear(at place, output string) {
	r.transcript(at).add(output)
	isProgress := strings.HasPrefix(output, "=== ") || output == "PASS\n" || strings.HasPrefix(output, "--- PASS") || output == at.test+"\n"
	if r.isVerbose || !isProgress && (at.test == "" || isBenchmark(at.test)) {
		io.WriteString(r.out, output)
	}
}

func (r *report) transcript(at place) *transcript {
	if r.said[at] == nil {
		r.said[at] = &transcript{}
	}
	return r.said[at]
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
		said := r.transcript(place{l.Package, l.Test}).lines()
		event.Exception = failure(said)
		if !r.isVerbose {
			r.print(said)
		}
	}
	r.session.Log(event)
	r.session.Histogram("test_seconds", l.Elapsed, datacat.Unit("s"))
}

func isBenchmark(test string) bool { return strings.HasPrefix(test, "Benchmark") }

// forget lets go of a package's tests that nothing more will be heard of.
func (r *report) forget(pkg string, isMeant func(test string) bool) {
	for at := range r.running {
		if at.pkg == pkg && isMeant(at.test) {
			delete(r.running, at)
			delete(r.said, at)
		}
	}
}

// endBenchmark records a benchmark once its line is whole: its figures by their units, and its time as a metric, which can
// be compared from run to run.
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

// endUnfinished: a test whose program ended before it did (a timeout, os.Exit, a signal) gets no verdict from go test, and
// yet is what the run failed of.
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

// print shows a failed test as go test does: its verdict, then what it said.
func (r *report) print(said []string) {
	var verdict, rest strings.Builder
	for _, text := range said {
		switch {
		case strings.HasPrefix(strings.TrimSpace(text), "--- FAIL"):
			verdict.WriteString(text)
		case !strings.HasPrefix(text, "=== "):
			rest.WriteString(text)
		}
	}
	io.WriteString(r.out, verdict.String()+rest.String())
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
	if l.Action == "fail" && !r.failed[l.Package] { // it did not compile, or ended before its tests did
		said := r.transcript(place{l.Package, ""}).lines()
		if l.FailedBuild != "" {
			said = append(r.transcript(place{l.FailedBuild, ""}).lines(), said...)
		}
		event.Exception = failure(said)
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

// failure is what a test said, as an exception: its first complaint is the message, all of it the stack.
func failure(said []string) *datacat.Exception {
	x := &datacat.Exception{Cause: datacat.Cause{Type: "test failed"}, Handled: datacat.Handled}
	for _, output := range said {
		text := strings.TrimRight(output, "\n")
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

// transcript keeps the first and the last lines that were said.
type transcript struct {
	first, last []string
	left        int
}

func (t *transcript) add(output string) {
	if last := t.newest(); last != nil && !strings.HasSuffix(*last, "\n") && len(*last) < maxLine { // a line may come in pieces
		*last += output
		return
	}
	if len(t.first) < maxKept/2 {
		t.first = append(t.first, output)
		return
	}
	if len(t.last) == maxKept/2 {
		t.last = t.last[1:]
		t.left++
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
	if t.left > 0 {
		all = append(all, fmt.Sprintf("… %d lines left out …\n", t.left))
	}
	return append(all, t.last...)
}
