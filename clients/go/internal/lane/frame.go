package lane

import (
	"hash/crc32"
	"strconv"
)

// room is the number of bytes before each op, for a line break after a torn line, the checksum, the sequence and the time:
// "\n89abcdef {"seq":18446744073709551615,"at":9223372036854775807," has 63 bytes.
const room = 64

// frame puts a record's sequence and time, and then its checksum, before the op in buf[room:], which ends with a line
// break. It returns where the line starts. It writes from the right, so that no byte moves.
func frame(buf []byte, sequence, at int64) (start int) {
	start = putBefore(buf, room, ",")
	start = putDigitsBefore(buf, start, at)
	start = putBefore(buf, start, `,"at":`)
	start = putDigitsBefore(buf, start, sequence)
	start = putBefore(buf, start, `{"seq":`)
	return putChecksum(buf, start, len(buf)-1)
}

// Timed copies the op with its time and without a sequence: `{"at":…,"op":…}`, as requests carry it.
func (r *Record) Timed(at int64) []byte {
	start := putBefore(r.Buf, room, ",")
	start = putDigitsBefore(r.Buf, start, at)
	start = putBefore(r.Buf, start, `{"at":`)
	return append([]byte(nil), r.Buf[start:]...)
}

// putChecksum puts the CRC-32 of buf[start:end] and a blank before it.
func putChecksum(buf []byte, start, end int) int {
	const hexDigits = "0123456789abcdef"
	buf[start-1] = ' '
	sum := crc32.ChecksumIEEE(buf[start:end])
	for i := start - 2; i >= start-9; i-- {
		buf[i] = hexDigits[sum&15]
		sum >>= 4
	}
	return start - 9
}

func putBefore(buf []byte, end int, text string) int {
	return end - copy(buf[end-len(text):end], text)
}

func putDigitsBefore(buf []byte, end int, n int64) int {
	var space [20]byte
	digits := strconv.AppendInt(space[:0], n, 10)
	return end - copy(buf[end-len(digits):end], digits)
}
