package lane

import (
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// NewID makes a UUIDv7. Its first 48 bits are the time in milliseconds, so ids and names of files sort by time.
//
// The others are the runtime's random numbers. The first use of crypto/rand leaves a timer of a minute, during which the runtime does
// not report that all goroutines are asleep.
func NewID(now time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[0:], randomNumber())
	binary.BigEndian.PutUint64(id[8:], randomNumber())
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	id[6] = id[6]&0x0F | 0x70
	id[8] = id[8]&0x3F | 0x80

	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// randomNumber is the random seed of a new hash.
func randomNumber() uint64 { return new(maphash.Hash).Sum64() }

// IsID reports whether the server accepts this as the id of a session.
func IsID(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		isLetter := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !isLetter && (i == 0 || c != '.' && c != '_' && c != ':' && c != '-') {
			return false
		}
	}
	return id != "" && len(id) <= limits.MaxID
}
