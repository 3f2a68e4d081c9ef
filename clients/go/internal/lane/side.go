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
