package secrets

import (
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// element is the value in `<password>x</password>`, also with a namespace, attributes or CDATA.
func element(text string, n name) (finding, bool) {
	if !isTag(text, n.start) {
		return finding{}, false
	}
	start := n.end
	if start < len(text) && isSpace(text[start]) {
		for most := start + 1 + limits.MaxTagLength; start < most && start < len(text) && text[start] != '<' && text[start] != '>'; {
			start++
		}
	}
	if start == len(text) || text[start] != '>' || start > n.end && text[start-1] == '/' {
		return finding{}, false
	}
	start++
	const cdata = "<![CDATA["
	if strings.HasPrefix(text[start:], cdata) {
		start += len(cdata)
		if end := strings.Index(text[start:], "]]>"); end >= 0 {
			return secretIn(text, start, start+end, ClassOf(text[n.start:n.end]))
		}
		return secretIn(text, start, len(text), ClassOf(text[n.start:n.end])) // it was cut
	}
	end := strings.IndexByte(text[start:], '<')
	if end < 0 || !strings.HasPrefix(text[start+end:], "</") {
		return finding{}, false
	}
	return secretIn(text, start, start+end, ClassOf(text[n.start:n.end]))
}

// isTag reports whether `<`, or `<` and a namespace, is before at.
func isTag(text string, at int) bool {
	if at > 0 && text[at-1] == ':' {
		least := at - 1 - limits.MaxIndex
		for at--; at > 0 && at > least && isNameByte(text[at-1]); {
			at--
		}
	}
	return at > 0 && text[at-1] == '<'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// variable is the value in `ENV PASSWORD x` of a Dockerfile, `setenv PASSWORD x` of a shell or of Apache, and `machine h login u password p`
// of a netrc file.
func variable(text string, n name) (finding, bool) {
	value := n.end
	for value < n.end+8 && value < len(text) && (text[value] == ' ' || text[value] == '\t') {
		value++
	}
	set := n.start
	for set > 0 && set > n.start-4 && (text[set-1] == ' ' || text[set-1] == '\t') {
		set--
	}
	for _, command := range [...]string{"setenv", "setEnv", "Setenv", "SetEnv", "ENV"} {
		if value > n.end && set < n.start && strings.HasSuffix(text[:set], command) && isFirst(text, set-len(command)) {
			return lineValue(text, value, ClassOf(text[n.start:n.end]))
		}
	}
	if text[n.start:n.end] == "password" {
		return netrc(text, n)
	}
	return finding{}, false
}

// isFirst reports whether a line begins here, or a step of a build: `Step 2/7 : ENV …`, `[2/7] ENV …`.
func isFirst(text string, at int) bool {
	for least := at - 8; at > 0 && at > least && (text[at-1] == ' ' || text[at-1] == '\t'); {
		at--
	}
	if at == 0 {
		return true
	}
	before := text[at-1]
	return before == '\r' || before == '\n' || before == ':' || before == ']' || (before == 'n' || before == 'r') && at > 1 && text[at-2] == '\\'
}

func netrc(text string, n name) (finding, bool) {
	start := n.end
	for start < n.end+8 && start < len(text) && isSpace(text[start]) {
		start++
	}
	end := start
	for end < len(text) && !isSpace(text[end]) {
		end++
	}
	if start == n.end || end == start || n.start == 0 || !isSpace(text[n.start-1]) {
		return finding{}, false
	}
	terms := strings.Fields(text[maximum(0, n.start-limits.MaxNetrc):n.start])
	last := len(terms) - 1
	if last >= 1 && terms[last-1] == "machine" || last >= 3 && terms[last-3] == "machine" && terms[last-1] == "login" {
		return keyed(text, start, end)
	}
	return finding{}, false
}
