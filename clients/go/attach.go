package datacat

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/attachment"
	"github.com/datacat/datacat/clients/go/v2/internal/direct"
	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// Content is what Attach attaches: Bytes or Path.
type Content struct {
	bytes []byte
	path  string
}

// Bytes are content in memory. They are copied before Attach returns.
func Bytes(b []byte) Content {
	if b == nil {
		b = []byte{}
	}
	return Content{bytes: b}
}

// Path is a regular file. It is copied before Attach returns, so that it may be changed or removed then.
func Path(path string) Content { return Content{path: path} }

// AttachOption is an option of Attach: MediaType.
type AttachOption struct{ mediaType string }

// MediaType is the type of an attachment, e.g. "image/png". Default: by the extension of its name, else
// application/octet-stream.
func MediaType(mediaType string) AttachOption { return AttachOption{mediaType} }

// Attach attaches a file or bytes: a screenshot, a log, a saved game. At most 10 MiB each; 50 MiB and 200 of them a session.
// name is shown on the session's page and used for downloads ("screenshot.png"), at most 256 characters.
//
// When Attach returns, the content is on the disk, so that neither the end of the program nor kill -9 loses it; in direct mode
// it waits in memory. It may be called while the program crashes, in a deferred function for example. A file that grows
// meanwhile is recorded as far as it was read. What cannot be attached is counted, and an event attachment_lost names it.
func (s *Session) Attach(name string, content Content, options ...AttachOption) {
	if !s.ready() {
		return
	}
	a := attached{name: name}
	for _, option := range options {
		a.mediaType = option.mediaType
	}
	var lost *attachment.Lost
	now := s.clock()
	s.record(now, func(r *lane.Record) bool {
		lost = s.store(r, content, &a, now)
		if lost == nil {
			a.write(r)
			return true
		}
		if lost.Detail != "" {
			r.Lose(lost.Cause, secrets.Clean(a.cutName())+": "+lost.Detail)
		}
		return false
	})
	if lost == nil && a.path != "" {
		if l, ok := s.sink.(*lane.Lane); ok {
			lost = l.KeepAttachment(a.id, a.path)
		}
	}
	if lost == nil && a.content != nil {
		s.sink.(*direct.Queue).Upload(a.id, a.content) // store has used it
	}
	if lost != nil {
		s.logLost(&a, lost, now)
	}
}

// attached is one attachment while it is recorded.
type attached struct {
	name, mediaType string
	id              string
	path            string // of the content beside the lane
	content         []byte // in direct mode
	size            int64
	sha256          string
}

// store copies the content beside the lane or, in direct mode, into memory.
func (s *Session) store(r *lane.Record, content Content, a *attached, now time.Time) *attachment.Lost {
	source := attachment.Source{Bytes: content.bytes, Path: content.path}
	switch sink := s.sink.(type) {
	case *lane.Lane:
		var err error
		if a.id, a.path, err = sink.NewAttachment(); err == nil {
			var lost *attachment.Lost
			a.size, a.sha256, lost, err = source.CopyTo(a.path)
			if lost != nil {
				a.path = ""
				return lost
			}
		}
		if err != nil {
			a.path = ""
			s.count(sink.LoseAttachment(err, now.UnixMilli()))
			return sink.NotWritten(err)
		}
	case *direct.Queue:
		data, sum, lost := source.Read()
		if lost == nil {
			lost = sink.Reserve(len(data))
		}
		if lost != nil {
			return lost
		}
		a.id, a.content, a.size, a.sha256 = lane.NewID(now), data, int64(len(data)), sum
	}
	return nil
}

// write writes the op, with its members in the order of src/core/wire.ts.
func (a *attached) write(r *lane.Record) {
	r.Begin(lane.KindAttachment, `"attachment","id":`)
	r.Buf = encode.AppendString(r.Buf, a.id)
	name := a.cutName()
	if name != a.name && a.name != "" {
		r.Lose("too_large", "attachment.name")
	}
	r.Buf = encode.AppendString(append(r.Buf, `,"name":`...), secrets.Clean(name))
	r.Buf = encode.AppendString(append(r.Buf, `,"type":`...), secrets.Clean(mediaTypeOf(name, a.mediaType)))
	r.Buf = strconv.AppendInt(append(r.Buf, `,"size":`...), a.size, 10)
	r.Buf = encode.AppendString(append(r.Buf, `,"sha256":`...), a.sha256)
	r.Finish()
}

func (a *attached) cutName() string {
	kept, _ := encode.CutText(a.name, limits.MaxName)
	return firstOf(kept, "attachment")
}

// logLost records the event that names an attachment whose content is lost.
func (s *Session) logLost(a *attached, lost *attachment.Lost, now time.Time) {
	shown := secrets.Clean(a.cutName())
	s.log(&Event{
		Name: "attachment_lost", Category: Warning, Time: now,
		Message: shown + " was not attached: " + lost.Reason,
		Data:    Object{{Key: "attachment", Value: shown}, {Key: "cause", Value: lost.Cause}},
	})
}

// mediaTypeOf is the asked type unless the server would refuse it, else that of the name's extension.
func mediaTypeOf(name, asked string) string {
	if len(asked) <= limits.MaxMediaType && mediaType.MatchString(asked) {
		return asked
	}
	extension := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if known, ok := limits.MediaTypes[extension]; ok {
		return known
	}
	return limits.DefaultMediaType
}

var mediaType = regexp.MustCompile(`^[A-Za-z0-9_!#$&^.+-]+/[A-Za-z0-9_!#$&^.+-]+(?:; ?[ -~]+)?$`)
