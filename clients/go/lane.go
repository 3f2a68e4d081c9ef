package datacat

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lane is one process's append-only file, in parts: one write per record, after which the record outlives the program.
// A write that fails costs its record and nothing else; how many were lost is written as soon as writing works again.
type lane struct {
	header   header
	folders  func() []string // where it may be, best first
	maxBytes int64
	put      func(*os.File, []byte) (int, error)

	mu       sync.Mutex
	folder   string // where its parts are, once there is one
	file     *os.File
	part     int
	bytes    int64 // in this part
	records  int64 // in this part
	sequence int64
	torn     bool // the last line has no line break
	closed   bool
	lost     int
	why      error
	start    []byte // the op that opens the session, until it is written: no other record is worth as much
	tried    time.Time
}

func newLane(h header, maxBytes int64, folders func() []string) *lane {
	return &lane{header: h, maxBytes: maxBytes, folders: folders, put: writeOnce}
}

// write appends one record and uses up one sequence, whether it can be written or not.
func (l *lane) write(r *record, at int64) outcome {
	r.buf = append(r.buf, '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return late
	}
	if r.kind == kindEnd {
		defer l.shut()
	}
	if l.lost > 0 && !l.catchUp(at) {
		l.sequence++
		l.lost++
		return lost
	}
	l.sequence++
	if l.append(r.buf, l.sequence, at) {
		return kept
	}
	l.lost++
	if r.kind == kindStart {
		l.start = append([]byte(nil), r.buf...)
	}
	return lost
}

func (l *lane) lossCause() string { return "disk_full" }

// catchUp says what was lost meanwhile, and says the start of the session again if that was.
func (l *lane) catchUp(at int64) bool {
	told := record{encoder: encoder{buf: make([]byte, room, 256)}}
	told.dropped(l.lossCause(), l.lost, reason(l.why))
	told.buf = append(told.buf, '\n')
	if !l.append(told.buf, l.sequence+1, at) {
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
func (l *lane) append(buf []byte, sequence, at int64) bool {
	start := number(buf, sequence, at)
	start = checksum(buf, start, len(buf)-1)
	length := int64(len(buf) - start)
	if (l.file == nil || l.records > 0 && l.bytes+length > l.maxBytes) && !l.openPart(sequence) {
		return false
	}
	if l.torn {
		start--
		buf[start] = '\n'
	}

	n, err := l.put(l.file, buf[start:])
	if n <= 0 && isFileTooLarge(err) && l.records > 0 && l.openPart(sequence) {
		if buf[start] == '\n' { // the torn line stays behind
			start++
		}
		n, err = l.put(l.file, buf[start:])
	}
	if n > 0 {
		l.bytes += int64(n)
		l.records++
		l.torn = n < len(buf)-start
	}
	if n >= len(buf)-start-1 { // a line break is all it lacks, and the next write brings one
		return true
	}
	l.why = err
	return false
}

// openPart goes on in a new file. If that cannot be, the old one must do.
func (l *lane) openPart(first int64) bool {
	if l.file == nil && time.Since(l.tried) < reopenAfter {
		return false
	}
	file, line, err := l.create(l.part+1, first)
	if err != nil {
		l.why, l.tried = err, time.Now()
		return l.file != nil
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.part, l.bytes, l.records, l.torn = file, l.part+1, int64(len(line)), 0, false
	return true
}

func (l *lane) create(part int, first int64) (*os.File, []byte, error) {
	folders := []string{l.folder}
	if l.folder == "" {
		folders = l.folders()
	}
	err := error(errNoFolder)
	for _, folder := range folders {
		var file *os.File
		path := filepath.Join(folder, fmt.Sprintf("%s.%06d.lane", l.header.lane, part))
		if file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600); err != nil {
			continue
		}
		line := l.header.line(part, first)
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

// home is the folder whose daemon will read this lane; "" while there is none.
func (l *lane) home() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.folder == "" {
		return ""
	}
	return filepath.Dir(l.folder)
}

func (l *lane) shut() {
	l.closed = true
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// close ends the lane without a word.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.shut()
	}
}

const (
	errNoFolder = constantError("there is no folder that this user may write to")
	errCutShort = constantError("the write was cut short")
)

type constantError string

func (e constantError) Error() string { return string(e) }

// reason is an error without the path of the lane, which tells a reader of the session nothing.
func reason(err error) string {
	if err == nil {
		return string(errCutShort)
	}
	if path, ok := err.(*os.PathError); ok {
		return path.Err.Error()
	}
	return err.Error()
}
