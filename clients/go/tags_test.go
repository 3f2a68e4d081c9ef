package datacat

import (
	"context"
	"math"
	"math/big"
	"reflect"
	"testing"
)

type branch string

func TestATagIsTheTextOfItsKeyAndValue(t *testing.T) {
	var nothing *string
	text := "by its address"
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	for _, each := range []struct {
		value any
		want  string
	}{
		{"main", "k:main"}, {branch("main"), "k:main"}, {"", "k"}, {true, "k"}, {nil, "k"}, {false, "k:false"},
		{7, "k:7"}, {int8(-1), "k:-1"}, {uint64(math.MaxUint64), "k:18446744073709551615"}, {0.1, "k:0.1"},
		{float32(0.1), "k:0.1"}, {32.0, "k:32"}, {1e21, "k:1e+21"}, {math.NaN(), "k:NaN"}, {math.Inf(-1), "k:-Infinity"},
		{big.NewInt(12), "k:12"}, {[]int{1, 2}, "k:[1,2]"}, {nothing, "k"}, {&text, "k:by its address"}, {cyclic, `k:{"self":"<cycle>"}`},
	} {
		if got := Tag("k", each.value); got != each.want {
			t.Errorf("%v: %q, want %q", each.value, got, each.want)
		}
	}
	if got := TagsOf(Data{"b": 1, "a": true, "é": "x"}); !reflect.DeepEqual(got, []string{"a", "b:1", "é:x"}) {
		t.Error(got)
	}
}

func TestTagsAreAddedLaterAndByTheEnvironment(t *testing.T) {
	t.Setenv("DATACAT_HOME", t.TempDir())
	t.Setenv("DATACAT_DAEMON", "off")
	t.Setenv("DATACAT_TAGS", "branch:main, nightly,,")
	s := Open(context.Background(), Options{Tags: []string{"result"}})
	s.AddTags(Tag("score", 3))
	s.AddTags()
	t.Setenv("DATACAT_SESSION", s.ID())
	child := Open(context.Background(), Options{Tags: TagsOf(Data{"part": "child"})})
	defer child.End()
	ops := lines(t, s)
	if len(ops) != 2 || !reflect.DeepEqual(ops[0]["tags"], []any{"branch:main", "nightly", "result"}) || ops[1]["op"] != "tags" {
		t.Error(ops)
	}
	if ops := lines(t, child); len(ops) != 1 || ops[0]["op"] != "tags" || !reflect.DeepEqual(ops[0]["tags"], []any{"part:child"}) {
		t.Error(ops)
	}
}
