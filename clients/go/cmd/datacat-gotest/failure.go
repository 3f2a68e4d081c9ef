package main

import (
	"regexp"
	"strconv"
	"strings"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

// described is the failure of a test: an exception, the first line of its message, and what was compared.
type described struct {
	exception *datacat.Exception
	line      string
	diff      *datacat.TestDiff
}

// complaint is a line that a test wrote with t.Error, t.Log or the like: "    file.go:12: text", with the lines that go on.
type complaint struct {
	file string
	line int
	text string
}

// A test may have printed text without a newline before it.
var complained = regexp.MustCompile(`(?:^|^.*?\s{4})([^\s:]+\.go):(\d+)(?::\d+)?: ?(.*)`)

func complaintsIn(lines []string) (found []complaint) {
	for _, line := range lines {
		text := strings.TrimRight(line, "\n")
		if len(found) > 0 && strings.HasPrefix(text, "        ") {
			last := &found[len(found)-1]
			last.text += "\n" + strings.TrimPrefix(text, "        ")
			continue
		}
		if match := complained.FindStringSubmatch(text); match != nil && len(text) <= maxJoined {
			number, _ := strconv.Atoi(match[2])
			found = append(found, complaint{match[1], number, match[3]})
		}
	}
	return found
}

// failure describes the output of a failed test: its first complaint that is no log is the exception, the others are its
// members. t is nil for a package.
func (r *report) failure(p *pkg, t *test, lines []string) described {
	if c := crashIn(lines); c.isComplete() {
		name := ""
		if t != nil {
			name = t.name
		}
		return c.failure(p.name, name)
	}
	x := &datacat.Exception{Cause: datacat.Cause{Type: "test failed"}, Handled: datacat.Handled}
	if t == nil {
		x.Type = "package failed"
	}
	errors, isKnown := r.sources.errors(p.name, complaintsIn(lines))
	var diff *datacat.TestDiff
	if len(errors) > 0 {
		first := errors[0]
		x.File, x.Line = first.file, first.line
		x.Message, diff = compared(first.text)
		if isKnown { // else they may be logs
			parent := 0
			for _, other := range errors[1:] {
				if len(x.Causes) == maxErrors {
					x.CausesLeftOut++
					continue
				}
				text, _ := compared(other.text)
				x.Causes = append(x.Causes, datacat.Cause{Type: x.Type, Message: text, Kind: datacat.Member, Parent: &parent})
			}
		}
	} else {
		x.Message = textOfFailure(t, lines)
		if diff = exampleDiff(lines); diff != nil {
			x.Message = "got " + diff.Actual + ", want " + diff.Expected
		}
	}
	return described{x, firstLine(x.Message), diff}
}

// textOfFailure is the line of an output that describes a failure best: the first one of a test, and of a program the last one
// but for its exit code.
func textOfFailure(t *test, lines []string) (text string) {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		isOwn := t != nil && (isMark(t.name, line+"\n") || line == t.name)
		if line == "" || isOwn || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "FAIL\t") {
			continue
		}
		if t != nil {
			return line
		}
		if text == "" || !strings.HasPrefix(line, "exit status ") {
			text = line
		}
	}
	return text
}

func firstLine(text string) string {
	line := strings.TrimSpace(strings.SplitN(strings.TrimSpace(text), "\n", 2)[0])
	return cut(line, maxLine)
}

func cut(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length], "") + "…"
}

// exampleDiff is the comparison that go test prints of an example: "got:", the lines, "want:", the lines.
func exampleDiff(lines []string) *datacat.TestDiff {
	var got, want []string
	into := (*[]string)(nil)
	for _, line := range lines {
		switch text := strings.TrimRight(line, "\n"); {
		case text == "got:" && into == nil:
			into = &got
		case text == "want:" && into == &got:
			into = &want
		case into != nil:
			*into = append(*into, text)
		}
	}
	if into != &want {
		return nil
	}
	return &datacat.TestDiff{Expected: cut(strings.Join(want, "\n"), maxDiff), Actual: cut(strings.Join(got, "\n"), maxDiff)}
}

// compared reads a complaint in the format of testify ("Error Trace: … Error: Not equal: expected: … actual  : …") as its error
// and what was compared. Another complaint is returned as it is.
func compared(text string) (message string, diff *datacat.TestDiff) {
	const errorLabel, expectedLabel, actualLabel = "Error:", "expected:", "actual  :"
	if !strings.Contains(text, "Error Trace:") {
		return strings.TrimSpace(text), nil
	}
	var expected, actual string
	for _, line := range strings.Split(text, "\n") {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, errorLabel):
			message = strings.TrimSpace(line[len(errorLabel):])
		case strings.HasPrefix(line, expectedLabel):
			expected = strings.TrimSpace(line[len(expectedLabel):])
		case strings.HasPrefix(line, actualLabel):
			actual = strings.TrimSpace(line[len(actualLabel):])
		}
	}
	if message == "" {
		return strings.TrimSpace(text), nil
	}
	if expected == "" && actual == "" {
		return message, nil
	}
	return message, &datacat.TestDiff{Expected: cut(expected, maxDiff), Actual: cut(actual, maxDiff)}
}
