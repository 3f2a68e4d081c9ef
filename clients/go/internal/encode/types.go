package encode

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

// encoding is how the values of a type are written: by a method of the type, or by their parts.
type encoding struct {
	method    method
	onPointer bool // only *T has the method
	isOpaque  bool // a struct that has fields, none of them visible
	fields    []field
}

type method int

const (
	noMethod method = iota
	asTime
	asInteger
	asFloat
	asRatio
	asObject
	asJSON
	asNumber
	asText
	asError
	asString
)

// field is a struct field by the rules of encoding/json: with `json` tags, embedded structs flattened.
type field struct {
	name      string
	index     []int
	isTagged  bool
	omitEmpty bool
	omitZero  bool
}

var encodings sync.Map // reflect.Type → *encoding, made once for each type

func encodingOf(t reflect.Type) *encoding {
	if known, ok := encodings.Load(t); ok {
		return known.(*encoding)
	}
	made, _ := encodings.LoadOrStore(t, newEncoding(t))
	return made.(*encoding)
}

var (
	marshalerType     = reflect.TypeOf((*json.Marshaler)(nil)).Elem()
	textMarshalerType = reflect.TypeOf((*textMarshaler)(nil)).Elem()
	errorType         = reflect.TypeOf((*error)(nil)).Elem()
	stringerType      = reflect.TypeOf((*fmt.Stringer)(nil)).Elem()
	urlType           = reflect.TypeOf(url.URL{})
	regexpType        = reflect.TypeOf(regexp.Regexp{})
)

// textMarshaler is encoding.TextMarshaler.
type textMarshaler interface{ MarshalText() ([]byte, error) }

func newEncoding(t reflect.Type) *encoding {
	e := &encoding{}
	if t.Kind() == reflect.Struct {
		e.fields = fieldsOf(t)
		e.isOpaque = len(e.fields) == 0 && t.NumField() > 0
	}
	e.method = methodOf(t, e.isOpaque)
	if e.method == noMethod && t.Kind() != reflect.Ptr {
		e.method = methodOf(reflect.PtrTo(t), e.isOpaque)
		e.onPointer = e.method != noMethod
	}
	return e
}

// methodOf chooses the method that gives the value of a type. String counts for enumerations, addresses and the like, and
// for a struct only if none of its fields is visible.
func methodOf(t reflect.Type, isOpaque bool) method {
	switch t {
	case reflect.TypeOf(time.Time{}):
		return asTime
	case reflect.TypeOf((*big.Int)(nil)):
		return asInteger
	case reflect.TypeOf((*big.Float)(nil)):
		return asFloat
	case reflect.TypeOf((*big.Rat)(nil)):
		return asRatio
	case reflect.TypeOf(json.Number("")):
		return asNumber
	case objectType:
		return asObject
	case reflect.PtrTo(urlType), reflect.PtrTo(regexpType):
		return asString
	}
	if t.Kind() == reflect.Ptr && t.Elem() == reflect.TypeOf(time.Time{}) {
		return noMethod // its element has one
	}
	switch {
	case t.Implements(marshalerType):
		return asJSON
	case t.Implements(textMarshalerType):
		return asText
	case t.Implements(errorType):
		return asError
	case t.Implements(stringerType) && isWrittenByString(t, isOpaque):
		return asString
	}
	return noMethod
}

func isWrittenByString(t reflect.Type, isOpaque bool) bool {
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
		isOpaque = t.Kind() == reflect.Struct && len(fieldsOf(t)) == 0
	}
	switch t.Kind() {
	case reflect.Struct:
		return isOpaque
	case reflect.Map, reflect.Interface:
		return false
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() == reflect.Uint8
	}
	return true
}

// embedded is a struct that another embeds, with the indices that lead to it.
type embedded struct {
	structure reflect.Type
	index     []int
}

// fieldsOf lists a struct's fields by the rules of encoding/json, in the order of declaration. Of several fields with one
// name it takes the least embedded one, then the only one with a tag, else none.
func fieldsOf(t reflect.Type) []field {
	next, seen, decided := []embedded{{structure: t}}, map[reflect.Type]bool{}, map[string]bool{}
	var all []field
	for len(next) > 0 {
		level := next
		next = nil
		found := map[string][]field{}
		for _, s := range level {
			if seen[s.structure] {
				continue
			}
			seen[s.structure] = true
			fields, inner := s.declared()
			for _, f := range fields {
				found[f.name] = append(found[f.name], f)
			}
			next = append(next, inner...)
		}
		for name, candidates := range found {
			if decided[name] {
				continue
			}
			decided[name] = true
			if winner, ok := dominant(candidates); ok {
				all = append(all, winner)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return isBefore(all[i].index, all[j].index) })
	return all
}

// declared lists the visible fields that a struct declares itself, and the structs that it embeds.
func (s embedded) declared() (fields []field, inner []embedded) {
	for i := 0; i < s.structure.NumField(); i++ {
		declared := s.structure.Field(i)
		index := append(append([]int(nil), s.index...), i)
		tag := declared.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		t := declared.Type
		if t.Kind() == reflect.Ptr {
			t = t.Elem()
		}
		isFlattened := declared.Anonymous && name == "" && t.Kind() == reflect.Struct
		switch {
		case tag == "-" || !declared.IsExported() && !isFlattened:
		case isFlattened:
			inner = append(inner, embedded{t, index})
		default:
			f := field{name: name, index: index, isTagged: name != ""}
			if name == "" {
				f.name = declared.Name
			}
			for _, option := range strings.Split(options, ",") {
				f.omitEmpty = f.omitEmpty || option == "omitempty"
				f.omitZero = f.omitZero || option == "omitzero"
			}
			fields = append(fields, f)
		}
	}
	return fields, inner
}

// dominant chooses among fields of one name that are embedded equally deep.
func dominant(candidates []field) (field, bool) {
	if len(candidates) == 1 {
		return candidates[0], true
	}
	var tagged []field
	for _, candidate := range candidates {
		if candidate.isTagged {
			tagged = append(tagged, candidate)
		}
	}
	if len(tagged) == 1 {
		return tagged[0], true
	}
	return field{}, false
}

func isBefore(a, b []int) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

// of is the field's value in a struct. A field of an embedded struct has none where the pointer to that struct is nil.
func (f field) of(v reflect.Value) (reflect.Value, bool) {
	for i, n := range f.index {
		if i > 0 && v.Kind() == reflect.Ptr {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// TypeName is a type as a program names it, without the stars of pointers.
func TypeName(t reflect.Type) string {
	return strings.TrimLeft(t.String(), "*")
}
