package datacat

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// Tag is one tag, "key:value", for a list of tags: Tag("branch", "main"), Tag("gpu", 0). With true, nil or an empty text it is
// the key alone. A key has no colon, and not only digits.
func Tag(key string, value any) string {
	if text := tagValue(value); text != "" {
		return key + ":" + text
	}
	return key
}

// TagsOf returns the tags of a map, in the order of their keys: TagsOf(Data{"branch": "main", "nightly": true}) has
// "branch:main" and "nightly".
func TagsOf(values Data) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for i, key := range keys {
		keys[i] = Tag(key, values[key])
	}
	return keys
}

// tagValue is the text of a tag's value; empty for true, nil and an empty text.
func tagValue(value any) string {
	if value == nil {
		return ""
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		if v.Bool() {
			return ""
		}
		return "false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		number := v.Float()
		if math.IsNaN(number) || math.IsInf(number, 0) {
			quoted := encode.AppendFloat(nil, number, 64)
			return string(quoted[1 : len(quoted)-1])
		}
		return string(encode.AppendNumber(nil, number, v.Type().Bits()))
	case reflect.Ptr:
		if v.IsNil() {
			return ""
		}
		if _, ok := value.(fmt.Stringer); !ok && v.Elem().Kind() != reflect.Ptr {
			return tagValue(v.Elem().Interface())
		}
	}
	return panicMessage(value)
}

// AddTags adds tags to those that the session was opened with: AddTags(Tag("result", "won")). A session has at most 64.
func (s *Session) AddTags(tags ...string) {
	if s.ready() {
		s.addTags(tags)
	}
}

func (s *Session) addTags(tags []string) {
	s.record(time.Time{}, func(r *lane.Record) bool { return writeTags(r, tags) })
}

// environmentTags are those of DATACAT_TAGS, separated by commas.
func environmentTags() (tags []string) {
	for _, tag := range strings.Split(os.Getenv("DATACAT_TAGS"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}
