package encode

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// reflected writes a value of any type.
func (e *Encoder) reflected(v reflect.Value) {
	if !v.IsValid() {
		e.Buf = append(e.Buf, "null"...)
		return
	}
	switch v.Kind() {
	case reflect.Ptr, reflect.Interface, reflect.Map, reflect.Slice:
		if v.IsNil() {
			e.Buf = append(e.Buf, "null"...)
			return
		}
	}
	t := v.Type()
	if t.Kind() == reflect.Interface {
		e.reflected(v.Elem())
		return
	}
	encoding := encodingOf(t)
	if encoding.onPointer { // a value in an interface has no address, so its methods get a copy that has one
		pointer := reflect.New(t)
		pointer.Elem().Set(v)
		e.byMethod(pointer, encoding)
		return
	}
	if encoding.method != noMethod {
		e.byMethod(v, encoding)
		return
	}

	switch v.Kind() {
	case reflect.Bool:
		e.Buf = strconv.AppendBool(e.Buf, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.Buf = appendInteger(e.Buf, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.Buf = appendUnsigned(e.Buf, v.Uint())
	case reflect.Float32:
		e.Buf = AppendFloat(e.Buf, v.Float(), 32)
	case reflect.Float64:
		e.Buf = AppendFloat(e.Buf, v.Float(), 64)
	case reflect.Complex64, reflect.Complex128:
		e.Buf = AppendString(e.Buf, fmt.Sprint(v.Complex()))
	case reflect.String:
		e.text(v.String())
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
		e.structure(v, encoding)
	default:
		e.loseType(t)
	}
}

// pointed follows a pointer. A pointer is not a level of nesting, so its own bound is for types like `type T *T`.
func (e *Encoder) pointed(v reflect.Value) {
	c := container{v.Pointer(), -1, v.Type()}
	switch {
	case e.isAbove(c):
		e.lose("<cycle>")
	case len(e.above) >= 4*limits.MaxDepth:
		e.lose("<too deep>")
	default:
		e.above = append(e.above, c)
		e.reflected(v.Elem())
		e.above = e.above[:len(e.above)-1]
	}
}

func (e *Encoder) sequence(v reflect.Value) {
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

// isByte reports whether a list of this type is binary data. A byte type with a text of its own is an enumeration.
func isByte(t reflect.Type) bool {
	return t.Kind() == reflect.Uint8 && encodingOf(t).method == noMethod
}

func (e *Encoder) bytes(v reflect.Value) {
	var raw []byte
	if v.Kind() == reflect.Slice {
		raw = v.Bytes()
	} else {
		raw = make([]byte, v.Len())
		for i := range raw {
			raw[i] = byte(v.Index(i).Uint())
		}
	}
	e.Buf = append(e.Buf, `"base64:`...)
	start := len(e.Buf)
	e.Buf = append(e.Buf, make([]byte, base64.StdEncoding.EncodedLen(len(raw)))...)
	base64.StdEncoding.Encode(e.Buf[start:], raw)
	e.Buf = append(e.Buf, '"')
}

// mapping writes a map: a set (a map to struct{}) as the sorted list of its members, any other as an object, sorted by the
// text of its keys.
func (e *Encoder) mapping(v reflect.Value) {
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
	e.Buf = append(e.Buf, '{')
	for _, entry := range entries {
		e.reflectedMember(entry.key, entry.value, secrets.OrdinaryName)
	}
	e.Buf = append(e.Buf, '}')
}

func (e *Encoder) reflectedMember(key string, v reflect.Value, named secrets.Class) {
	class := e.key(key)
	if named > class && secrets.IsValueKey(key) {
		class = named
	}
	e.steps = append(e.steps, step{key, -1})
	wasKept := e.keep()
	if !e.isKept && class != secrets.OrdinaryName && !isEmptyValue(v) && !isPlain(class, v) {
		e.Buf = append(e.Buf, `"`+secrets.Redacted+`"`...)
	} else {
		e.reflected(v)
	}
	e.isKept = wasKept
	e.steps = e.steps[:len(e.steps)-1]
}

func (e *Encoder) set(v reflect.Value) {
	start := len(e.Buf)
	members := make([]string, 0, v.Len())
	e.steps = append(e.steps, step{})
	for _, member := range v.MapKeys() {
		e.steps[len(e.steps)-1].index = len(members)
		e.reflected(member)
		members = append(members, string(e.Buf[start:]))
		e.Buf = e.Buf[:start]
	}
	e.steps = e.steps[:len(e.steps)-1]
	sort.Strings(members)
	e.Buf = append(append(append(e.Buf, '['), strings.Join(members, ",")...), ']')
}

// keyText is a map key as text: a string as it is, a number as its JSON, any other value by its method or its parts.
func keyText(key reflect.Value) string {
	if key.Kind() == reflect.Interface && !key.IsNil() {
		key = key.Elem()
	}
	if encodingOf(key.Type()).method == noMethod {
		switch key.Kind() {
		case reflect.String:
			return key.String()
		case reflect.Struct, reflect.Array:
			return fmt.Sprint(key) // fmt prints the pointers of a comparable value as addresses, so there is no cycle
		case reflect.Ptr, reflect.Chan, reflect.Func, reflect.UnsafePointer:
			return "<" + nameOf(key.Type()) + ">" // it may point to this map
		}
	}
	var e Encoder
	e.reflected(key)
	var text string
	if e.Buf[0] == '"' && json.Unmarshal(e.Buf, &text) == nil {
		return text
	}
	return string(e.Buf)
}

func (e *Encoder) structure(v reflect.Value, encoding *encoding) {
	if encoding.isOpaque {
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
	e.Buf = append(e.Buf, '{')
	named := secrets.OrdinaryName
	for _, f := range encoding.fields {
		member, ok := f.of(v)
		if ok && member.Kind() == reflect.String && secrets.IsNameKey(f.name) && member.Len() <= limits.MaxItemName {
			named = secrets.ClassOf(member.String())
		}
		if !ok || f.omitEmpty && isZeroOrEmpty(member) || f.omitZero && member.IsZero() {
			continue
		}
		e.reflectedMember(f.name, member, named)
	}
	e.Buf = append(e.Buf, '}')
	e.leave()
}

// isZeroOrEmpty reports whether `omitempty` leaves the value out.
func isZeroOrEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
