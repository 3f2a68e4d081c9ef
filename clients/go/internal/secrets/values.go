package secrets

import "strings"

func skipBlanks(text string, at int) int {
	for end := at + 4; at < len(text) && at < end && (text[at] == ' ' || text[at] == '\t'); {
		at++
	}
	return at
}

// isDigits reports whether there is nothing but digits; the empty text has nothing else.
func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// unquotedEnd is where a value without quotes ends.
func unquotedEnd(text string, start int) int {
	for at := start; at < len(text); at++ {
		switch text[at] {
		case ' ', '\t', '\r', '\n', ';', '&', '"', '\'', '`', '<', '>', '|', ',':
			return at
		case '\\':
			if at+1 < len(text) && strings.IndexByte("nrt\"'\\", text[at+1]) >= 0 {
				return at
			}
		case '%':
			if strings.HasPrefix(text[at:], "%26") {
				return at
			}
		}
	}
	return len(text)
}

var literals = setOf("null none nil undefined true false string str bearer required")

func isLiteral(value string) bool { return len(value) <= 9 && literals[strings.ToLower(value)] }

// prose is what follows `password: ` in a sentence, and is no password.
var prose = setOf("cannot changed expired field forgot incorrect invalid is link mismatch missing must not policy prompt reset " +
	"should was wrong")

// use is where a name stands: in a query, or before a colon and a blank, as in a sentence. isProse makes letters alone ordinary.
type use struct{ isQuery, isSentence, isProse bool }

func valueAt(text string, at int, class Class, use use) (finding, bool) {
	start := at
	if at+1 < len(text) && strings.IndexByte("bBfFrRuU", text[at]) >= 0 && (text[at+1] == '"' || text[at+1] == '\'') {
		start++
	}
	if strings.HasPrefix(text[start:], Mark) {
		return finding{}, false
	}
	if from, to, ok := quotedAt(text, start); ok {
		if !IsHidden(class, text[from:to]) || class < AnyName && !hasAlphanumeric(text[from:to]) {
			return finding{}, false
		}
		return keyed(text, from, to)
	}
	if start < len(text) && (text[start] == '[' || text[start] == '{') {
		end := bracketEnd(text, start)
		if !hasAlphanumeric(text[start:end]) {
			return finding{}, false
		}
		return keyed(text, start, end)
	}
	end := unquotedEnd(text, start)
	if use.isQuery {
		end = start + len(upToAny(text[start:end], "#"))
	}
	for end > start && isUnopened(text[start:end]) {
		end--
	}
	value := text[start:end]
	if use.isSentence && len(value) <= maxSetting && prose[strings.ToLower(value)] {
		return finding{}, false
	}
	if use.isProse && !isLonger(value, 15) && !strings.ContainsAny(value, "0123456789") {
		return finding{}, false
	}
	return secretIn(text, start, end, class)
}

// secretIn is the value from start to end of a name of this class, unless it states that there is none or is a number of a count.
func secretIn(text string, start, end int, class Class) (finding, bool) {
	if value := text[start:maximum(start, end)]; isLiteral(value) || !isHiddenText(class, value) {
		return finding{}, false
	}
	return keyed(text, start, end)
}

// lineValue is the value that reaches to the end of the line, unless it is quoted.
func lineValue(text string, start int, class Class) (finding, bool) {
	if _, _, ok := quotedAt(text, start); ok {
		return valueAt(text, start, class, use{})
	}
	return secretIn(text, start, lineEnd(text, start, 0), class)
}

// isLonger reports whether a text has more UTF-16 units, which the other languages count.
func isLonger(text string, units int) bool {
	if len(text) <= units {
		return false
	}
	for _, character := range text {
		units--
		if character >= 0x10000 {
			units--
		}
		if units < 0 {
			return true
		}
	}
	return false
}

// IsNumber reports whether a text is digits, with a decimal point at most.
func IsNumber(text string) bool {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	return whole != "" && isDigits(whole) && (!hasPoint || fraction != "" && isDigits(fraction))
}

func hasAlphanumeric(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x80 && isAlphanumeric(byte(r)) }) >= 0
}

// isUnopened reports whether a value ends with a bracket that it did not open: `(password=x)`.
func isUnopened(value string) bool {
	closer := strings.IndexByte(")]}>", value[len(value)-1])
	return closer >= 0 && strings.IndexByte(value, "([{<"[closer]) < 0
}

// quotedAt is the inside of a quoted value. In JSON within JSON the quotes have backslashes. Without a closing quote it was cut.
func quotedAt(text string, at int) (start, end int, ok bool) {
	quote := at
	for quote < at+8 && quote < len(text) && text[quote] == '\\' {
		quote++
	}
	if quote == len(text) || text[quote] != '"' && text[quote] != '\'' && text[quote] != '`' {
		return 0, 0, false
	}
	escapes, start, before := quote-at, quote+1, 0
	for end = start; end < len(text); end++ {
		if text[end] == '\\' {
			before++
			continue
		}
		if text[end] == text[quote] && (before <= escapes || escapes == 0 && before%2 == 0) {
			return start, end - before, true
		}
		before = 0
	}
	return start, len(text), true
}

func bracketEnd(text string, start int) int {
	depth := 0
	for at := start; at < len(text); at++ {
		switch text[at] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
	return len(text)
}
