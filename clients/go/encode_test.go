package datacat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
)

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

func TestValuesAreWrittenAsTheTableSays(t *testing.T) {
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
		var e encoder
		e.object("state", Data{"v": c.value})
		if want := `{"v":` + c.want + `}`; string(e.buf) != want {
			t.Errorf("%T %v:\n got %s\nwant %s", c.value, c.value, e.buf, want)
		}
		lost := ""
		if len(e.losses) > 0 {
			lost = e.losses[0].detail
		}
		if lost != c.lost {
			t.Errorf("%T: lost %q, not %q", c.value, lost, c.lost)
		}
		if len(e.above) != 0 || e.depth != 0 || len(e.names) != 0 || len(e.steps) != 1 {
			t.Errorf("%T: the encoder did not come back to where it was", c.value)
		}
	}
}

func TestCyclesEndWhereTheyBegin(t *testing.T) {
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
		{[]*point{twice, twice}, `{"v":[{"X":0,"Y":0,"-":0},{"X":0,"Y":0,"-":0}]}`}, // seen twice is no cycle
	} {
		var e encoder
		e.object("state", Data{"v": c.value})
		if string(e.buf) != c.want {
			t.Errorf("got %s\nwant %s", e.buf, c.want)
		}
	}
}

func TestWhatIsNoObjectBecomesOne(t *testing.T) {
	for value, want := range map[any]string{3: `{"value":3}`, "x": `{"value":"x"}`, (*point)(nil): `{}`} {
		var e encoder
		e.object("state", value)
		if string(e.buf) != want {
			t.Errorf("%v: %s", value, e.buf)
		}
	}
}

type byItself struct{ Own map[*byItself]any }

func TestDepthAndSizeCannotHurt(t *testing.T) {
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
	} {
		var e encoder
		e.object("state", Data{"v": value})
		if !json.Valid(e.buf) {
			t.Errorf("invalid JSON for %.20v", value)
		}
	}
}

func TestALongListOrMapIsGivenUpWhereItIsTooLarge(t *testing.T) {
	numbers, names := map[int]int{}, Data{}
	for i := 0; i <= maxMembers; i++ {
		numbers[i] = i
		names[fmt.Sprint(i)] = i
	}
	for _, value := range []any{make([]int, 3<<20), make([]any, 1<<20), make([]point, 1<<20), numbers, names} {
		var e encoder
		e.object("state", Data{"v": value})
		if len(e.buf) > maxEncodedBytes+1_000 || !json.Valid(e.buf) || len(e.losses) != 1 || !strings.HasSuffix(e.losses[0].detail, "<too large>") {
			t.Errorf("%T: %d bytes, %d losses", value, len(e.buf), len(e.losses))
		}
	}
}

// What encoding/json can write, ours means the same by, whatever the value.
func FuzzOursMeansWhatEncodingJSONMeans(f *testing.F) {
	for seed := int64(0); seed < 20; seed++ {
		f.Add(seed, "key", 1.5)
	}
	f.Add(int64(1), "\xff\xed\xa0\x80\x00\u2028", 5e-324)
	f.Add(int64(2), "pass_Word", -1e300)
	f.Fuzz(func(t *testing.T, seed int64, text string, number float64) {
		value := Data{text: number, "random": anything(rand.New(rand.NewSource(seed)), 4, text, number)}
		var e encoder
		e.object("state", value)
		var ours any
		if err := json.Unmarshal(e.buf, &ours); err != nil {
			t.Fatalf("%v in %s", err, e.buf)
		}
		if bytes.ContainsAny(e.buf, "\n\r") {
			t.Fatalf("a raw line break in %q", e.buf)
		}
		theirs, err := json.Marshal(value)
		if err != nil || isSecret(text) {
			return // NaN and infinities; ours writes something else on purpose
		}
		var want any
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ours, want) && !strings.Contains(text, "\xed") { // a surrogate is one U+FFFD for us, three for them
			t.Fatalf("ours   %s\ntheirs %s", e.buf, theirs)
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
		object := Data{}
		for i := r.Intn(4); i > 0; i-- {
			object[fmt.Sprintf("%s%d", text, i)] = anything(r, depth-1, text, number)
		}
		return object
	case n == 5:
		return point{X: number, Label: text}
	case n == 6:
		return map[int]string{r.Intn(100): text}
	case n == 7:
		return r.Int63n(maxExact) - r.Int63n(maxExact)
	case n == 8:
		return number * r.NormFloat64()
	}
	return text
}

// Numbers read back as the same double, in ECMAScript's spelling.
func FuzzNumbersReadBackTheSame(f *testing.F) {
	for _, n := range []float64{0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, math.MaxFloat64, 123456789.125, 1 << 53} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n float64) {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		var back float64
		text := appendNumber(nil, n, 64)
		if json.Unmarshal(text, &back) != nil || back != n {
			t.Fatalf("%v was written %s", n, text)
		}
		if theirs, _ := json.Marshal(n); string(theirs) != string(text) && n != 0 { // encoding/json spells like ECMAScript, but for −0
			t.Fatalf("%s, and encoding/json writes %s", text, theirs)
		}
	})
}

func TestCuttingLeavesValidJSONWithinTheLimit(t *testing.T) {
	random := rand.New(rand.NewSource(7))
	for round := 0; round < 8; round++ {
		var r record
		r.buf = make([]byte, room)
		data := Data{}
		for i := random.Intn(12) + 1; i > 0; i-- {
			data[fmt.Sprint(i)] = strings.Repeat("ä\n\"😀"[:2+random.Intn(4)], random.Intn(20_000))
		}
		r.event(&Event{Name: "big", Data: data})
		if size := len(r.buf) - room; size > maxOpBytes || !json.Valid(append([]byte{'{'}, r.buf[room:]...)) {
			t.Fatalf("round %d: %d bytes", round, size)
		}
	}
}

var _ io.Writer = logWriter{}
