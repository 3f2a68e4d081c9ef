package datacat

import (
	"io"
	"strings"
)

// LogWriter makes an event of each line that the standard library's log package (or anything else) writes to it:
//
//	log.SetOutput(io.MultiWriter(os.Stderr, session.LogWriter("app")))
func (s *Session) LogWriter(group string) io.Writer { return logWriter{s, group} }

type logWriter struct {
	session *Session
	group   string
}

func (w logWriter) Write(line []byte) (int, error) {
	if text := strings.TrimRight(string(line), "\r\n"); text != "" {
		w.session.Log(Event{Name: "log", Group: w.group, Message: text})
	}
	return len(line), nil
}
