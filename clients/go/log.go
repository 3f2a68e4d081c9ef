package datacat

import (
	"io"
	"strings"
)

// LogWriter returns a writer that records an event for each write, as the standard library's log package makes one per line:
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
