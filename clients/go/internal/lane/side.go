package lane

import (
	"os"
	"path/filepath"
)

// OpenSide makes a side file of the lane (clients/README.md, "Stacks and fatal errors"): "stacks" or "fatal". It is nil while
// the lane has no folder, or if the file cannot be made.
func (l *Lane) OpenSide(kind string) *os.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.folder == "" || l.isClosed {
		return nil
	}
	path := filepath.Join(l.folder, l.Header.Lane+"."+kind)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil
	}
	return file
}

// markRunning makes the file that is there until a process which joined the session ends by itself (clients/README.md,
// "Processes that join"). Without it the process's end is not recorded.
func (l *Lane) markRunning() {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | noFollow
	if file, err := os.OpenFile(l.runningPath(), flags, 0o600); err == nil {
		file.Close()
	}
}

func (l *Lane) runningPath() string {
	return filepath.Join(l.folder, l.Header.Lane+".running")
}
