package main

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

// endPackage records the end of a package, with the tests that had not ended when its program did.
func (r *report) endPackage(p *pkg, l line) {
	defer delete(r.packages, p.name)
	r.endBenchmarks(p, "", l.Time)
	if l.Action == "fail" {
		r.endUnfinished(p, l)
	}
	if !r.call.isVerbose && isPackageResult(p.name, p.last) {
		r.print(p.last)
	}
	for _, e := range p.held {
		r.logEnd(p, e)
	}
	result := results[l.Action]
	r.counts["packages_"+string(result)]++
	data := datacat.Object{{Key: "result", Value: string(result)}, {Key: "duration_ms", Value: milliseconds(l.Elapsed)}}
	if p.last == "ok  \t"+p.name+"\t(cached)\n" || strings.HasPrefix(p.last, "ok  \t"+p.name+"\t(cached)\t") {
		data = append(data, datacat.Field{Key: "cached", Value: true}) // go test repeats the results of an earlier run
	}
	event := datacat.Event{Name: "package", Group: p.name, Tags: []string{string(result)}, Message: p.name, Time: l.Time, Data: data}
	if l.Action == "fail" && !p.failed { // it did not compile, or its program failed outside of its tests
		r.logBroken(p, l, &event)
	}
	r.session.Log(event)
}

// logBroken records a package that failed as such.
func (r *report) logBroken(p *pkg, l line, event *datacat.Event) {
	lines := p.ownLines()
	if build := r.builds[l.FailedBuild]; build != nil {
		lines = append(build.lines(), lines...)
	}
	f := r.failure(p, nil, lines)
	if f.exception.Message == "" {
		f.line = "failed outside of its tests"
		if found := notBuilt.FindString(strings.TrimSpace(p.last)); found != "" {
			f.line = found[strings.LastIndex(found, "[")+1 : len(found)-1] // "build failed"
		}
		f.exception.Message = f.line
	}
	if crash := p.crash; crash.isComplete() {
		f = crash.failure(p.name, "")
	}
	event.Name, event.Category, event.Message, event.Exception = "test", datacat.Error, f.line, f.exception
	event.Fingerprint = p.name
	event.Test = &datacat.TestFact{
		ID: []string{p.name}, Result: datacat.TestError, Phase: "collect", Kind: "suite", Output: textOf("", lines), Duration: elapsed(l.Elapsed),
	}
	r.counts["errors"]++
	r.failures = append(r.failures, failed{"", p.name, f.line})
}

// endUnfinished records the tests because of which the program of their package ended (by a panic in a goroutine, a timeout,
// os.Exit, a signal): go test reports no result for them. Others that ran at the same time stay without a result.
func (r *report) endUnfinished(p *pkg, l line) {
	culprit := p.culprit()
	if culprit == nil {
		return
	}
	var f described
	if p.crash.isComplete() {
		f = p.crash.failure(p.name, culprit.name)
	} else {
		f = r.failure(p, culprit, append(culprit.output.lines(), p.ownLines()...))
		if f.exception.Message == "" {
			f.line = culprit.name + " had not ended when its program did"
			f.exception.Message = f.line
		}
		f.exception.Type = "program ended"
	}
	if !r.call.isVerbose {
		for _, name := range p.order {
			if t := p.running[name]; !isBenchmark(name) {
				r.print(failedText(t))
			}
		}
	}
	for name := culprit.name; name != ""; name = parentOf(name) {
		t := p.running[name]
		if t == nil {
			continue
		}
		fact := &datacat.TestFact{ID: t.id, Result: datacat.TestError, Kind: kindOf(name), Duration: elapsed(l.Time.Sub(t.started).Seconds())}
		event := datacat.Event{Name: "test", Category: datacat.Error, Group: p.name, Time: l.Time, Test: fact}
		if t == culprit {
			event.Message, event.Exception, event.Fingerprint = f.line, f.exception, p.name+"."+name
			lines := t.output.lines()
			if p.crash.isComplete() && p.crash.test != name {
				lines = append(lines, p.crash.lines...)
			}
			fact.Output = textOf(name, append(lines, p.ownLines()...))
		} else {
			event.Message = culprit.name + " had not ended"
		}
		r.session.Log(event)
		r.counts["errors"]++
		r.failures = append(r.failures, failed{name, p.name, event.Message})
		p.forget(name)
	}
	p.failed = true
}

