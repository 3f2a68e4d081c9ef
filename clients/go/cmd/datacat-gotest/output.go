package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// transcript keeps the first and the last lines of an output.
type transcript struct {
	first, kept []string
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
	if len(t.kept) == maxKept/2 {
		t.kept = t.kept[1:]
		t.leftOut++
	}
	t.kept = append(t.kept, output)
}

func (t *transcript) newest() *string {
	for _, lines := range [][]string{t.kept, t.first} {
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
	return append(all, t.kept...)
}

// textOf is the end of what a test printed, without the marks of go test.
func textOf(test string, lines []string) string {
	var printed strings.Builder
	for _, line := range lines {
		if test == "" || !isMark(test, line) {
			printed.WriteString(line)
		}
	}
	text := printed.String()
	if len(text) > maxOutput {
		text = text[len(text)-maxOutput:]
		for len(text) > 0 && !utf8.RuneStart(text[0]) {
			text = text[1:]
		}
	}
	return text
}

// failedText is a failed test as go test prints it: its result, then its output.
func failedText(t *test) string {
	var result, rest strings.Builder
	for _, line := range t.output.lines() {
		switch {
		case isResult(t.name, line):
			result.WriteString(line)
		case !isMark(t.name, line):
			rest.WriteString(line)
		}
	}
	return result.String() + rest.String()
}
