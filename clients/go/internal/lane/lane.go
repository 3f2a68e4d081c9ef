// Package lane writes lanes: append-only files that hold the records of one process (clients/README.md, "The lane format").
package lane

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Lane is the append-only file of one process, in parts. Each record is one write, after which it survives the process. A
// write that fails loses its record only; reports of the lost records are written together with the next record that fits.
type Lane struct {
	Header   Header
	folders  func() []string // the folders where it may be, best first
	maxBytes int64           // of a part
	put      func(*os.File, []byte) (int, error)
	IsJoined bool // another process opened the session

	mu       sync.Mutex
	folder   string // where the parts are; "" until there is one
	file     *os.File
	part     int
	bytes    int64 // in this part
	records  int64 // in this part
	sequence int64

	attachments     int             // so many were begun
	lostAttachments map[string]bool // those whose op could not be written

	isTorn    bool // the last line has no line break
	isClosed  bool
	losses    losses // that no record reports yet
	failure   error  // of the last failed write
	start     []byte // the op `start` while it is not written; the server needs it for the session, so it is written later
	startAt   int64
	reserve   string    // the file with the space for the last reports and the end; "" if there is none
	reserved  int       // its bytes
	triedAt   time.Time // when opening a part failed
	checkedAt int64     // when the file was last found to exist, by the records' times
}

// Outcome is the result of writing a record.
type Outcome uint8

// The results of writing a record.
const (
	Kept   Outcome = iota
	Lost           // it could not be written, and is counted
	Late           // it is the start, and is written with the next record that can be
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
	l.sequence++
	write := l.append
	if len(l.losses) > 0 || l.start != nil {
		write = l.appendWithReports
	}
	if write(r.Buf, r.Kind, at) {
		return Kept
	}
	if len(l.losses) == 0 && l.start == nil {
		l.markLoss()
	}
	if r.Kind == KindStart {
		l.start, l.startAt = append([]byte(nil), r.Buf...), at
		return Late
	}
	l.losses.add(l.failure, at)
	l.noteLost(r)
	return Lost
}

// LossCause is the cause that the last lost record is counted under.
func (l *Lane) LossCause() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return causeOf(l.failure)
}

// HasStart reports whether the session's start is written.
func (l *Lane) HasStart() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start == nil
}

// append writes one line, into a new part if this one is full.
func (l *Lane) append(buf []byte, kind Kind, at int64) bool {
	start := frame(buf, l.sequence, at)
	if !l.makeRoom(len(buf)-start, l.sequence, kind, at) {
		return false
	}
	if l.isTorn {
		start--
		buf[start] = '\n'
	}
	if l.write(buf[start:], l.sequence) {
		if kind == KindStart {
			l.reserveEnd()
		}
		return true
	}
	return kind == KindEnd && l.useReserve(buf[start:], l.sequence)
}

// appendWithReports writes a late start, the reports of losses and the record with one write: all of it or nothing.
func (l *Lane) appendWithReports(buf []byte, kind Kind, at int64) bool {
	first, sequence := l.sequence, l.sequence
	var block []byte
	add := func(buf []byte, sequence, at int64) { block = append(block, buf[frame(buf, sequence, at):]...) }
	if l.start != nil {
		first = 1
		add(l.start, 1, l.startAt)
	}
	for i := range l.losses {
		add(l.losses[i].report(), sequence, at)
		sequence++
	}
	add(buf, sequence, at)

	if !l.makeRoom(len(block), first, kind, at) {
		return false
	}
	if l.isTorn {
		block = append([]byte{'\n'}, block...)
	}
	if !l.write(block, first) && (kind != KindEnd || !l.useReserve(block, first)) {
		return false
	}
	if l.start != nil {
		l.reserveEnd()
	}
	l.sequence, l.losses, l.start = sequence, nil, nil
	return true
}

// reserveEnd takes space on the disk, so that the last reports of losses and the end can be written when it is full: a file of
// empty lines, which is overwritten in place and renamed to a part.
func (l *Lane) reserveEnd() {
	blank := bytes.Repeat([]byte{'\n'}, limits.ReservedBytes+len(l.Header.line(l.part+1, 1)))
	path := filepath.Join(l.folder, l.Header.Lane+".reserve")
	if writeWhole(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, blank) {
		l.reserve, l.reserved = path, len(blank)
	} else {
		os.Remove(path)
	}
}

// useReserve writes the last lines into the reserved space.
func (l *Lane) useReserve(lines []byte, first int64) bool {
	if l.reserve == "" {
		return false
	}
	part := append(l.Header.line(l.part+1, first), bytes.TrimPrefix(lines, []byte{'\n'})...)
	if len(part) > l.reserved || !writeWhole(l.reserve, os.O_WRONLY, part) {
		return false
	}
	if os.Rename(l.reserve, l.path(l.folder, l.part+1)) != nil {
		return false
	}
	l.reserve = ""
	return true
}