// ownLines are what the program printed outside of its tests, without the results that go test adds.
func (p *pkg) ownLines() (lines []string) {
	for _, line := range p.own.lines() {
		if line != "PASS\n" && line != "FAIL\n" && !isPackageResult(p.name, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// isPackageResult reports whether it is the line with the result of a package: "ok", "FAIL", or "?" without test files.
func isPackageResult(pkg, output string) bool {
	for _, mark := range []string{"ok  \t", "FAIL\t", "?   \t"} {
		if strings.HasPrefix(output, mark+pkg+"\t") || strings.HasPrefix(output, mark+pkg+" [") {
			return true
		}
	}
	return false
}

func parentOf(name string) string {
	if at := strings.LastIndex(name, "/"); at >= 0 {
		return name[:at]
	}
	return ""
}

// culprit is the test in which the program ended, or nil if that is not known: the one that its panic names, or the only one
// that ran.
func (p *pkg) culprit() *test {
	var innermost []*test
	for i := len(p.order) - 1; i >= 0; i-- {
		t, isOuter := p.running[p.order[i]], false
		for _, other := range innermost {
			isOuter = isOuter || strings.HasPrefix(other.name, p.order[i]+"/")
		}
		if t != nil && !isOuter {
			innermost = append(innermost, t)
		}
	}
	if p.crash.isComplete() {
		if p.crash.isClaimed || p.crash.test != "" && p.running[p.crash.test] == nil {
			return nil // a test that failed has it
		}
		for _, name := range p.crash.names(p.name) {
			for _, t := range innermost {
				if t.name == name || strings.HasPrefix(t.name, name+"/") {
					return t
				}
			}
		}
	}
	if len(innermost) == 1 {
		return innermost[0]
	}
	return nil
}

// releaseHeld records failed subtests without an error of their own, when the test around them has ended. A panic in the
// output of that test is theirs: the innermost one failed first.
func (r *report) releaseHeld(p *pkg, outer *test) {
	var kept []ending
	for _, e := range p.held {
		if !strings.HasPrefix(e.name, outer.name+"/") {
			kept = append(kept, e)
			continue
		}
		if p.crash.isComplete() && p.crash.test == outer.name && !p.crash.isClaimed {
			p.crash.isClaimed = true
			for _, text := range p.crash.lines {
				e.output.add(text)
			}
		}
		r.logEnd(p, e)
	}
	p.held = kept
}

var measured = regexp.MustCompile(`^(Benchmark\S*?)(?:-\d+)?\s+(\d+)\s+(\S.* ns/op.*)\n$`)

// measure records a benchmark when its line is complete: its figures by their units, and its time as a metric, which can be
// compared between runs.
func (r *report) measure(p *pkg, t *test, at time.Time) {
	found := measured.FindStringSubmatch(*t.output.newest())
	if found == nil || found[1] != t.name {
		return
	}
	data := datacat.Object{{Key: "benchmark", Value: found[1]}, {Key: "package", Value: p.name}, {Key: "iterations", Value: json.Number(found[2])}}
	figures := strings.Fields(found[3])
	for i := 0; i+1 < len(figures); i += 2 {
		value, err := strconv.ParseFloat(figures[i], 64)
		if err != nil {
			continue
		}
		data = append(data, datacat.Field{Key: figures[i+1], Value: json.Number(figures[i])})
		if figures[i+1] == "ns/op" {
			r.session.Gauge("benchmark", value, datacat.Unit("ns/op"), datacat.Tags(datacat.Tag("benchmark", p.name+"."+found[1])))
		}
	}
	r.logBenchmark(p, t, at, data)
}

func (r *report) logBenchmark(p *pkg, t *test, at time.Time, data any) {
	r.session.Log(datacat.Event{
		Name: "test", Group: p.name, Message: t.name, Data: data, Time: at,
		Test: &datacat.TestFact{ID: t.id, Result: datacat.TestPassed, Kind: "benchmark", Duration: elapsed(at.Sub(t.started).Seconds())},
	})
	p.forget(t.name)
}

func (r *report) endBenchmark(p *pkg, name string, at time.Time) {
	if t := p.running[name]; t != nil && isBenchmark(name) {
		r.logBenchmark(p, t, at, nil)
	}
}

// endBenchmarks ends the benchmarks that ran before the next one starts, but for those around it.
func (r *report) endBenchmarks(p *pkg, next string, at time.Time) {
	for _, name := range append([]string(nil), p.order...) {
		if isBenchmark(name) && !strings.HasPrefix(next, name+"/") && !(next == "" && p.crash.isComplete()) {
			r.endBenchmark(p, name, at)
		}
	}
}

func milliseconds(seconds float64) float64 { return float64(int64(seconds*1e6+0.5)) / 1e3 }
