package lane

import (
	"strconv"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
)

// Header is the first line of each part of a lane: the session, the server and the writer of the records that follow.
type Header struct {
	Lane, Session, Server string
	At, MonotonicMs       int64
	Writer                Writer
}

// headerBytes is the usual length of a header.
const headerBytes = 1024

// line is the header of one part, whose first record has the sequence first.
func (h *Header) line(part int, first int64) []byte {
	b := make([]byte, room, headerBytes)
	b = encode.AppendString(append(b, `{"lane":`...), h.Lane)
	b = strconv.AppendInt(append(b, `,"format":1,"part":`...), int64(part), 10)
	b = strconv.AppendInt(append(b, `,"first":`...), first, 10)
	b = encode.AppendString(append(b, `,"session":`...), h.Session)
	b = encode.AppendString(append(b, `,"server":`...), h.Server)
	b = strconv.AppendInt(append(b, `,"at":`...), h.At, 10)
	b = strconv.AppendInt(append(b, `,"monotonic_ms":`...), h.MonotonicMs, 10)
	b = h.Writer.AppendJSON(append(b, `,"writer":`...))
	b = append(b, '}', '\n')
	return b[putChecksum(b, room, len(b)-1):]
}
