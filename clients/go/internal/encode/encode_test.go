package encode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

type data = map[string]any

type level int

func (l level) String() string { return "level " + fmt.Sprint(int(l)) }

type point struct {
	X, Y   float64
	Label  string `json:"label,omitempty"`
	hidden int
	Skip   string `json:"-"`
	Dash   int    `json:"-,"`
}

type inner struct {
	Common string
	Deep   int `json:"deep"`
}
type Other struct{ Common string }
type outer struct {
	inner
	*Other
	Name string
	When time.Time
	Next *outer `json:"next"`
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

type panicking struct{ A int }

func (panicking) MarshalJSON() ([]byte, error) { panic("no") }

type invalid struct{}

func (invalid) MarshalJSON() ([]byte, error) { return []byte(`{"a":`), nil }

type secretive struct{}

func (secretive) MarshalJSON() ([]byte, error) {
	return []byte(`{ "b": 1.50, "password": "hunter2", "a": [1e21, 12345678901234567890, null, "<>"] }`), nil
}

type byText [2]byte

func (b byText) MarshalText() ([]byte, error) { return []byte(fmt.Sprintf("%x", b[:])), nil }

type byPointer struct{ hidden int }

func (b *byPointer) String() string { return "by pointer" }

type opaque struct{ hidden int }

type plainByte byte

type color uint8

const (
	red color = iota
	green
)

func (c color) String() string { return [...]string{"red", "green"}[c] }

type self *self

func TestValuesAreWrittenAsTheTableDefines(t *testing.T) {
	address, _ := url.Parse("https://example.org/a?b=1")
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	three := 3
	var nothing *point
	cases := []struct {
		value any
		want  string
		lost  string
	}{
		{nil, `null`, ``},
		{"a<b>&\u2028", "\"a<b>&\u2028\"", ``},
		{"bad \xff utf-8 \xed\xa0\xbd", "\"bad \uFFFD utf-8 \uFFFD\"", ``},
		{int8(-5), `-5`, ``},
		{uint16(7), `7`, ``},
		{int64(math.MaxInt64), `"9223372036854775807"`, ``},
		{uint64(math.MaxUint64), `"18446744073709551615"`, ``},
		{int64(1 << 53), `9007199254740992`, ``},
		{uintptr(1 << 31), `2147483648`, ``},
		{uint64(1<<53 + 1), `"9007199254740993"`, ``},
		{huge, `"123456789012345678901234567890"`, ``},
		{*big.NewInt(12), `12`, ``},
		{big.NewRat(1, 3), `"1/3"`, ``},
		{big.NewFloat(1.25), `"1.25"`, ``},
		{float32(0.1), `0.1`, ``},
		{float32(1e-6), `0.000001`, ``},
		{math.Copysign(0, -1), `0`, ``},
		{[]float64{math.NaN(), math.Inf(1), math.Inf(-1)}, `["NaN","Infinity","-Infinity"]`, ``},
		{complex(1, -2), `"(1-2i)"`, ``},
		{json.Number("12.50"), `12.5`, ``},
		{json.Number("9007199254740993"), `"9007199254740993"`, ``},
		{json.Number("nonsense"), `"nonsense"`, ``},
		{json.RawMessage(`{"z":1,"a":{"token":"x"}}`), `{"z":1,"a":{"token":"[redacted]"}}`, ``},
		{[]byte("hi"), `"base64:aGk="`, ``},
		{[3]byte{1, 2, 3}, `"base64:AQID"`, ``},
		{[]plainByte{1, 2, 3}, `"base64:AQID"`, ``},
		{[]color{red, green}, `["red","green"]`, ``},
		{[2]color{green, red}, `["green","red"]`, ``},
		{byText{0xAB, 0xCD}, `"abcd"`, ``},
		{net.IPv4(127, 0, 0, 1), `"127.0.0.1"`, ``},
		{time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.FixedZone("x", 3600)), `"2026-11-23T09:00:00.123Z"`, ``},
		{1500 * time.Millisecond, `"1.5s"`, ``},
		{level(3), `"level 3"`, ``},
		{map[level]int{2: 1}, `{"level 2":1}`, ``},
		{address, `"https://example.org/a?b=1"`, ``},
		{*address, `"https://example.org/a?b=1"`, ``},
		{regexp.MustCompile(`a+`), `"a+"`, ``},
		{errors.New("failed"), `"failed"`, ``},
		{&byPointer{}, `"by pointer"`, ``},
		{byPointer{}, `"by pointer"`, ``},
		{&three, `3`, ``},
		{nothing, `null`, ``},
		{[]any(nil), `null`, ``},
		{map[string]int(nil), `null`, ``},
		{map[string]struct{}{"b": {}, "a": {}}, `["a","b"]`, ``},
		{map[any]any{"b": 1, 2: "x", true: nil}, `{"2":"x","b":1,"true":null}`, ``},
		{struct{}{}, `{}`, ``},
		{Object{{"z", 1}, {"a", Object{}}}, `{"z":1,"a":{}}`, ``},
		{point{X: 1, Y: 2.5, hidden: 3, Skip: "x"}, `{"X":1,"Y":2.5,"-":0}`, ``},
		{&point{Label: "p"}, `{"X":0,"Y":0,"label":"p","-":0}`, ``},
		{outer{inner: inner{Deep: 1}, Name: "n", When: time.Unix(0, 0)}, `{"deep":1,"Name":"n","When":"1970-01-01T00:00:00.000Z","next":null}`, ``},
		{secretive{}, `{"b":1.5,"password":"[redacted]","a":[1e+21,"12345678901234567890",null,"<>"]}`, ``},
		{map[string]any{"API_KEY": level(1), "keys": http.Header{"Authorization": {"Bearer x"}, "Cookie": nil}}, `{"API_KEY":"[redacted]","keys":{"Authorization":"[redacted]","Cookie":null}}`, ``},
		{struct{ SessionKey any }{map[string]int{}}, `{"SessionKey":{}}`, ``},

		{failing{}, `"<failing>"`, `state.v: <failing>`},
		{panicking{}, `"<panicking>"`, `state.v: <panicking>`},
		{invalid{}, `"<invalid>"`, `state.v: <invalid>`},
		{[]any{1, panicking{}, 2}, `[1,"<panicking>",2]`, `state.v.1: <panicking>`},
		{func() {}, `"<func()>"`, `state.v: <func()>`},
		{make(chan int), `"<chan int>"`, `state.v: <chan int>`},
		{opaque{}, `"<opaque>"`, `state.v: <opaque>`},
		{&sync.Mutex{}, `"<Mutex>"`, `state.v: <Mutex>`},
		{os.Stdout, `"<File>"`, `state.v: <File>`},
		{self(nil), `null`, ``},
	}
	for _, c := range cases {
		var e Encoder
		e.Object("state", data{"v": c.value})
		if want := `{"v":` + c.want + `}`; string(e.Buf) != want {
			t.Errorf("%T %v:\n got %s\nwant %s", c.value, c.value, e.Buf, want)
		}
		lost := ""
		if len(e.Losses) > 0 {
			lost = e.Losses[0].Detail
		}
		if lost != c.lost {
			t.Errorf("%T: loss %q, want %q", c.value, lost, c.lost)
		}
		if len(e.above) != 0 || e.depth != 0 || len(e.names) != 0 || len(e.steps) != 1 {
			t.Errorf("%T: the encoder is still inside a container", c.value)
		}
	}
}

