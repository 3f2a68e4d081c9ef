package datacat

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
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
		} else if e.enter(container{reflect.ValueOf(v).Pointer(), 0, dataType}) {
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
		if e.enter(container{v.Pointer(), 0, t}) {
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
	if v.Type().Elem().Kind() == reflect.Uint8 {
		e.bytes(v)
	} else if e.enter(c) {
		e.list(v.Len(), func(i int) { e.reflected(v.Index(i)) })
		e.leave()
	}
}

func (e *encoder) bytes(v reflect.Value) {
	raw := make([]byte, v.Len())
	for i := range raw {
		raw[i] = byte(v.Index(i).Uint())
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

// bySpeech writes a value as it says itself. A method that panics or fails leaves the type's name.
func (e *encoder) bySpeech(v reflect.Value, form *form) {
	before := *e
	defer func() {
		if recover() != nil {
			e.buf, e.steps = e.buf[:len(before.buf)], e.steps[:len(before.steps)]
			e.above, e.depth, e.names = e.above[:len(before.above)], before.depth, e.names[:len(before.names)]
			e.loseType(v.Type())
		}
	}()
	switch form.speech {
	case asTime:
		e.buf = appendTime(e.buf, v.Interface().(time.Time))
	case asInteger:
		e.decimal(v.Interface().(*big.Int).String())
	case asFloat:
		e.buf = appendString(e.buf, v.Interface().(*big.Float).Text('g', -1))
	case asRatio:
		e.buf = appendString(e.buf, v.Interface().(*big.Rat).RatString())
	case asObject:
		e.value(v.Interface().(Object))
	case asJSON:
		text, err := v.Interface().(json.Marshaler).MarshalJSON()
		if err != nil {
			panic(err)
		}
		e.json(text)
	case asNumber:
		e.decimal(v.String())
	case asText:
		text, err := v.Interface().(interface{ MarshalText() ([]byte, error) }).MarshalText()
		if err != nil {
			panic(err)
		}
		e.buf = appendString(e.buf, string(text))
	case asError:
		e.buf = appendString(e.buf, v.Interface().(error).Error())
	case asString:
		e.buf = appendString(e.buf, v.Interface().(fmt.Stringer).String())
	}
}

// json writes JSON that someone else made, in our spelling: it may hold secrets, and numbers that are written otherwise.
func (e *encoder) json(text []byte) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	v, err := decodeOrdered(decoder, 0)
	if err != nil {
		panic(err)
	}
	e.value(v)
}

// decodeOrdered reads one JSON value, objects with their keys in order. What is too deep to be written comes empty.
func decodeOrdered(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, isContainer := token.(json.Delim)
	if !isContainer {
		return token, nil
	}
	if depth > maxDepth {
		return []any{}, skipContainer(decoder)
	}

	object, list := Object{}, []any{}
	for decoder.More() {
		var key json.Token
		if delimiter == '{' {
			if key, err = decoder.Token(); err != nil {
				return nil, err
			}
		}
		member, err := decodeOrdered(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		if name, ok := key.(string); ok {
			object = append(object, Field{name, member})
		} else {
			list = append(list, member)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if delimiter == '{' {
		return object, nil
	}
	return list, nil
}

// skipContainer reads to the end of the container just opened, however deep it is, on no stack.
func skipContainer(decoder *json.Decoder) error {
	for open := 1; open > 0; {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

// decimal writes a number given by its digits: integers keep all of them, as a string beyond ±2^53.
func (e *encoder) decimal(digits string) {
	if len(digits) > maxDigits {
		e.buf = appendString(e.buf, digits)
		return
	}
	if i, ok := new(big.Int).SetString(digits, 10); ok {
		if i.IsInt64() {
			e.buf = appendInteger(e.buf, i.Int64())
		} else {
			e.buf = appendString(e.buf, i.String())
		}
		return
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		e.buf = appendString(e.buf, digits)
		return
	}
	e.buf = appendFloat(e.buf, f, 64)
}

// appendTime writes RFC 3339 in UTC with milliseconds.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, '"')
}

var (
	urlType    = reflect.TypeOf(url.URL{})
	regexpType = reflect.TypeOf(regexp.Regexp{})
)
