package secrets

import (
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func isNameByte(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '.' || c == '-' }

// nameStart is where the name begins that goes on at end, at most MaxNameDistance before at.
func nameStart(text string, at, end int) int {
	for least := maximum(0, at-limits.MaxNameDistance); end > least && isNameByte(text[end-1]); {
		end--
	}
	return end
}

// name is the place of a name, without its quotes.
type name struct {
	start, end int
	isQuoted   bool
}

// nameAt is the value of the name around at that ends at end: behind its separator, in its element, or as an argument.
func nameAt(text string, at, end int) (finding, bool) {
	n := name{start: nameStart(text, at, at), end: end}
	if text[n.start] == '-' {
		if found, ok := option(text, n.start); ok {
			return found, true
		}
	}
	separator := end
	n.isQuoted, separator = skipQuote(text, separator)
	separator = skipIndex(text, separator)
	for blanks := 0; blanks < 2 && separator < len(text) && (text[separator] == ' ' || text[separator] == '\t'); blanks++ {
		separator++
	}
	value := separator + 1
	switch {
	case separator == len(text):
		value = 0
	case text[separator] == '%' && separator+2 < len(text) && text[separator+1] == '3' && (text[separator+2] == 'D' || text[separator+2] == 'd'):
		value = separator + 3
	case text[separator] != ':' && text[separator] != '=':
		value = 0
	}
	if value > 0 && !strings.HasPrefix(text[value:], "//") {
		return named(text, n, separator, value)
	}
	if found, ok := element(text, n); ok {
		return found, true
	}
	return variable(text, n)
}

// skipQuote reports whether a quote ends the name, and where the rest begins. In JSON within JSON the quote has backslashes.
func skipQuote(text string, at int) (isQuoted bool, rest int) {
	quote := at
	for quote < at+8 && quote < len(text) && text[quote] == '\\' {
		quote++
	}
	if quote < len(text) && (text[quote] == '"' || text[quote] == '\'') {
		return true, quote + 1
	}
	return false, at
}

// skipIndex skips a closing bracket and the index of a list: `config["password"]`, `user[password]`, `secret[0]`, `secret%5B0%5D`.
func skipIndex(text string, at int) int {
	switch {
	case at < len(text) && text[at] == ']':
		at++
	case hasCode(text, at, 'D'):
		at += 3
	}
	switch {
	case at < len(text) && text[at] == '[':
		end := skipIndexQuote(text, at+1)
		end = skipIndexQuote(text, indexEnd(text, end))
		if end < len(text) && text[end] == ']' {
			return end + 1
		}
	case hasCode(text, at, 'B'):
		if end := indexEnd(text, at+3); hasCode(text, end, 'D') {
			return end + 3
		}
	}
	return at
}

// hasCode reports whether %5B or %5D is there, an encoded bracket.
func hasCode(text string, at int, letter byte) bool {
	return at+2 < len(text) && text[at] == '%' && text[at+1] == '5' && (text[at+2] == letter || text[at+2] == letter+'a'-'A')
}

func skipIndexQuote(text string, at int) int {
	if at < len(text) && (text[at] == '"' || text[at] == '\'') {
		return at + 1
	}
	return at
}

func indexEnd(text string, at int) int {
	for most := at + limits.MaxIndex; at < most && at < len(text) && isNameByte(text[at]); {
		at++
	}
	return at
}

func named(text string, n name, at, from int) (finding, bool) {
	name := text[n.start:n.end]
	before := byte(0)
	if n.start > 0 {
		before = text[n.start-1]
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
	isSentence := value > blanks && text[at] == ':' && !n.isQuoted
	return valueAt(text, value, class, use{isQuery: isQuery, isSentence: isSentence, isProse: isProse || isSentence && class < AnyName})
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
		return valueAt(text, at, AnyName, use{})
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
	return secretIn(text, at, end, AnyName)
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
