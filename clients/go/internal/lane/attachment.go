package lane

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/datacat/datacat/clients/go/v2/internal/attachment"
)

// NewAttachment is the id of the next attachment, and the path of its content beside the lane. The error is that of opening the
// lane's first part.
func (l *Lane) NewAttachment() (id, path string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attachments++
	id = l.Header.Lane + "." + strconv.Itoa(l.attachments)
	if l.folder == "" { // a program that joined a session may have recorded nothing yet
		first := l.sequence + 1
		if l.start != nil {
			first = 1
		}
		if !l.openPart(first, KindAttachment) {
			return id, "", l.failure
		}
	}
	return id, filepath.Join(l.folder, id+".attachment"), nil
}

// LoseAttachment counts an attachment whose content could not be written, as a lost op. It returns the cause.
func (l *Lane) LoseAttachment(err error, at int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sequence++
	if len(l.losses) == 0 && l.start == nil {
		l.markLoss()
	}
	l.failure = err
	l.losses.add(err, at)
	return causeOf(err)
}

// NotWritten describes content that the disk did not take.
func (l *Lane) NotWritten(err error) *attachment.Lost {
	return &attachment.Lost{Cause: causeOf(err), Reason: "it could not be written: " + reason(err)}
}

// KeepAttachment removes the content of an attachment whose op was lost. It returns that loss, which is counted already.
func (l *Lane) KeepAttachment(id, path string) *attachment.Lost {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lostAttachments[id] {
		return nil
	}
	delete(l.lostAttachments, id)
	os.Remove(path)
	return l.NotWritten(l.failure)
}

// noteLost marks the attachment of an op that could not be written.
func (l *Lane) noteLost(r *Record) {
	if r.Kind != KindAttachment {
		return
	}
	if l.lostAttachments == nil {
		l.lostAttachments = map[string]bool{}
	}
	l.lostAttachments[r.attachmentID()] = true
}
