package datacat

import "strconv"

// header is the first line of each part of a lane: whose records follow.
type header struct {
	lane, session, server string
	at, monotonicMs       int64
	writer                writer
}

// writer is who writes; what is not known is left out.
type writer struct {
	program    string
	arguments  []string
	language   string
	client     string
	pid        int
	pidStarted string
	parentPid  int
	machineID  string
	bootID     string
	hostname   string
	os         string
	user       string
}

// line is the header's bytes for one part, whose first record has the sequence first.
func (h *header) line(part int, first int64) []byte {
	b := make([]byte, room, 1024)
	b = appendString(append(b, `{"lane":`...), h.lane)
	b = strconv.AppendInt(append(b, `,"format":1,"part":`...), int64(part), 10)
	b = strconv.AppendInt(append(b, `,"first":`...), first, 10)
	b = appendString(append(b, `,"session":`...), h.session)
	b = appendString(append(b, `,"server":`...), h.server)
	b = strconv.AppendInt(append(b, `,"at":`...), h.at, 10)
	b = strconv.AppendInt(append(b, `,"monotonic_ms":`...), h.monotonicMs, 10)
	b = h.writer.append(append(b, `,"writer":`...))
	b = append(b, '}', '\n')
	return b[checksum(b, room, len(b)-1):]
}

func (w *writer) append(b []byte) []byte {
	start := len(b)
	text := func(key, value string) {
		if value != "" {
			b = appendString(append(b, key...), value)
		}
	}
	whole := func(key string, value int) {
		if value != 0 {
			b = strconv.AppendInt(append(b, key...), int64(value), 10)
		}
	}
	text(`,"program":`, w.program)
	if w.arguments != nil {
		b = appendStrings(append(b, `,"arguments":`...), w.arguments)
	}
	text(`,"language":`, w.language)
	text(`,"client":`, w.client)
	whole(`,"pid":`, w.pid)
	text(`,"pid_started":`, w.pidStarted)
	whole(`,"parent_pid":`, w.parentPid)
	text(`,"machine_id":`, w.machineID)
	text(`,"boot_id":`, w.bootID)
	text(`,"hostname":`, w.hostname)
	text(`,"os":`, w.os)
	text(`,"user":`, w.user)
	if len(b) == start {
		b = append(b, ',')
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}
