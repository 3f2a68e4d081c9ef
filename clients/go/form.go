package datacat

import (
	"encoding"
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

// form is how values of a type are written: by a method of their own, or by their parts. Found once per type.
type form struct {
	speech    speech
	onPointer bool // only *T has the method
	opaque    bool // a struct that shows nothing
	fields    []field
}

type speech int

const (
	silent speech = iota
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

// field is a struct field by the rules of encoding/json: `json` tags, embedded structs flattened.
type field struct {
	name      string
	index     []int
	tagged    bool
	omitEmpty bool
	omitZero  bool
}

var forms sync.Map // reflect.Type → *form

func formOf(t reflect.Type) *form {
	if known, ok := forms.Load(t); ok {
		return known.(*form)
	}
	made, _ := forms.LoadOrStore(t, makeForm(t))
	return made.(*form)
}

var (
	marshalerType     = reflect.TypeOf((*json.Marshaler)(nil)).Elem()
	textMarshalerType = reflect.TypeOf((*encoding.TextMarshaler)(nil)).Elem()
	errorType         = reflect.TypeOf((*error)(nil)).Elem()
	stringerType      = reflect.TypeOf((*fmt.Stringer)(nil)).Elem()
)

func makeForm(t reflect.Type) *form {
	f := &form{}
	if t.Kind() == reflect.Struct {
		f.fields = fieldsOf(t)
		f.opaque = len(f.fields) == 0 && t.NumField() > 0
	}
	f.speech = speechOf(t, f.opaque)
	if f.speech == silent && t.Kind() != reflect.Ptr {
		f.speech = speechOf(reflect.PtrTo(t), f.opaque)
		f.onPointer = f.speech != silent
	}
	return f
}

// speechOf picks the method by which a type says itself. Enumerations, addresses and the like have a usual text
// (String); a struct's String is for people, so its fields are preferred if it shows any.
func speechOf(t reflect.Type, opaque bool) speech {
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
		return silent // by its element
	}
	switch {
	case t.Implements(marshalerType):
		return asJSON
	case t.Implements(textMarshalerType):
		return asText
	case t.Implements(errorType):
		return asError
	case t.Implements(stringerType) && hasUsualText(t, opaque):
		return asString
	}
	return silent
}

func hasUsualText(t reflect.Type, opaque bool) bool {
	if t.Kind() == reflect.Ptr {
		t = t.Elem()
		opaque = t.Kind() == reflect.Struct && len(fieldsOf(t)) == 0
	}
	switch t.Kind() {
	case reflect.Struct:
		return opaque
	case reflect.Map, reflect.Interface:
		return false
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() == reflect.Uint8
	}
	return true
}

// fieldsOf lists a struct's fields as encoding/json sees them: of several with one name the least embedded one, then the
// only one with a tag, else none. They come in the order of declaration.
func fieldsOf(t reflect.Type) []field {
	type level struct {
		structure reflect.Type
		index     []int
	}
	next, seen, decided := []level{{structure: t}}, map[reflect.Type]bool{}, map[string]bool{}
	var all []field
	for len(next) > 0 {
		current := next
		next = nil
		found := map[string][]field{}
		for _, l := range current {
			if seen[l.structure] {
				continue
			}
			seen[l.structure] = true
			for i := 0; i < l.structure.NumField(); i++ {
				declared := l.structure.Field(i)
				index := append(append([]int(nil), l.index...), i)
				tag := declared.Tag.Get("json")
				name, options, _ := strings.Cut(tag, ",")
				embedded := declared.Type
				if embedded.Kind() == reflect.Ptr {
					embedded = embedded.Elem()
				}
				flattened := declared.Anonymous && name == "" && embedded.Kind() == reflect.Struct
				if tag == "-" || !declared.IsExported() && !flattened {
					continue
				}
				if flattened {
					next = append(next, level{embedded, index})
					continue
				}
				f := field{name: name, index: index, tagged: name != ""}
				if name == "" {
					f.name = declared.Name
				}
				for _, option := range strings.Split(options, ",") {
					f.omitEmpty = f.omitEmpty || option == "omitempty"
					f.omitZero = f.omitZero || option == "omitzero"
				}
				found[f.name] = append(found[f.name], f)
			}
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

func dominant(candidates []field) (field, bool) {
	if len(candidates) == 1 {
		return candidates[0], true
	}
	var tagged []field
	for _, candidate := range candidates {
		if candidate.tagged {
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

// of is the field's value in a struct; not there if an embedded pointer on the way is nil.
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

// typeName is a type as a program names it, without the stars of pointers.
func typeName(t reflect.Type) string {
	return strings.TrimLeft(t.String(), "*")
}

var (
	urlType    = reflect.TypeOf(url.URL{})
	regexpType = reflect.TypeOf(regexp.Regexp{})
)
