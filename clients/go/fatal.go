package datacat

import (
	"os"
	"sync"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// fatalOutput is where the runtime writes a panic or a fatal error, besides stderr: a side file of the first open session's
// lane. A process has one such file.
var fatalOutput struct {
	sync.Mutex
	sessions []*Session // that have a file, in the order of their opening
	path     string     // of the file that the runtime writes to
}

// watchFatal lets the runtime write the text of a fatal error beside the session's lane.
func (s *Session) watchFatal() {
	l, isLane := s.sink.(*lane.Lane)
	if !isLane || !canSetCrashOutput || !s.hasStacks() {
		return
	}
	fatalOutput.Lock()
	defer fatalOutput.Unlock()
	if len(fatalOutput.sessions) > 0 || !hasCrashOutput() && useFatal(l) {
		fatalOutput.sessions = append(fatalOutput.sessions, s)
	}
}

// useFatal makes a side file of this lane the runtime's. It reports whether that worked.
func useFatal(l *lane.Lane) bool {
	file := l.OpenSide("fatal")
	if file == nil {
		return false
	}
	defer file.Close() // the runtime has a descriptor of its own
	lockFile(file)
	if setCrashOutput(file) != nil {
		return false
	}
	fatalOutput.path = file.Name()
	return true
}

// releaseFatal gives the runtime the file of the next open session, or none. An output that the program has set meanwhile stays.
func (s *Session) releaseFatal() {
	fatalOutput.Lock()
	defer fatalOutput.Unlock()
	for i, each := range fatalOutput.sessions {
		if each != s {
			continue
		}
		fatalOutput.sessions = append(fatalOutput.sessions[:i:i], fatalOutput.sessions[i+1:]...)
		if i > 0 || !isLocked(fatalOutput.path) {
			return
		}
		for len(fatalOutput.sessions) > 0 {
			if next, isLane := fatalOutput.sessions[0].sink.(*lane.Lane); isLane && useFatal(next) {
				return
			}
			fatalOutput.sessions = fatalOutput.sessions[1:]
		}
		setCrashOutput((*os.File)(nil)) //nolint:errcheck // closing the output does not fail
		return
	}
}
