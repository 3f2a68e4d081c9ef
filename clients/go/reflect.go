package datacat

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// reflected writes a value of any type.
func (e *encoder) reflected(v reflect.Value) {
	if !v.IsValid() {
		e.buf = append(e.buf, "null"...)
		return
	}
	switch v.Kind() {
	case reflect.Ptr, reflect.Interface, reflect.Map, reflect.Slice:
		if v.IsNil() {
			e.buf = append(e.buf, "null"...)
			return
		}
	}
	t := v.Type()
	if t.Kind() == reflect.Interface {
		e.reflected(v.Elem())
		return
	}
	form := formOf(t)
	if form.onPointer { // its methods want a pointer, and a value in an interface has none
		pointer := reflect.New(t)
		pointer.Elem().Set(v)
		e.bySpeech(pointer, form)
		return
	}
	if form.speech != silent {
		e.bySpeech(v, form)
		return
	}

	switch v.Kind() {
	case reflect.Bool:
		e.buf = strconv.AppendBool(e.buf, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.buf = appendInteger(e.buf, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.buf = appendUnsigned(e.buf, v.Uint())
	case reflect.Float32:
		e.buf = appendFloat(e.buf, v.Float(), 32)
	case reflect.Float64:
		e.buf = appendFloat(e.buf, v.Float(), 64)
	case reflect.Complex64, reflect.Complex128:
		e.buf = appendString(e.buf, fmt.Sprint(v.Complex()))
	case reflect.String:
		e.buf = appendString(e.buf, v.String())
	case reflect.Ptr:
		e.pointed(v)
	case reflect.Map:
		if e.fits(v.Len()) && e.enter(container{v.Pointer(), 0, t}) {
			e.mapping(v)
			e.leave()
		}
	case reflect.Slice, reflect.Array:
		e.sequence(v)
	case reflect.Struct:
		e.structure(v, form)
	default:
		e.loseType(t)
	}
}

// pointed follows a pointer, which is no level of its own. Only a type like `type T *T` can go on for ever by pointers.
func (e *encoder) pointed(v reflect.Value) {
	c := container{v.Pointer(), -1, v.Type()}
	switch {
	case e.isAbove(c):
		e.lose("<cycle>")
	case len(e.above) >= 4*maxDepth:
		e.lose("<too deep>")
	default:
		e.above = append(e.above, c)
		e.reflected(v.Elem())
		e.above = e.above[:len(e.above)-1]
	}
}

func (e *encoder) sequence(v reflect.Value) {
	c := container{kind: v.Type(), length: v.Len()}
	if v.Kind() == reflect.Slice {
		c.address = v.Pointer()
	}
	if isByte(v.Type().Elem()) {
		e.bytes(v)
	} else if e.enter(c) {
		e.list(v.Len(), func(i int) { e.reflected(v.Index(i)) })
		e.leave()
	}
}

// isByte: a byte with a text of its own is an enumeration, and a list of those is no binary.
func isByte(t reflect.Type) bool { return t.Kind() == reflect.Uint8 && formOf(t).speech == silent }

func (e *encoder) bytes(v reflect.Value) {
	var raw []byte
	if v.Kind() == reflect.Slice {
		raw = v.Bytes()
	} else {
		raw = make([]byte, v.Len())
		for i := range raw {
			raw[i] = byte(v.Index(i).Uint())
		}
	}
	e.buf = append(e.buf, `"base64:`...)
	start := len(e.buf)
	e.buf = append(e.buf, make([]byte, base64.StdEncoding.EncodedLen(len(raw)))...)
	base64.StdEncoding.Encode(e.buf[start:], raw)
	e.buf = append(e.buf, '"')
}

// mapping writes a map: a set (a map to struct{}) as the sorted list of its members, any other as an object with the text
// of its keys, sorted.
func (e *encoder) mapping(v reflect.Value) {
	if v.Type().Elem() == noValue {
		e.set(v)
		return
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for each := v.MapRange(); each.Next(); {
		entries = append(entries, entry{keyText(each.Key()), each.Value()})
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].key < entries[j].key })
	e.buf = append(e.buf, '{')
	for _, entry := range entries {
		e.reflectedMember(entry.key, entry.value)
	}
	e.buf = append(e.buf, '}')
}

func (e *encoder) reflectedMember(key string, v reflect.Value) {
	if e.key(key) && !isEmptyValue(v) {
		e.buf = append(e.buf, `"`+redacted+`"`...)
		return
	}
	e.steps = append(e.steps, step{key, -1})
	e.reflected(v)
	e.steps = e.steps[:len(e.steps)-1]
}

func (e *encoder) set(v reflect.Value) {
	start := len(e.buf)
	members := make([]string, 0, v.Len())
	e.steps = append(e.steps, step{})
	for _, member := range v.MapKeys() {
		e.steps[len(e.steps)-1].index = len(members)
		e.reflected(member)
		members = append(members, string(e.buf[start:]))
		e.buf = e.buf[:start]
	}
	e.steps = e.steps[:len(e.steps)-1]
	sort.Strings(members)
	e.buf = append(append(append(e.buf, '['), strings.Join(members, ",")...), ']')
}

// keyText is a map key as text: a string as it is, a number as its JSON, anything else as it says itself.
func keyText(key reflect.Value) string {
	if key.Kind() == reflect.Interface && !key.IsNil() {
		key = key.Elem()
	}
	isSilent := formOf(key.Type()).speech == silent
	switch key.Kind() {
	case reflect.String:
		if isSilent {
			return key.String()
		}
	case reflect.Struct, reflect.Array:
		if isSilent {
			return fmt.Sprint(key) // a comparable value prints what it points to as addresses, so this ends
		}
	case reflect.Ptr, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		if isSilent {
			return "<" + nameOf(key.Type()) + ">" // it may lead back to this very map
		}
	}
	var e encoder
	e.reflected(key)
	var text string
	if e.buf[0] == '"' && json.Unmarshal(e.buf, &text) == nil {
		return text
	}
	return string(e.buf)
}

func (e *encoder) structure(v reflect.Value, form *form) {
	if form.opaque {
		e.loseType(v.Type())
		return
	}
	c := container{kind: v.Type()}
	if v.CanAddr() {
		c.address = v.Addr().Pointer()
	}
	if !e.enter(c) {
		return
	}
	e.buf = append(e.buf, '{')
	for _, f := range form.fields {
		member, ok := f.of(v)
		if !ok || f.omitEmpty && isZeroOrEmpty(member) || f.omitZero && member.IsZero() {
			continue
		}
		e.reflectedMember(f.name, member)
	}
	e.buf = append(e.buf, '}')
	e.leave()
}

// isZeroOrEmpty is what `omitempty` leaves out.
func isZeroOrEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
