package secrets

import (
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func isNameByte(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '.' || c == '-' }

// nameBefore is the name that ends before at, behind a closing quote or bracket and blanks.
func nameBefore(text string, at int) (start, end int, isQuoted bool) {
	end = at
	for end > 0 && end > at-2 && (text[end-1] == ' ' || text[end-1] == '\t') {
		end--
	}
	if end > 0 && text[end-1] == ']' {
		end--
	}
	if end > 0 && (text[end-1] == '"' || text[end-1] == '\'') {
		isQuoted = true
		end--
		for end > 0 && end > at-8 && text[end-1] == '\\' {
			end--
		}
	}
	start = end
	for start > 0 && start > at-limits.MaxNameDistance && isNameByte(text[start-1]) {
		start--
	}
	return start, end, isQuoted
}

func named(text string, at, from int) (finding, bool) {
	start, end, isQuoted := nameBefore(text, at)
	if start == end {
		return finding{}, false
	}
	name := text[start:end]
	before := byte(0)
	if start > 0 {
		before = text[start-1]
	}
	isQuery := before == '?' || before == '&' || before == '#'
	class := ClassOf(name)
	if name[0] == '-' {
		class = optionClass(name)
	}
	isProse := class == OrdinaryName && strings.EqualFold(name, "key")
	if class == OrdinaryName && isQuery && isQueryName(strings.ToLower(name)) {
		class = TextName
	}
	if class == OrdinaryName || text[at] == ':' && isPosition(text[from:], name) {
		return finding{}, false
	}
	value := from
	if value < len(text) && (text[value] == '=' || text[value] == '>') {
		value++
	}
	blanks := value
	value = skipBlanks(text, value)
	if isHeader(name) && !isQuery {
		return header(text, value, before)
	}
	isProse = isProse || value > blanks && text[at] == ':' && !isQuoted && class != AnyName
	return valueAt(text, value, class, isQuery, isProse)
}

// sourceFiles are the extensions of names that a line's number follows: auth.go:12.
var sourceFiles = setOf(".js .mjs .cjs .ts .mts .cts .jsx .mjsx .cjsx .tsx .mtsx .ctsx .py .go .rs .rb .java .kt .c .cc .cpp .h .cs .php .vue")

// isPosition reports whether a line and a column follow, as in a stack: auth.ts:12:5.
func isPosition(text, name string) bool {
	if text == "" || !isDigit(text[0]) {
		return false
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 && sourceFiles[strings.ToLower(name[dot:])] {
		return true
	}
	rest := strings.TrimLeft(text, "0123456789")
	if rest == "" || rest[0] != ':' || len(rest) == 1 || !isDigit(rest[1]) {
		return false
	}
	rest = strings.TrimLeft(rest[1:], "0123456789")
	return rest == "" || !isAlphanumeric(rest[0]) && strings.IndexByte("_@:.", rest[0]) < 0
}

func isQueryName(name string) bool {
	return name == "key" || name == "sig" || name == "signature" || strings.HasSuffix(name, "-signature") || strings.HasSuffix(name, "_signature")
}

func header(text string, at int, before byte) (finding, bool) {
	if strings.HasPrefix(text[at:], Mark) {
		return finding{}, false
	}
	_, _, isQuoted := quotedAt(text, at)
	if isQuoted || at < len(text) && (text[at] == '[' || text[at] == '{') {
		return valueAt(text, at, AnyName, false, false)
	}
	scheme := schemeEnd(text, at)
	if strings.HasPrefix(text[scheme:], Mark) {
		return finding{}, false
	}
	end := 0
	switch {
	case before == '"' || before == '\'' || before == '`':
		end = lineEnd(text, at, before)
	case scheme > at:
		end = unquotedEnd(text, scheme)
	default:
		end = lineEnd(text, at, 0)
	}
	if isLiteral(text[at:end]) {
		return finding{}, false
	}
	return keyed(text, at, end)
}

// lineEnd is the end of the line, also of an escaped one, or the quote, if there is one.
func lineEnd(text string, start int, quote byte) int {
	for at := start; at < len(text); at++ {
		c := text[at]
		if c == '\r' || c == '\n' || quote != 0 && c == quote {
			return at
		}
		if c == '\\' && at+1 < len(text) {
			if next := text[at+1]; next == 'r' || next == 'n' || quote != 0 && next == quote {
				return at
			}
		}
	}
	return len(text)
}
