package encode

import (
	"math"
	"strconv"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// AppendNumber writes a finite number as ECMAScript's Number.prototype.toString does: the shortest digits that read back as
// the same number, plain from 1e-6 up to below 1e21, else with an exponent without leading zeros (1e-7, 1e+21).
func AppendNumber(b []byte, f float64, bits int) []byte {
	magnitude := math.Abs(f)
	if magnitude < limits.MaxExact && f == math.Trunc(f) {
		return strconv.AppendInt(b, int64(f), 10) // also −0, which ECMAScript writes as 0
	}
	tiny := magnitude < 1e-6
	if bits == 32 {
		tiny = float32(magnitude) < 1e-6 // as a float32, 1e-6 is a little less than the double
	}
	if !tiny && magnitude < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, bits)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, bits)
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') { // Go pads exponents to two digits
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// AppendFloat writes any number: NaN and infinities as strings, every other one as AppendNumber does.
func AppendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return AppendNumber(b, f, bits)
}

// appendInteger writes an integer. Outside ±2^53 it becomes a string of its digits.
func appendInteger(b []byte, i int64) []byte {
	if i < -limits.MaxExact || i > limits.MaxExact {
		b = append(b, '"')
		b = strconv.AppendInt(b, i, 10)
		return append(b, '"')
	}
	return strconv.AppendInt(b, i, 10)
}

func appendUnsigned(b []byte, u uint64) []byte {
	if u > limits.MaxExact {
		b = append(b, '"')
		b = strconv.AppendUint(b, u, 10)
		return append(b, '"')
	}
	return strconv.AppendUint(b, u, 10)
}
