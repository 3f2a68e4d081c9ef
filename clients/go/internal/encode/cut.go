package encode

import (
	"strconv"
	"unicode/utf8"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// removable are the fields that are left out, first to last, when an event of short strings alone is too long.
var removable = []string{"sources", "data", "causes", "stacktrace", "labels"}

// CutStrings shortens the op that begins at buf[start] to at most maxBytes. It cuts the strings to the largest of 131072,
// 65536, … 64 characters with which the op fits, and leaves out whole fields only if it still does not fit. It works on the
// encoded text, which contains no blanks. Each attempt is linear in the length of the op, and ends where the result is too
// long.
func CutStrings(buf []byte, start, maxBytes int) []byte {
	c := cutter{fields: split(append([]byte(nil), buf[start:]...)), out: buf, start: start, end: start + maxBytes}
	for longest := limits.MaxCut; longest >= limits.MinCut; longest /= 2 {
		if c.cut(longest, nil) {
			return c.out
		}
	}
	for i := range removable {
		if c.cut(limits.MinCut, removable[:i+1]) {
			break
		}
	}
	return c.out
}

// cutter copies the members of an op with their strings cut.
type cutter struct {
	fields     []opField
	out        []byte
	start, end int // of the copy in out
}

// opField is one member of an op, as JSON.
type opField struct{ key, value []byte }

func split(op []byte) (fields []opField) {
	for at := 0; op[at] != '}'; {
		keyEnd := stringEnd(op, at)
		end := valueEnd(op, keyEnd+1)
		fields = append(fields, opField{op[at:keyEnd], op[keyEnd+1 : end]})
		if at = end; op[at] == ',' {
			at++
		}
	}
	return fields
}

// cut writes the fields of the op except those left out, and reports whether they fit. The fields that identify an event
// have limits of their own and stay whole.
func (c *cutter) cut(longest int, leftOut []string) (fits bool) {
	c.out = c.out[:c.start]
	for _, field := range c.fields {
		key := string(field.key[1 : len(field.key)-1])
		if contains(leftOut, key) {
			continue
		}
		if len(c.out) > c.start {
			c.out = append(c.out, ',')
		}
		c.out = append(append(c.out, field.key...), ':')
		switch key {
		case "op", "name", "category", "group", "labels":
			c.out = append(c.out, field.value...)
		case "test": // its id identifies it, too: `{"id":[…]`
			end := valueEnd(field.value, len(`{"id":`))
			c.out = append(c.out, field.value[:end]...)
			if !c.shorten(field.value[end:], longest) {
				return false
			}
		default:
			if !c.shorten(field.value, longest) {
				return false
			}
		}
	}
	c.out = append(c.out, '}')
	return len(c.out) <= c.end
}

// shorten copies a JSON value with its strings cut, except its keys, and reports whether it fits.
func (c *cutter) shorten(value []byte, longest int) (fits bool) {
	copied := 0
	for at := 0; at < len(value); {
		if len(c.out)+at-copied > c.end {
			return false
		}
		if value[at] != '"' {
			at++
			continue
		}
		end := stringEnd(value, at)
		isKey := end < len(value) && value[end] == ':'
		if !isKey && end-at-2 > longest { // in bytes; it may have fewer characters
			kept, left := characters(value[at+1:end-1], longest, c.end-len(c.out))
			if left > 0 {
				c.out = append(c.out, value[copied:at+1+kept]...)
				c.out = strconv.AppendInt(append(c.out, "…"...), int64(left), 10)
				copied = end - 1
			}
		}
		at = end
	}
	c.out = append(c.out, value[copied:]...)
	return len(c.out) <= c.end
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// characters counts in escaped text: the bytes of its first characters, and how many characters follow them. It does not
// count the rest where those bytes are more than maxBytes, because the result is not used then.
func characters(text []byte, first, maxBytes int) (bytes, left int) {
	count := 0
	for at := 0; at < len(text); count++ {
		if count == first {
			if bytes = at; bytes > maxBytes {
				return bytes, 1
			}
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
