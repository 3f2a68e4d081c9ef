//go:build windows || js || plan9 || wasip1

package lane

import (
	"errors"
	"os"
	"syscall"
)

// noFollow is nothing: these systems have no such flag.
const noFollow = 0

// WriteOnce writes to a file.
func WriteOnce(file *os.File, b []byte) (int, error) { return file.Write(b) }

func isFileTooLarge(error) bool { return false }

// isNoSpace knows the errors of a full disk on Windows: ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}

// isReadOnly is false: these systems report a missing permission.
func isReadOnly(error) bool { return false }

// mayWrite is true: whether it may shows when a file is made.
func mayWrite(string) bool { return true }

// isDeleted is false: on Windows a file that is open cannot be deleted.
func isDeleted(os.FileInfo) bool { return false }

// isOurs is true: on these systems the permissions of a profile's folder keep other users out.
func isOurs(os.FileInfo) bool { return true }