func TestACycleIsWrittenOnce(t *testing.T) {
	ring := &outer{Name: "a"}
	ring.Next = ring
	slice := []any{1, nil}
	slice[1] = slice
	byKey := map[string]any{}
	byKey["m"] = map[string]map[string]any{"n": byKey}
	var loop self
	loop = &loop
	twice := &point{}
	for _, c := range []struct {
		value any
		want  string
	}{
		{ring, `{"v":{"deep":0,"Name":"a","When":"0001-01-01T00:00:00.000Z","next":"<cycle>"}}`},
		{slice, `{"v":[1,"<cycle>"]}`},
		{byKey, `{"v":{"m":{"n":"<cycle>"}}}`},
		{loop, `{"v":"<cycle>"}`},
		{[]*point{twice, twice}, `{"v":[{"X":0,"Y":0,"-":0},{"X":0,"Y":0,"-":0}]}`}, // one pointer in two places is not a cycle
	} {
		var e Encoder
		e.Object("state", data{"v": c.value})
		if string(e.Buf) != c.want {
			t.Errorf("got %s\nwant %s", e.Buf, c.want)
		}
	}
}

func TestAValueThatIsNoObjectBecomesTheMemberOfOne(t *testing.T) {
	for value, want := range map[any]string{3: `{"value":3}`, "x": `{"value":"x"}`, (*point)(nil): `{}`} {
		var e Encoder
		e.Object("state", value)
		if string(e.Buf) != want {
			t.Errorf("%v: %s", value, e.Buf)
		}
	}
}

type byItself struct{ Own map[*byItself]any }

