package datacat

import (
	"encoding/json"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Data is a free-form object: what is logged with an event, merged into the state, or said about a series.
type Data = map[string]any

// Field is one member of an Object.
type Field struct {
	Key   string
	Value any
}

// Object is Data whose keys keep their order.
type Object []Field

// encoder appends values as JSON, byte for byte as every client writes them (clients/README.md, "Values that JSON has no
// word for"). It never panics and never fails: what cannot be written as it is becomes a text, and losses say so.
type encoder struct {
	buf    []byte
	steps  []step      // the keys that lead to where it is, for losses
	above  []container // the containers and pointers it is in, for cycles
	depth  int         // how many of them are containers
	names  []string    // keys of the maps it is in, being sorted
	losses []loss
}

type step struct {
	key   string
	index int // in a list; -1 for a key
}

// container is a map, slice, pointer or struct by identity. The type tells a struct from its first field.
type container struct {
	address uintptr
	length  int
	kind    reflect.Type
}

// loss is something that is not recorded as it was: why, and where or what.
type loss struct{ cause, detail string }

func (e *encoder) reset() {
	e.buf, e.steps, e.above, e.depth, e.names, e.losses = e.buf[:0], e.steps[:0], e.above[:0], 0, e.names[:0], nil
}

// object writes a free-form object (state, data, metadata). Anything else becomes an object with the one key `value`.
func (e *encoder) object(root string, v any) {
	e.steps = append(e.steps[:0], step{root, -1})
	start := len(e.buf)
	e.value(v)
	switch {
	case len(e.buf) > start && e.buf[start] == '{':
	case string(e.buf[start:]) == "null":
		e.buf = append(e.buf[:start], "{}"...)
	default:
		text := string(e.buf[start:])
		e.buf = append(append(append(e.buf[:start], `{"value":`...), text...), '}')
	}
}

// value writes any value. The types that programs log most are told apart here, everything else by reflection.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...)
	case string:
		e.buf = appendString(e.buf, v)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = appendInteger(e.buf, int64(v))
	case int64:
		e.buf = appendInteger(e.buf, v)
	case float64:
		e.buf = appendFloat(e.buf, v, 64)
	case map[string]any:
		if v == nil {
			e.buf = append(e.buf, "null"...)
		} else if e.fits(len(v)) && e.enter(container{reflect.ValueOf(v).Pointer(), 0, dataType}) {
			e.members(v)
			e.leave()
		}
	case []any:
		if v == nil {
			e.buf = append(e.buf, "null"...)
		} else if e.enter(container{reflect.ValueOf(v).Pointer(), len(v), listType}) {
			e.list(len(v), func(i int) { e.value(v[i]) })
			e.leave()
		}
	case []string:
		if v == nil {
			e.buf = append(e.buf, "null"...)
		} else {
			e.buf = appendStrings(e.buf, v)
		}
	case Object:
		if v == nil {
			e.buf = append(e.buf, "null"...)
		} else if e.enter(container{reflect.ValueOf(v).Pointer(), len(v), objectType}) {
			e.fields(v)
			e.leave()
		}
	case json.Number:
		e.decimal(string(v))
	default:
		e.reflected(reflect.ValueOf(v))
	}
}

var (
	dataType   = reflect.TypeOf(Data(nil))
	listType   = reflect.TypeOf([]any(nil))
	objectType = reflect.TypeOf(Object(nil))
	noValue    = reflect.TypeOf(struct{}{})
)

// enter goes into a container, unless it is already in it or too deep.
func (e *encoder) enter(c container) bool {
	if e.isAbove(c) {
		e.lose("<cycle>")
		return false
	}
	if e.depth >= maxDepth {
		e.lose("<too deep>")
		return false
	}
	if len(e.buf) > maxEncodedBytes {
		e.lose("<too large>")
		return false
	}
	e.above = append(e.above, c)
	e.depth++
	return true
}

