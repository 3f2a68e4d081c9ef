package lane

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// Record is one op while it is written: its JSON from `"op":` to the closing brace, after room for what the lane or the
// queue puts before it. Keys come in the order of src/core/wire.ts, and a member without a value is left out.
type Record struct {
	encode.Encoder
	Kind Kind
}

// Kind is the kind of an op. A full queue drops metrics first.
type Kind uint8

// The kinds of ops. KindEnd is also a crash: the last record of a session.
const (
	KindStart Kind = iota
	KindState
	KindEvent
	KindMetric
	KindHeartbeat
	KindDropped
	KindAttachment
	KindEnd
)

// recordBytes is the usual length of a record, which its buffer begins with.
const recordBytes = 512

// NewRecord makes an empty record.
func NewRecord() *Record {
	return &Record{Encoder: encode.Encoder{Buf: make([]byte, room, recordBytes)}}
}

// Reset empties the record for another op.
func (r *Record) Reset() {
	r.Encoder.Reset()
	r.Buf = r.Buf[:room]
}

// Begin starts an op. op is the JSON of its name and of any members that are constant.
func (r *Record) Begin(kind Kind, op string) {
	r.Kind = kind
	r.Buf = append(append(r.Buf[:room], `"op":`...), op...)
}

// attachmentID is the id in the op of an attachment, whose first member it is.
func (r *Record) attachmentID() string {
	id := r.Op()[len(`"op":"attachment","id":"`):]
	return string(id[:bytes.IndexByte(id, '"')])
}

// Finish ends the op.
func (r *Record) Finish() { r.Buf = append(r.Buf, '}') }

// Op is what was written so far.
func (r *Record) Op() []byte { return r.Buf[room:] }

// Dropped writes the whole op that counts a loss.
func (r *Record) Dropped(cause string, count int, detail string) {
	r.BeginDropped(cause, count, detail)
	r.Finish()
}

// BeginDropped starts the op that counts a loss.
func (r *Record) BeginDropped(cause string, count int, detail string) {
	r.Begin(KindDropped, `"dropped","cause":`)
	r.Buf = encode.AppendString(r.Buf, cause)
	r.Whole(`,"count":`, count)
	r.Text(`,"detail":`, detail)
}

// Text writes a member of any length.
func (r *Record) Text(key, value string) {
	if value != "" {
		r.Buf = encode.AppendString(append(r.Buf, key...), secrets.Clean(value))
	}
}

// Long writes a member of an event, which is cut where it is over the limit.
func (r *Record) Long(key, value string) {
	if value != "" {
		if !secrets.Keeps(key[len(`,"`) : len(key)-len(`":`)]) {
			value = secrets.CleanUpTo(value, limits.MaxOpBytes)
		}
		r.Buf = encode.AppendString(append(r.Buf, key...), value)
	}
}

// Whole writes an integer.
func (r *Record) Whole(key string, value int) {
	r.Buf = strconv.AppendInt(append(r.Buf, key...), int64(value), 10)
}

// Name writes a member that the server bounds. field is what a loss calls it.
func (r *Record) Name(field, key, value string) {
	if value != "" {
		r.Buf = append(r.Buf, key...)
		r.NameValue(field, value)
	}
}

// NameValue writes a bounded text without a key. An empty text is written as well.
func (r *Record) NameValue(field, value string) {
	kept, isCut := encode.CutText(value, limits.MaxName)
	if isCut {
		r.Lose("too_large", field)
	}
	r.Buf = encode.AppendString(r.Buf, kept)
}

// Labels writes a list of texts that the server bounds in number and length.
func (r *Record) Labels(field, key string, labels []string) {
	if len(labels) == 0 {
		return
	}
	isCut := len(labels) > limits.MaxLabels
	if isCut {
		labels = labels[:limits.MaxLabels]
	}
	r.Buf = append(append(r.Buf, key...), '[')
	for i, label := range labels {
		if i > 0 {
			r.Buf = append(r.Buf, ',')
		}
		kept, isShort := encode.CutText(label, limits.MaxLabel)
		isCut = isCut || isShort
		if !strings.HasPrefix(field, "metric") { // the tags of a series identify it
			kept = secrets.Clean(kept)
		}
		r.Buf = encode.AppendString(r.Buf, kept)
	}
	r.Buf = append(r.Buf, ']')
	if isCut {
		r.Lose("too_large", field)
	}
}

// Data writes a free-form object unless it is empty. root is the first step of the paths of its losses.
func (r *Record) Data(key, root string, value any) {
	if value == nil {
		return
	}
	before := len(r.Buf)
	r.Buf = append(r.Buf, key...)
	r.Object(root, value)
	if string(r.Buf[before+len(key):]) == "{}" {
		r.Buf = r.Buf[:before]
	}
}

// Lose adds a loss: its cause, and the name or path of what is lost.
func (r *Record) Lose(cause, detail string) {
	r.Losses = append(r.Losses, encode.Loss{Cause: cause, Detail: detail})
}

// LoseSize adds the loss of something that is too long.
func (r *Record) LoseSize(name string, bytes int) {
	r.Lose("too_large", name+": "+strconv.Itoa(bytes)+" bytes")
}

// Cut shortens a finished op to the longest that the server accepts.
func (r *Record) Cut() { r.Buf = encode.CutStrings(r.Buf, room, limits.MaxOpBytes) }
