package datacat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"
)

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