func TestEveryDepthAndSizeGivesValidJSON(t *testing.T) {
	var doubling any = "x"
	for i := 0; i < 60; i++ {
		doubling = []any{doubling, doubling}
	}
	keyed := &byItself{Own: map[*byItself]any{}}
	keyed.Own[keyed] = keyed
	var loop self
	loop = &loop
	var deep any = "bottom"
	for i := 0; i < 100_000; i++ {
		deep = []any{deep}
	}
	for _, value := range []any{
		deep,
		doubling,
		keyed,
		map[string]any{"password": loop},
		map[any]any{[2]any{1, keyed}: 1, keyed: 2},
		json.RawMessage(strings.Repeat(`[`, 1_000_000) + strings.Repeat(`]`, 1_000_000)),
		json.RawMessage(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat(`}`, 100_000)),
		json.RawMessage(strings.Repeat(`[`, 1_000_000)),
		strings.Repeat("x", 10<<20),
		json.Number(strings.Repeat("9", 1_000_000)),
		new(big.Int).Lsh(big.NewInt(1), 1<<30),
		new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 1<<30)),
		new(big.Float).SetMantExp(big.NewFloat(1), 1<<30),
		new(big.Float).SetMantExp(big.NewFloat(1), -1<<30),
		new(big.Float).SetInf(true),
	} {
		var e Encoder
		e.Object("state", data{"v": value})
		if !json.Valid(e.Buf) {
			t.Errorf("invalid JSON for %.20v", value)
		}
	}
}

func TestALongListOrMapEndsWhereItIsTooLarge(t *testing.T) {
	numbers, names := map[int]int{}, data{}
	for i := 0; i <= limits.MaxMembers; i++ {
		numbers[i] = i
		names[fmt.Sprint(i)] = i
	}
	for _, value := range []any{make([]int, 3<<20), make([]any, 1<<20), make([]point, 1<<20), numbers, names} {
		var e Encoder
		e.Object("state", data{"v": value})
		if len(e.Buf) > limits.MaxEncodedBytes+1_000 || !json.Valid(e.Buf) || len(e.Losses) != 1 || !strings.HasSuffix(e.Losses[0].Detail, "<too large>") {
			t.Errorf("%T: %d bytes, %d losses", value, len(e.Buf), len(e.Losses))
		}
	}
}

// FuzzValuesReadBackAsFromEncodingJSON checks that every value that encoding/json can write reads back the same.
func FuzzValuesReadBackAsFromEncodingJSON(f *testing.F) {
	for seed := int64(0); seed < 20; seed++ {
		f.Add(seed, "key", 1.5)
	}
	f.Add(int64(1), "\xff\xed\xa0\x80\x00\u2028", 5e-324)
	f.Add(int64(2), "api_Key", -1e300)
	f.Fuzz(func(t *testing.T, seed int64, text string, number float64) {
		value := data{text: number, "random": anything(rand.New(rand.NewSource(seed)), 4, text, number)}
		var e Encoder
		e.Object("state", value)
		var ours any
		if err := json.Unmarshal(e.Buf, &ours); err != nil {
			t.Fatalf("%v in %s", err, e.Buf)
		}
		if bytes.ContainsAny(e.Buf, "\n\r") {
			t.Fatalf("a raw line break in %q", e.Buf)
		}
		theirs, err := json.Marshal(value)
		if err != nil || secrets.ClassOf(text) != secrets.OrdinaryName || secrets.Clean(text) != text {
			return // NaN, infinities and secrets are written otherwise
		}
		var want any
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ours, want) && !strings.Contains(text, "\xed") { // a surrogate is one U+FFFD here, three in encoding/json
			t.Fatalf("got           %s\nencoding/json %s", e.Buf, theirs)
		}
	})
}

func anything(r *rand.Rand, depth int, text string, number float64) any {
	switch n := r.Intn(10); {
	case n < 2 && depth > 0:
		list := make([]any, r.Intn(4))
		for i := range list {
			list[i] = anything(r, depth-1, text, number)
		}
		return list
	case n < 5 && depth > 0:
		object := data{}
		for i := r.Intn(4); i > 0; i-- {
			object[fmt.Sprintf("%s%d", text, i)] = anything(r, depth-1, text, number)
		}
		return object
	case n == 5:
		return point{X: number, Label: text}
	case n == 6:
		return map[int]string{r.Intn(100): text}
	case n == 7:
		return r.Int63n(limits.MaxExact) - r.Int63n(limits.MaxExact)
	case n == 8:
		return number * r.NormFloat64()
	}
	return text
}

// FuzzNumbersReadBackTheSame checks that every number reads back as the same double, and is written as in ECMAScript.
func FuzzNumbersReadBackTheSame(f *testing.F) {
	for _, n := range []float64{0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, math.MaxFloat64, 123456789.125, 1 << 53} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n float64) {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		var back float64
		text := AppendNumber(nil, n, 64)
		if json.Unmarshal(text, &back) != nil || back != n {
			t.Fatalf("%v was written %s", n, text)
		}
		if theirs, _ := json.Marshal(n); string(theirs) != string(text) && n != 0 { // encoding/json differs from ECMAScript for −0 only
			t.Fatalf("%s, and encoding/json writes %s", text, theirs)
		}
	})
}