// writeWhole writes at the beginning of a file.
func writeWhole(path string, flags int, b []byte) bool {
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return false
	}
	n, err := file.Write(b)
	return file.Close() == nil && err == nil && n == len(b)
}

// path is the name of a part.
func (l *Lane) path(folder string, part int) string {
	return filepath.Join(folder, fmt.Sprintf("%s.%06d.lane", l.Header.Lane, part))
}

// write makes one write to the present part, or to a new one if this file may not grow. first is the sequence in a new part's header.
func (l *Lane) write(line []byte, first int64) bool {
	isWritten, err := l.tryWrite(line)
	if !isWritten && isFileTooLarge(err) && l.records > 0 && l.openPart(first, KindEvent) {
		isWritten, err = l.tryWrite(bytes.TrimPrefix(line, []byte{'\n'})) // a torn line is in the previous part
	}
	if !isWritten {
		l.failure = err
	}
	return isWritten
}

func (l *Lane) tryWrite(line []byte) (bool, error) {
	n, err := l.put(l.file, line)
	if n > 0 && n < len(line)-1 { // the system gives the reason with the second call
		var more int
		if more, err = l.put(l.file, line[n:]); more > 0 {
			n += more
		}
	}
	if n >= len(line)-1 { // a missing line break comes with the next write
		l.bytes += int64(n)
		l.records++
		l.isTorn = n < len(line)
		return true, nil
	}
	if n > 0 {
		l.removeTorn(int64(n))
	}
	if err == nil {
		err = errCutShort
	}
	return false, err
}

// markLoss writes an empty line. At the end of a lane it shows that records are missing there, should the program end before
// it can report them.
func (l *Lane) markLoss() {
	if l.file == nil {
		return
	}
	mark := []byte{'\n', '\n'}
	if !l.isTorn {
		mark = mark[1:]
	}
	if n, _ := l.put(l.file, mark); n > 0 {
		l.bytes += int64(n)
		l.isTorn = false
	}
}

// removeTorn gives back the space of a line that was cut short, because the report of its loss needs it.
func (l *Lane) removeTorn(n int64) {
	info, err := l.file.Stat()
	if err == nil && info.Size() == l.bytes+n && l.file.Truncate(l.bytes) == nil {
		return
	}
	l.bytes += n
	l.records++
	l.isTorn = true
}

// makeRoom opens a part if there is none, or if this one is full or was deleted.
func (l *Lane) makeRoom(length int, first int64, kind Kind, at int64) bool {
	if l.file != nil && at-l.checkedAt >= limits.CheckAfter.Milliseconds() {
		l.checkedAt = at
		if info, err := l.file.Stat(); err == nil && isDeleted(info) {
			l.file.Close()
			l.file = nil
		}
	}
	isFull := l.records > 0 && l.bytes+int64(length) > l.maxBytes
	return l.file != nil && !isFull || l.openPart(first, kind)
}

// openPart continues the lane in a new file. If that fails, the lane continues in the present one, if there is one. Each
// attempt makes a file, so they are apart; the first and the last record are tried in any case.
func (l *Lane) openPart(first int64, kind Kind) bool {
	if kind != KindStart && kind != KindEnd && time.Since(l.triedAt) < limits.ReopenAfter {
		return l.file != nil
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
	if l.IsJoined && l.part == 1 {
		l.markRunning()
	}
	return true
}

// create makes the file of a part with its header, in the first folder where that is possible. The error is that of the
// best folder.
func (l *Lane) create(part int, first int64) (*os.File, []byte, error) {
	folders := []string{l.folder}
	if l.folder == "" {
		folders = l.folders()
	}
	line := l.Header.line(part, first)
	failure := errNoFolder
	for i, folder := range folders {
		file, err := l.createIn(folder, part, line)
		if err == nil {
			l.folder = folder
			return file, line, nil
		}
		if i == 0 {
			failure = err
		}
	}
	return nil, nil, failure
}

func (l *Lane) createIn(folder string, part int, line []byte) (*os.File, error) {
	path := l.path(folder, part)
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | os.O_APPEND
	file, err := os.OpenFile(path, flags, 0o600)
	if os.IsNotExist(err) && os.MkdirAll(folder, 0o700) == nil { // the home was deleted
		file, err = os.OpenFile(path, flags, 0o600)
	}
	if err != nil {
		return nil, err
	}
	n, err := l.put(file, line)
	if n == len(line) {
		return file, nil
	}
	file.Close()
	if os.Remove(path) != nil {
		l.part = part // its name stays in use
	}
	if err == nil {
		err = errCutShort
	}
	return nil, err
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
	if l.IsJoined && l.folder != "" {
		os.Remove(l.runningPath())
	}
	l.closeFile()
}

func (l *Lane) closeFile() {
	l.isClosed = true
	if l.reserve != "" {
		os.Remove(l.reserve)
		l.reserve = ""
	}
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

var (
	errNoFolder = errors.New("there is no folder that this user may write to")
	errCutShort = errors.New("the write was cut short")
)
