package encode

import (
	"strconv"
	"unicode/utf8"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// removable are the fields that are left out, first to last, when an event of short strings alone is too long.
var removable = []string{"data", "causes", "stacktrace", "labels"}

// CutStrings shortens the op that begins at buf[start] to at most maxBytes. It cuts the strings to the largest of 131072,
// 65536, … 64 characters with which the op fits, and leaves out whole fields only if it still does not fit. It works on the
// encoded text, which contains no blanks, so each pass is linear in its length and copies no values.
func CutStrings(buf []byte, start, maxBytes int) []byte {
	op := append([]byte(nil), buf[start:]...)
	for longest := limits.MaxCut; longest >= limits.MinCut; longest /= 2 {
		if buf = appendCut(buf[:start], op, longest, nil); len(buf)-start <= maxBytes {
			return buf
		}
	}
	for i := range removable {
		if buf = appendCut(buf[:start], op, limits.MinCut, removable[:i+1]); len(buf)-start <= maxBytes {
			break
		}
	}
	return buf
}

// appendCut writes the fields of an op except those left out. The fields that identify an event have limits of their own
// and stay whole.
func appendCut(b, op []byte, longest int, leftOut []string) []byte {
	start := len(b)
	for at := 0; op[at] != '}'; {
		keyEnd := stringEnd(op, at)
		end := valueEnd(op, keyEnd+1)
		key := string(op[at+1 : keyEnd-1])
		if !contains(leftOut, key) {
			if len(b) > start {
				b = append(b, ',')
			}
			b = append(b, op[at:keyEnd+1]...)
			switch key {
			case "op", "name", "category", "group", "labels":
				b = append(b, op[keyEnd+1:end]...)
			default:
				b = appendShortened(b, op[keyEnd+1:end], longest)
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

// appendShortened copies a JSON value with its strings cut, except its keys.
func appendShortened(b, value []byte, longest int) []byte {
	copied := 0
	for at := 0; at < len(value); {
		if value[at] != '"' {
			at++
			continue
		}
		end := stringEnd(value, at)
		isKey := end < len(value) && value[end] == ':'
		if !isKey && end-at-2 > longest { // in bytes; it may have fewer characters
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

// characters counts in escaped text: the bytes of its first characters, and how many characters follow them.
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

// stringEnd is the position after the string that begins at start.
func stringEnd(text []byte, start int) int {
	end := start + 1
	for ; text[end] != '"'; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	return end + 1
}

// valueEnd is the position after the member value that begins at start.
func valueEnd(text []byte, start int) int {
	at := start
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