// fits tells whether a map of so many members may be kept: one that is too large for that is not even sorted.
func (e *encoder) fits(members int) bool {
	if members <= maxMembers {
		return true
	}
	e.lose("<too large>")
	return false
}

func (e *encoder) leave() {
	e.above = e.above[:len(e.above)-1]
	e.depth--
}

func (e *encoder) isAbove(c container) bool {
	if c.address == 0 {
		return false
	}
	for _, outer := range e.above {
		if outer == c {
			return true
		}
	}
	return false
}

func (e *encoder) list(length int, item func(i int)) {
	e.buf = append(e.buf, '[')
	e.steps = append(e.steps, step{})
	for i := 0; i < length; i++ {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.steps[len(e.steps)-1].index = i
		if len(e.buf) > maxEncodedBytes {
			e.lose("<too large>") // and what follows
			break
		}
		item(i)
	}
	e.steps = e.steps[:len(e.steps)-1]
	e.buf = append(e.buf, ']')
}

func (e *encoder) members(data Data) {
	first := len(e.names)
	for key := range data {
		e.names = append(e.names, key)
	}
	sortKeys(e.names[first:])
	e.buf = append(e.buf, '{')
	for i := first; i < first+len(data) && i < len(e.names); i++ {
		e.member(e.names[i], data[e.names[i]])
	}
	e.names = e.names[:first]
	e.buf = append(e.buf, '}')
}

// sortKeys orders by bytes, which in UTF-8 is by code point. Most objects have few keys, and sort.Strings allocates.
func sortKeys(keys []string) {
	if len(keys) > 16 {
		sort.Strings(keys)
		return
	}
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
}

func (e *encoder) fields(object Object) {
	e.buf = append(e.buf, '{')
	for _, field := range object {
		e.member(field.Key, field.Value)
	}
	e.buf = append(e.buf, '}')
}

func (e *encoder) member(key string, v any) {
	if e.key(key) && !isEmpty(v) {
		e.buf = append(e.buf, `"`+redacted+`"`...)
		return
	}
	e.steps = append(e.steps, step{key, -1})
	e.value(v)
	e.steps = e.steps[:len(e.steps)-1]
}

// key writes a comma where one is due, the key and its colon, and tells whether the key holds a secret.
func (e *encoder) key(key string) (secret bool) {
	if e.buf[len(e.buf)-1] != '{' {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(appendString(e.buf, key), ':')
	return isSecret(key)
}

// isEmpty is true for what tells nothing even under a secret key: null, and values without content.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	}
	return isEmptyValue(reflect.ValueOf(v))
}

func isEmptyValue(v reflect.Value) bool {
	for steps := 0; v.Kind() == reflect.Ptr || v.Kind() == reflect.Interface; steps++ {
		if v.IsNil() {
			return true
		}
		if steps == maxDepth { // a pointer that leads to itself
			return false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.String, reflect.Map, reflect.Slice, reflect.Array:
		return v.Len() == 0
	}
	return false
}

// lose writes a text in place of a value that cannot be written, and notes where that was.
func (e *encoder) lose(written string) {
	e.buf = appendString(e.buf, written)
	if len(e.losses) < maxToldPaths {
		e.losses = append(e.losses, loss{"unserialisable", e.path() + ": " + written})
	}
}

// loseType describes a value by its type.
func (e *encoder) loseType(t reflect.Type) { e.lose("<" + nameOf(t) + ">") }

// nameOf is a type's name without package and stars.
func nameOf(t reflect.Type) string {
	for t.Kind() == reflect.Ptr && t.Name() == "" {
		t = t.Elem()
	}
	return firstOf(t.Name(), t.String())
}

func (e *encoder) path() string {
	var path strings.Builder
	for i, s := range e.steps {
		if i > 0 {
			path.WriteByte('.')
		}
		if s.index < 0 {
			path.WriteString(s.key)
		} else {
			path.WriteString(strconv.Itoa(s.index))
		}
	}
	return path.String()
}
