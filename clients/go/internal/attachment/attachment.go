// Package attachment copies the content of attachments, in blocks, so that the memory is bounded (clients/README.md,
// "Attachments").
package attachment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Lost is content that is not stored. Detail is the loss's, and empty if the loss is counted already. Reason continues the
// sentence "NAME was not attached: …".
type Lost struct{ Cause, Detail, Reason string }

// Source is content: bytes, or if there are none the path of a file.
type Source struct {
	Bytes []byte
	Path  string
}

// CopyTo copies the content to a new file, or leaves none. It returns its size and SHA-256; or why it cannot be read; or the
// error of the disk.
func (s Source) CopyTo(path string) (size int64, sum string, lost *Lost, err error) {
	source, lost := s.open()
	if lost != nil {
		return 0, "", lost, nil
	}
	defer source.close()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return 0, "", nil, err
	}
	size, sum, lost, err = source.copy(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if lost != nil || err != nil {
		os.Remove(path)
	}
	return size, sum, lost, err
}

// Read returns a copy of the content in memory, with its SHA-256.
func (s Source) Read() (content []byte, sum string, lost *Lost) {
	source, lost := s.open()
	if lost != nil {
		return nil, "", lost
	}
	defer source.close()
	var copied bytes.Buffer
	_, sum, lost, _ = source.copy(&copied) // memory has no error
	return copied.Bytes(), sum, lost
}

type reader struct {
	io.Reader
	file *os.File
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// open checks the kind and the size. A file is read to its end, at most up to the limit: one that grows meanwhile is recorded
// as far as it was read.
func (s Source) open() (*reader, *Lost) {
	if s.Bytes != nil {
		if len(s.Bytes) > limits.MaxAttachmentBytes {
			return nil, tooLarge(int64(len(s.Bytes)))
		}
		return &reader{Reader: bytes.NewReader(s.Bytes)}, nil
	}
	// A pipe in place of a file would block without noWait.
	file, err := os.OpenFile(s.Path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, unreadable(reason(err))
	}
	info, err := file.Stat()
	lost := (*Lost)(nil)
	switch {
	case err != nil:
		lost = unreadable(reason(err))
	case !info.Mode().IsRegular():
		lost = unreadable("it is not a regular file")
	case info.Size() > limits.MaxAttachmentBytes:
		lost = tooLarge(info.Size())
	}
	if lost != nil {
		file.Close()
		return nil, lost
	}
	return &reader{Reader: io.LimitReader(file, limits.MaxAttachmentBytes), file: file}, nil
}

func (r *reader) copy(to io.Writer) (size int64, sum string, lost *Lost, err error) {
	checksum := sha256.New()
	block := make([]byte, limits.BlockBytes)
	for {
		n, readErr := r.Read(block)
		if n > 0 {
			checksum.Write(block[:n])
			if _, err := to.Write(block[:n]); err != nil {
				return 0, "", nil, err
			}
			size += int64(n)
		}
		if readErr == io.EOF {
			return size, hex.EncodeToString(checksum.Sum(nil)), nil, nil
		}
		if readErr != nil {
			return 0, "", unreadable(reason(readErr)), nil
		}
	}
}

func tooLarge(size int64) *Lost {
	bytes := strconv.FormatInt(size, 10)
	most := strconv.Itoa(limits.MaxAttachmentBytes)
	return &Lost{"too_large", bytes + " bytes", "it has " + bytes + " bytes, and " + most + " are the most"}
}

func unreadable(detail string) *Lost {
	return &Lost{"unreadable", detail, "it could not be read: " + detail}
}

// reason is the text of an error without the path.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
