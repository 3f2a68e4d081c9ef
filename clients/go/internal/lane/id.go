package lane

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// NewID makes a UUIDv7. Its first 48 bits are the time in milliseconds, so ids and names of files sort by time.
func NewID(now time.Time) string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		binary.BigEndian.PutUint64(id[8:], uint64(now.UnixNano())) // without a source of randomness, the time is the best there is
	}
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
