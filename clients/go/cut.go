package datacat

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// longestCut is where cutting starts: half of any limit there is.
const longestCut = 131_072

// expendable fields go, first to last, when short strings alone are too many.
var expendable = []string{"data", "causes", "stacktrace", "labels"}

// cutStrings shortens a record's op to at most maxBytes: its strings are cut to the largest of 131072, 65536, … 64
// characters with which it fits; whole fields go only when that is not enough.
func cutStrings(buf []byte, maxBytes int) []byte {
	decoder := json.NewDecoder(bytes.NewReader(append([]byte{'{'}, buf[room:]...)))
	decoder.UseNumber()
	decoded, err := decodeOrdered(decoder, -1) // our own JSON, in an object of its own
	op, ok := decoded.(Object)
	if err != nil || !ok {
		return buf
	}
	for longest := longestCut; longest >= wholeString; longest /= 2 {
		if buf = appendCut(buf[:room], op, longest); len(buf)-room <= maxBytes {
			return buf
		}
	}
	for _, key := range expendable {
		op = without(op, key)
		if buf = appendCut(buf[:room], op, wholeString); len(buf)-room <= maxBytes {
			break
		}
	}
	return buf
}

func without(object Object, key string) Object {
	var rest Object
	for _, field := range object {
		if field.Key != key {
			rest = append(rest, field)
		}
	}
	return rest
}

// appendCut writes the op's members. What identifies an event is bounded already and stays whole.
func appendCut(b []byte, op Object, longest int) []byte {
	for i, field := range op {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, field.Key), ':')
		switch field.Key {
		case "op", "name", "category", "group", "labels":
			b = appendShort(b, field.Value, maxEventBytes)
		default:
			b = appendShort(b, field.Value, longest)
		}
	}
	return append(b, '}')
}

func appendShort(b []byte, v any, longest int) []byte {
	switch v := v.(type) {
	case string:
		return appendString(b, shorten(v, longest))
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendShort(b, item, longest)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i, field := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, field.Key), ':')
			b = appendShort(b, field.Value, longest)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// shorten keeps the first characters, and says how many there were beyond.
func shorten(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	kept := 0
	for i := range s {
		if kept == longest {
			return s[:i] + "…" + strconv.Itoa(characters(s[i:]))
		}
		kept++
	}
	return s
}
