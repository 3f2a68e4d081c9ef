// Package encode writes any Go value as JSON: the same bytes that every Datacat client writes, with secrets redacted and
// with a text in place of what JSON cannot represent (clients/README.md, "Values that JSON cannot express").
package encode

import (
	"encoding/json"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// Field is one member of an Object.
type Field struct {
	Key   string
	Value any
}

// Object is a free-form object whose keys keep their order.
type Object []Field

// Encoder appends values to Buf as JSON. It does not panic or fail: in place of a value that cannot be represented it
// writes a text, and adds a Loss.
type Encoder struct {
	Buf    []byte
	Losses []Loss

	isKept bool        // the current value is an exception of redaction
	steps  []step      // the keys and indices from the root to the current value, for the path of a loss
	above  []container // the containers and pointers around the current value, to find cycles
	depth  int         // how many of above are containers
	names  []string    // sorted keys of the maps around the current value
}

type step struct {
	key   string
	index int // in a list; -1 for a key
}

// container identifies a map, slice, pointer or struct. A struct and its first field have one address but different types.
type container struct {
	address uintptr
	length  int
	kind    reflect.Type
}

// Loss is a value that is not recorded as it was: the cause, and the path or name of the value.
type Loss struct{ Cause, Detail string }

// Reset empties the encoder for the next record and keeps its memory.
func (e *Encoder) Reset() {
	e.Buf, e.Losses = e.Buf[:0], nil
	e.steps, e.above, e.depth, e.names = e.steps[:0], e.above[:0], 0, e.names[:0]
}

// IsSmall reports whether the encoder's memory is worth keeping for the next record.
func (e *Encoder) IsSmall() bool {
	return cap(e.Buf) <= limits.PooledBytes && cap(e.names) <= limits.PooledNames
}

// Object writes a free-form object (state, data, metadata). Any other value becomes an object with the one key `value`.
// root is the first step of the paths in Losses.
func (e *Encoder) Object(root string, v any) {
	e.steps = append(e.steps[:0], step{root, -1})
	e.isKept = false
	e.keep()
	start := len(e.Buf)
	e.Value(v)
	switch {
	case len(e.Buf) > start && e.Buf[start] == '{':
	case string(e.Buf[start:]) == "null":
		e.Buf = append(e.Buf[:start], "{}"...)
	default:
		text := string(e.Buf[start:])
		e.Buf = append(append(append(e.Buf[:start], `{"value":`...), text...), '}')
	}
}

// Value writes any value: the types that programs record most by a type switch, every other one by reflection.
func (e *Encoder) Value(v any) {
	switch v := v.(type) {
	case nil:
		e.Buf = append(e.Buf, "null"...)
	case string:
		e.text(v)
	case bool:
		e.Buf = strconv.AppendBool(e.Buf, v)
	case int:
		e.Buf = appendInteger(e.Buf, int64(v))
	case int64:
		e.Buf = appendInteger(e.Buf, v)
	case float64:
		e.Buf = AppendFloat(e.Buf, v, 64)
	case map[string]any:
		if v == nil {
			e.Buf = append(e.Buf, "null"...)
		} else if e.fits(len(v)) && e.enter(container{reflect.ValueOf(v).Pointer(), 0, dataType}) {
			e.members(v)
			e.leave()
		}
	case []any:
		if v == nil {
			e.Buf = append(e.Buf, "null"...)
		} else if e.enter(container{reflect.ValueOf(v).Pointer(), len(v), listType}) {
			e.list(len(v), func(i int) {
				if !e.isKept && isValueOfItem(v, i) {
					e.Buf = append(e.Buf, `"`+secrets.Redacted+`"`...)
				} else {
					e.Value(v[i])
				}
			})
			e.leave()
		}
	case []string:
		if v == nil {
			e.Buf = append(e.Buf, "null"...)
		} else {
			e.items(v)
		}
	case Object:
		if v == nil {
			e.Buf = append(e.Buf, "null"...)
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
	dataType   = reflect.TypeOf(map[string]any(nil))
	listType   = reflect.TypeOf([]any(nil))
	objectType = reflect.TypeOf(Object(nil))
	noValue    = reflect.TypeOf(struct{}{})
)

// enter begins a container. It writes a text and reports false for a cycle, and where the value is too deep or too large.
func (e *Encoder) enter(c container) bool {
	if e.isAbove(c) {
		e.lose("<cycle>")
		return false
	}
	if e.depth >= limits.MaxDepth {
		e.lose("<too deep>")
		return false
	}
	if len(e.Buf) > limits.MaxEncodedBytes {
		e.lose("<too large>")
		return false
	}
	e.above = append(e.above, c)
	e.depth++
	return true
}

// fits reports whether a map of this size is written. It runs before the keys are sorted.
func (e *Encoder) fits(members int) bool {
	if members <= limits.MaxMembers {
		return true
	}
	e.lose("<too large>")
	return false
}

func (e *Encoder) leave() {
	e.above = e.above[:len(e.above)-1]
	e.depth--
}

func (e *Encoder) isAbove(c container) bool {
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

func (e *Encoder) list(length int, item func(i int)) {
	e.Buf = append(e.Buf, '[')
	e.steps = append(e.steps, step{})
	for i := 0; i < length; i++ {
		if i > 0 {
			e.Buf = append(e.Buf, ',')
		}
		e.steps[len(e.steps)-1].index = i
		if len(e.Buf) > limits.MaxEncodedBytes {
			e.lose("<too large>") // in place of all items that follow
			break
		}
		wasKept := e.keep()
		item(i)
		e.isKept = wasKept
	}
	e.steps = e.steps[:len(e.steps)-1]
	e.Buf = append(e.Buf, ']')
}

func (e *Encoder) members(data map[string]any) {
	first := len(e.names)
	for key := range data {
		e.names = append(e.names, key)
	}
	sortKeys(e.names[first:])
	e.Buf = append(e.Buf, '{')
	named := nameOfPair(data)
	for i := first; i < first+len(data) && i < len(e.names); i++ { // another goroutine may have changed the map
		e.member(e.names[i], data[e.names[i]], named)
	}
	e.names = e.names[:first]
	e.Buf = append(e.Buf, '}')
}

// sortKeys sorts by bytes, which for UTF-8 is the order of code points. Most objects have few keys, for which insertion
// sort needs no allocation; sort.Strings does.
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

func (e *Encoder) fields(object Object) {
	e.Buf = append(e.Buf, '{')
	named := nameOfFields(object)
	for _, field := range object {
		e.member(field.Key, field.Value, named)
	}
	e.Buf = append(e.Buf, '}')
}

// member writes a member. named is the class of the name that another member gives to a value: `{"name": "password", "value": "x"}`.
func (e *Encoder) member(key string, v any, named secrets.Class) {
	class := e.key(key)
	if named > class && secrets.IsValueKey(key) {
		class = named
	}
	e.steps = append(e.steps, step{key, -1})
	wasKept := e.keep()
	if !e.isKept && class != secrets.OrdinaryName && !isEmpty(v) && !isPlain(class, reflect.ValueOf(v)) && !isMarked(v) {
		e.Buf = append(e.Buf, `"`+secrets.Redacted+`"`...)
	} else {
		e.Value(v)
	}
	e.isKept = wasKept
	e.steps = e.steps[:len(e.steps)-1]
}

// keep notes that the current value stays, if its path is an exception of redaction. It returns what was noted of the value around it.
func (e *Encoder) keep() (before bool) {
	before = e.isKept
	if secrets.HasExceptions() && !before {
		e.isKept = secrets.Keeps(e.path())
	}
	return before
}

// text writes a text with its secrets replaced, unless it is an exception.
func (e *Encoder) text(text string) {
	if !e.isKept {
		text = secrets.Clean(text)
	}
	e.Buf = AppendString(e.Buf, text)
}

// items writes a list of texts that may be pairs of names and values.
func (e *Encoder) items(list []string) {
	if !secrets.HasExceptions() {
		e.Buf = appendItems(e.Buf, list)
		return
	}
	e.list(len(list), func(i int) {
		if !e.isKept && i > 0 && secrets.IsPair(list[i-1], list[i], i, len(list)) {
			e.text(secrets.Redacted)
		} else {
			e.text(list[i])
		}
	})
}

// key writes the comma before a member (except the first), the key and its colon. It returns what the key states of its value.
func (e *Encoder) key(key string) secrets.Class {
	if e.Buf[len(e.Buf)-1] != '{' {
		e.Buf = append(e.Buf, ',')
	}
	e.Buf = append(AppendString(e.Buf, key), ':')
	return secrets.ClassOf(key)
}

// isMarked reports whether a value has been redacted: it keeps its mark.
func isMarked(v any) bool {
	text, ok := v.(string)
	return ok && strings.HasPrefix(text, secrets.Mark) && strings.HasSuffix(text, "]")
}

// isEmpty reports whether a value is null or has no content. Such a value is written even where the key is a secret's.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	}
	return isEmptyValue(reflect.ValueOf(v))
}

// isPlain reports whether a value is no secret under its key: a number or a boolean of `max_tokens`, or "enabled" and the like.
func isPlain(class secrets.Class, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return class < secrets.AnyName
	case reflect.String:
		return !secrets.IsHidden(class, v.String())
	}
	return false
}

func isEmptyValue(v reflect.Value) bool {
	for steps := 0; v.Kind() == reflect.Ptr || v.Kind() == reflect.Interface; steps++ {
		if v.IsNil() {
			return true
		}
		if steps == limits.MaxDepth { // a pointer that leads to itself
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

// lose writes a text in place of a value that cannot be written, and adds a loss with the value's path.
func (e *Encoder) lose(written string) {
	e.Buf = AppendString(e.Buf, written)
	if len(e.Losses) < limits.MaxLossPaths {
		e.Losses = append(e.Losses, Loss{"unserialisable", e.path() + ": " + written})
	}
}

// loseType writes the name of a type in place of its value.
func (e *Encoder) loseType(t reflect.Type) { e.lose("<" + nameOf(t) + ">") }

// nameOf is a type's name without package and stars.
func nameOf(t reflect.Type) string {
	for t.Kind() == reflect.Ptr && t.Name() == "" {
		t = t.Elem()
	}
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}

// path is the way from the root to the current value, e.g. `state.players.0.socket`. Keys may have any length; the result
// is cut later, so a longer one is not built.
func (e *Encoder) path() string {
	var path strings.Builder
	for i, s := range e.steps {
		if path.Len() > 4*limits.MaxDetail { // four bytes are the longest character
			break
		}
		if i > 0 {
			path.WriteByte('.')
		}
		if s.index < 0 {
			key, _ := CutText(s.key, limits.MaxDetail)
			path.WriteString(key)
		} else {
			path.WriteString(strconv.Itoa(s.index))
		}
	}
	return path.String()
}
