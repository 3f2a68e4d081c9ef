// Package lane writes lanes: append-only files that hold the records of one process (clients/README.md, "The lane format").
package lane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Lane is the append-only file of one process, in parts. Each record is one write, after which it survives the process. A
// write that fails loses its record only; the count of lost records is written as soon as a write succeeds again.
type Lane struct {
	Header   Header
	folders  func() []string // the folders where it may be, best first
	maxBytes int64           // of a part
	put      func(*os.File, []byte) (int, error)

	mu       sync.Mutex
	folder   string // where the parts are; "" until there is one
	file     *os.File
	part     int
	bytes    int64 // in this part
	records  int64 // in this part
	sequence int64
	isTorn   bool // the last line has no line break
	isClosed bool
	lost     int    // records since the last one that was written
	failure  error  // of the last failed write
	start    []byte // the op `start` while it is not written; the server needs it for the session
	triedAt  time.Time
}

// Outcome is the result of writing a record.
type Outcome uint8

// The results of writing a record.
const (
	Kept   Outcome = iota
	Lost           // it could not be written, and is counted
	Closed         // another goroutine has ended the session
)

// New prepares a lane. Its first part is opened by the first record.
func New(header Header, maxBytes int64, folders func() []string) *Lane {
	return &Lane{Header: header, maxBytes: maxBytes, folders: folders, put: WriteOnce}
}

// Write appends one record. It uses one sequence, whether the record can be written or not.
func (l *Lane) Write(r *Record, at int64) Outcome {
	r.Buf = append(r.Buf, '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed {
		return Closed
	}
	if r.Kind == KindEnd {
		defer l.closeFile()
	}
	if l.lost > 0 && !l.writeLosses(at) {
		l.sequence++
		l.lost++
		return Lost
	}
	l.sequence++
	if l.append(r.Buf, l.sequence, at) {
		return Kept
	}
	l.lost++
	if r.Kind == KindStart {
		l.start = append([]byte(nil), r.Buf...)
	}
	return Lost
}

// LossCause is the cause that a lost record is counted under.
func (l *Lane) LossCause() string { return "disk_full" }

// writeLosses writes how many records were lost, and writes the session's start again if it is one of them.
func (l *Lane) writeLosses(at int64) bool {
	r := NewRecord()
	r.Dropped(l.LossCause(), l.lost, reason(l.failure))
	r.Buf = append(r.Buf, '\n')
	if !l.append(r.Buf, l.sequence+1, at) {
		return false
	}
	l.sequence++
	l.lost = 0
	if l.start != nil && l.append(l.start, l.sequence+1, at) {
		l.sequence++
		l.start = nil
	}
	return true
}

// append writes one line, into a new part if this one is full.
func (l *Lane) append(buf []byte, sequence, at int64) bool {
	start := frame(buf, sequence, at)
	length := int64(len(buf) - start)
	if (l.file == nil || l.records > 0 && l.bytes+length > l.maxBytes) && !l.openPart(sequence) {
		return false
	}
	if l.isTorn {
		start--
		buf[start] = '\n'
	}

	n, err := l.put(l.file, buf[start:])
	if n <= 0 && isFileTooLarge(err) && l.records > 0 && l.openPart(sequence) {
		if buf[start] == '\n' { // the torn line is in the previous part
			start++
		}
		n, err = l.put(l.file, buf[start:])
	}
	if n > 0 {
		l.bytes += int64(n)
		l.records++
		l.isTorn = n < len(buf)-start
	}
	if n >= len(buf)-start-1 { // only the line break is missing, and the next write begins with one
		return true
	}
	l.failure = err
	return false
}

// openPart continues the lane in a new file. If that fails, the lane continues in the present one.
func (l *Lane) openPart(first int64) bool {
	if l.file == nil && time.Since(l.triedAt) < limits.ReopenAfter {
		return false
	}
	file, line, err := l.create(l.part+1, first)
	if err != nil {
		l.failure, l.triedAt = err, time.Now()
		return l.file != nil
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.part, l.bytes, l.records, l.isTorn = file, l.part+1, int64(len(line)), 0, false
	return true
}

// create makes the file of a part with its header, in the first folder where that is possible.
func (l *Lane) create(part int, first int64) (*os.File, []byte, error) {
	folders := []string{l.folder}
	if l.folder == "" {
		folders = l.folders()
	}
	err := errNoFolder
	for _, folder := range folders {
		var file *os.File
		path := filepath.Join(folder, fmt.Sprintf("%s.%06d.lane", l.Header.Lane, part))
		if file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600); err != nil {
			continue
		}
		line := l.Header.line(part, first)
		n, failed := l.put(file, line)
		if n == len(line) {
			l.folder = folder
			return file, line, nil
		}
		if err = failed; err == nil {
			err = errCutShort
		}
		file.Close()
		os.Remove(path)
	}
	return nil, nil, err
}

// Home is the home that the lane is in, whose daemon reads it; "" while there is no part.
func (l *Lane) Home() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.folder == "" {
		return ""
	}
	return filepath.Dir(l.folder)
}

// Close closes the lane without a last record.
func (l *Lane) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeFile()
}

func (l *Lane) closeFile() {
	l.isClosed = true
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

var (
	errNoFolder = errors.New("there is no folder that this user may write to")
	errCutShort = errors.New("the write was cut short")
)

// reason is the text of an error without the path of the lane, which does not help a reader of the session.
func reason(err error) string {
	if err == nil {
		return errCutShort.Error()
	}
	if path, ok := err.(*os.PathError); ok {
		return path.Err.Error()
	}
	return err.Error()
}
