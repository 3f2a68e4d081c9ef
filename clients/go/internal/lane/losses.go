package lane

import (
	"errors"
	"os"
	"strconv"
)

// losses are the records that could not be written, by cause, until records that report them can be written.
type losses []loss

type loss struct {
	cause, detail   string
	count           int
	firstAt, lastAt int64
}

// add counts a record that could not be written at a time because of an error.
func (l *losses) add(err error, at int64) {
	cause := causeOf(err)
	for i := range *l {
		known := &(*l)[i]
		if known.cause != cause {
			continue
		}
		known.count++
		if at < known.firstAt {
			known.firstAt = at
		}
		if at > known.lastAt {
			known.lastAt = at
		}
		return
	}
	*l = append(*l, loss{cause: cause, detail: reason(err), count: 1, firstAt: at, lastAt: at})
}

// report is the whole record that counts a loss.
func (l *loss) report() []byte {
	r := NewRecord()
	r.BeginDropped(l.cause, l.count, l.detail)
	r.Buf = strconv.AppendInt(append(r.Buf, `,"first_at":`...), l.firstAt, 10)
	r.Buf = strconv.AppendInt(append(r.Buf, `,"last_at":`...), l.lastAt, 10)
	r.Finish()
	return append(r.Buf, '\n')
}

// causeOf is what the error of a system call means, the same in every client.
func causeOf(err error) string {
	switch {
	case err == nil, errors.Is(err, errCutShort), isNoSpace(err):
		return "disk_full"
	case isReadOnly(err):
		return "read_only"
	case errors.Is(err, os.ErrPermission):
		return "no_permission"
	}
	return "write_failed"
}

// reason is the text of an error without the path of the lane, which does not help a reader of the session.
func reason(err error) string {
	if err == nil || errors.Is(err, errCutShort) {
		return "no space left on device"
	}
	if path, ok := err.(*os.PathError); ok {
		return path.Err.Error()
	}
	return err.Error()
}
