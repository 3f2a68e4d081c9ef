package datacat

import (
	"strconv"
	"unicode/utf8"
)

// longestCut is where cutting starts: half of any limit there is.
const longestCut = 131_072

// expendable fields go, first to last, when short strings alone are too many.
var expendable = []string{"data", "causes", "stacktrace", "labels"}

// cutStrings shortens a record's op to at most maxBytes: its strings are cut to the largest of 131072, 65536, … 64
// characters with which it fits; whole fields go only when that is not enough. It works on the text, which is our own and
// has no blanks, so that ten megabytes cost a few passes and no copies of their parts.
func cutStrings(buf []byte, maxBytes int) []byte {
	op := append([]byte(nil), buf[room:]...)
	for longest := longestCut; longest >= wholeString; longest /= 2 {
		if buf = appendCut(buf[:room], op, longest, nil); len(buf)-room <= maxBytes {
			return buf
		}
	}
	for i := range expendable {
		if buf = appendCut(buf[:room], op, wholeString, expendable[:i+1]); len(buf)-room <= maxBytes {
			break
		}
	}
	return buf
}

// appendCut writes the op's fields but those left out. What identifies an event is bounded already and stays whole.
func appendCut(b, op []byte, longest int, out []string) []byte {
	start := len(b)
	for at := 0; op[at] != '}'; {
		keyEnd := stringEnd(op, at)
		end := valueEnd(op, keyEnd+1)
		key := string(op[at+1 : keyEnd-1])
		if !contains(out, key) {
			if len(b) > start {
				b = append(b, ',')
			}
			b = append(b, op[at:keyEnd+1]...)
			switch key {
			case "op", "name", "category", "group", "labels":
				b = append(b, op[keyEnd+1:end]...)
			default:
				b = appendShort(b, op[keyEnd+1:end], longest)
			}
		}
		if at = end; op[at] == ',' {
			at++
		}
	}
	return append(b, '}')
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// appendShort copies a JSON value with its strings cut, except keys.
func appendShort(b, value []byte, longest int) []byte {
	copied := 0
	for at := 0; at < len(value); {
		if value[at] != '"' {
			at++
			continue
		}
		end := stringEnd(value, at)
		isKey := end < len(value) && value[end] == ':'
		if !isKey && end-at-2 > longest { // in bytes; in characters it may be less
			if kept, left := characters(value[at+1:end-1], longest); left > 0 {
				b = append(b, value[copied:at+1+kept]...)
				b = strconv.AppendInt(append(b, "…"...), int64(left), 10)
				copied = end - 1
			}
		}
		at = end
	}
	return append(b, value[copied:]...)
}

// characters answers how many bytes of an escaped text its first few characters take, and how many characters are left.
func characters(text []byte, first int) (bytes, left int) {
	count := 0
	for at := 0; at < len(text); count++ {
		if count == first {
			bytes = at
		}
		switch {
		case text[at] == '\\' && text[at+1] == 'u':
			at += len(`\u0000`)
		case text[at] == '\\':
			at += len(`\n`)
		case text[at] < utf8.RuneSelf:
			at++
		default:
			_, size := utf8.DecodeRune(text[at:])
			at += size
		}
	}
	if count <= first {
		return len(text), 0
	}
	return bytes, count - first
}

// stringEnd is behind the closing quote of the string that starts at.
func stringEnd(text []byte, at int) int {
	for at++; text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// valueEnd is behind the value that starts at, within an object.
func valueEnd(text []byte, at int) int {
	for depth := 0; ; {
		switch text[at] {
		case '"':
			at = stringEnd(text, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at
			}
			depth--
		case ',':
			if depth == 0 {
				return at
			}
		}
		at++
	}
}
