package encode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// byMethod writes the value that a method of its type gives. Where the method panics or fails, it writes the type's name.
func (e *Encoder) byMethod(v reflect.Value, encoding *encoding) {
	before := *e
	defer func() {
		if recover() != nil {
			e.Buf, e.steps = e.Buf[:len(before.Buf)], e.steps[:len(before.steps)]
			e.above, e.depth, e.names = e.above[:len(before.above)], before.depth, e.names[:len(before.names)]
			e.loseType(v.Type())
		}
	}()
	switch encoding.method {
	case asTime:
		e.Buf = appendTime(e.Buf, v.Interface().(time.Time))
	case asInteger:
		if i := v.Interface().(*big.Int); e.isConvertible(i.BitLen()) {
			e.decimal(i.String())
		}
	case asFloat:
		f := v.Interface().(*big.Float)
		if e.isConvertible(int(f.MinPrec()), f.MantExp(nil)) {
			e.Buf = AppendString(e.Buf, f.Text('g', -1))
		}
	case asRatio:
		if r := v.Interface().(*big.Rat); e.isConvertible(r.Num().BitLen(), r.Denom().BitLen()) {
			e.Buf = AppendString(e.Buf, r.RatString())
		}
	case asObject:
		e.Value(v.Interface().(Object))
	case asJSON:
		text, err := v.Interface().(json.Marshaler).MarshalJSON()
		if err != nil {
			panic(err)
		}
		e.json(text)
	case asNumber:
		e.decimal(v.String())
	case asText:
		text, err := v.Interface().(textMarshaler).MarshalText()
		if err != nil {
			panic(err)
		}
		e.text(string(text))
	case asError:
		e.text(v.Interface().(error).Error())
	case asString:
		e.text(v.Interface().(fmt.Stringer).String())
	}
}

// isConvertible reports whether the digits of a number of these sizes are computed. It writes a text in place of a larger
// number.
func (e *Encoder) isConvertible(bits ...int) bool {
	for _, size := range bits {
		if size > limits.MaxBits || size < -limits.MaxBits {
			e.lose("<too large>")
			return false
		}
	}
	return true
}

// json writes the JSON of another encoder as this one writes values: with secrets redacted, and numbers in ECMAScript's notation.
func (e *Encoder) json(text []byte) {
	v, err := Decode(text)
	if err != nil {
		panic(err)
	}
	e.Value(v)
}

// Decode reads one JSON value: objects as Object, numbers as json.Number. A container that is too deep to be written is
// empty.
func Decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decodeValue(decoder, 0)
}

func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, isContainer := token.(json.Delim)
	if !isContainer {
		return token, nil
	}
	if depth > limits.MaxDepth {
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
		member, err := decodeValue(decoder, depth+1)
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

// skipContainer reads to the end of the container that was just opened. It does not recurse, so depth has no bound.
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

// decimal writes a number from its digits. An integer keeps every digit; outside ±2^53 it becomes a string.
func (e *Encoder) decimal(digits string) {
	if len(digits) > limits.MaxDigits {
		e.Buf = AppendString(e.Buf, digits)
		return
	}
	if i, ok := new(big.Int).SetString(digits, 10); ok {
		if i.IsInt64() {
			e.Buf = appendInteger(e.Buf, i.Int64())
		} else {
			e.Buf = AppendString(e.Buf, i.String())
		}
		return
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		e.Buf = AppendString(e.Buf, digits)
		return
	}
	e.Buf = AppendFloat(e.Buf, f, 64)
}

// appendTime writes RFC 3339 in UTC with milliseconds.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, '"')
}
