package datacat

import (
	"hash/crc32"
	"strconv"
)

// room is left before each op for a line break after a torn line, checksum, sequence and time:
// "\n89abcdef {"seq":18446744073709551615,"at":9223372036854775807," is 63 bytes.
const room = 64

// number puts sequence and time before the op in buf[room:] and answers where the record's JSON starts. Digits are
// written from the right, so that nothing moves.
func number(buf []byte, sequence, at int64) (start int) {
	i := before(buf, room, ",")
	i = digitsBefore(buf, i, at)
	i = before(buf, i, `,"at":`)
	i = digitsBefore(buf, i, sequence)
	return before(buf, i, `{"seq":`)
}

// checksum puts the CRC-32 of buf[start:end] and a blank before it.
func checksum(buf []byte, start, end int) int {
	buf[start-1] = ' '
	sum := crc32.ChecksumIEEE(buf[start:end])
	for i := start - 2; i >= start-9; i-- {
		buf[i] = hexDigits[sum&15]
		sum >>= 4
	}
	return start - 9
}

func before(buf []byte, end int, text string) int {
	return end - copy(buf[end-len(text):end], text)
}

func digitsBefore(buf []byte, end int, n int64) int {
	var space [20]byte
	digits := strconv.AppendInt(space[:0], n, 10)
	return end - copy(buf[end-len(digits):end], digits)
}
