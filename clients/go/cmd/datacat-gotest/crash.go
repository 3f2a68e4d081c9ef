package main

import (
	"regexp"
	"strconv"
	"strings"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

// crash is the output with which the program of a package ended: "panic: …" or "fatal error: …", and the stacks of its
// goroutines.
type crash struct {
	test      string // in whose output it is: mostly the last one that started
	lines     []string
	isClaimed bool // by the subtest that failed with it
}

var (
	crashed   = regexp.MustCompile(`^(panic|fatal error): (.*?)( \[recovered.*\])?\n?$`)
	goroutine = regexp.MustCompile(`^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[`)
	running   = regexp.MustCompile(`^\t\t(\S.*) \([0-9.]+[a-zµ]+[^()]*\)\n$`)
	place     = regexp.MustCompile(`^\t(.*\.go):(\d+)`)
)

// watchCrash reads an output for the beginning of a crash, and collects what follows. A program that goes on did not crash.
func (p *pkg) watchCrash(test, output string) {
	switch {
	case p.crash == nil && crashed.MatchString(output):
		p.crash = &crash{test: test, lines: []string{output}}
	case p.crash != nil && len(p.crash.lines) < maxKept && !strings.HasPrefix(output, "FAIL"):
		p.crash.lines = append(p.crash.lines, output)
	}
}

func crashIn(lines []string) *crash {
	for i, line := range lines {
		if crashed.MatchString(line) {
			return &crash{lines: lines[i:]}
		}
	}
	return nil
}

// isComplete reports whether stacks follow: a text alone may have been printed by a test.
func (c *crash) isComplete() bool {
	if c == nil {
		return false
	}
	for _, line := range c.lines {
		if goroutine.MatchString(line) {
			return true
		}
	}
	return false
}

// names are the tests that the crash names, the innermost first: those that were running at a timeout, else those whose
// functions are in the stack of the goroutine that panicked.
func (c *crash) names(pkg string) []string {
	var names []string
	for _, line := range c.lines {
		if found := running.FindStringSubmatch(line); found != nil {
			names = append([]string{found[1]}, names...)
		}
	}
	if len(names) > 0 {
		return names
	}
	function := testFunction(pkg, `(?:Test|Benchmark|Fuzz|Example)\w*`)
	for _, frame := range c.stack() {
		if found := function.FindStringSubmatch(frame); found != nil {
			names = append(names, found[1])
		}
	}
	return names
}

// testFunction matches frames of tests of a package, also of its external tests.
func testFunction(pkg, name string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:created by )?` + regexp.QuoteMeta(pkg) + `(?:_test)?\.(` + name + `)\b`)
}

// stack is the goroutine that crashed, from where the program panicked.
func (c *crash) stack() []string {
	for _, frames := range c.goroutines() {
		return frames
	}
	return nil
}

// hanging is the goroutine of a test that was running at a timeout: the one that does not wait for a subtest.
func (c *crash) hanging(pkg, test string) []string {
	function := testFunction(pkg, regexp.QuoteMeta(strings.SplitN(test, "/", 2)[0]))
	for _, frames := range c.goroutines() {
		for _, frame := range frames {
			if function.MatchString(frame) && !strings.HasPrefix(frames[0], "testing.(*T).Run(") {
				return frames
			}
		}
	}
	return c.stack()
}

// goroutines are the stacks, each frame of two lines; of the one that panicked from where it did.
func (c *crash) goroutines() (all [][]string) {
	var frames []string
	isIn := false
	for _, line := range append(c.lines[:len(c.lines):len(c.lines)], "\n") {
		line = strings.TrimRight(line, "\n")
		switch {
		case goroutine.MatchString(line):
			isIn, frames = true, nil
		case !isIn:
		case line == "":
			all, isIn = append(all, frames), false
		case strings.HasPrefix(line, "\t") && len(frames) > 0:
			frames[len(frames)-1] += "\n" + line
			if strings.HasPrefix(frames[len(frames)-1], "panic(") { // above it is the runtime
				frames = nil
			}
		case len(frames) < maxFrames:
			frames = append(frames, line)
		}
	}
	return all
}

// failure is the crash as the failure of a test, or with "" of a package.
func (c *crash) failure(pkg, test string) described {
	x := &datacat.Exception{Cause: datacat.Cause{Stack: c.stack()}, Handled: datacat.Handled}
	found := crashed.FindStringSubmatch(c.lines[0])
	x.Type, x.Message = found[1], found[2]
	if strings.HasPrefix(x.Message, "test timed out after") {
		x.Type, x.Stack = "timeout", c.hanging(pkg, test)
	}
	for _, line := range c.lines[1:] { // a message may have several lines
		if text := strings.TrimRight(line, "\n"); text == "" || x.Type == "timeout" || goroutine.MatchString(text) {
			break
		} else {
			x.Message += "\n" + strings.TrimSpace(text)
		}
	}
	x.File, x.Line, x.Function = whereIn(x.Stack, pkg)
	return described{x, firstLine(x.Type + ": " + x.Message), nil}
}

// whereIn is the innermost frame of a package, else the innermost that is not Go's own.
func whereIn(stack []string, pkg string) (file string, line int, function string) {
	for _, isWanted := range []func(string) bool{
		func(name string) bool {
			return strings.HasPrefix(name, pkg+".") || strings.HasPrefix(name, pkg+"_test.")
		},
		func(name string) bool {
			return !strings.HasPrefix(name, "testing.") && !strings.HasPrefix(name, "runtime.") && !strings.HasPrefix(name, "created by ")
		},
	} {
		for _, frame := range stack {
			name, rest, _ := strings.Cut(frame, "\n")
			if at := place.FindStringSubmatch(rest); at != nil && isWanted(name) {
				line, _ = strconv.Atoi(at[2])
				if arguments := strings.LastIndex(name, "("); arguments > 0 {
					name = name[:arguments]
				}
				return at[1], line, name
			}
		}
	}
	return "", 0, ""
}
