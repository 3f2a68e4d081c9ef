//go:build !windows && !js && !plan9 && !wasip1

package lane

import (
	"errors"
	"os"
	"syscall"
)

// noFollow refuses a link in place of a file.
const noFollow = syscall.O_NOFOLLOW

// WriteOnce makes one write(2). os.File would repeat it after a short write; the lane counts the record as lost instead.
func WriteOnce(file *os.File, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(file.Fd()), b)
		if err != syscall.EINTR { // after EINTR nothing is written
			return n, err
		}
	}
}

func isFileTooLarge(err error) bool { return err == syscall.EFBIG }

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// mayWrite reports whether this user may make files in a folder.
func mayWrite(folder string) bool {
	const writeAndSearch = 2 | 1 // W_OK and X_OK of access(2)
	return syscall.Access(folder, writeAndSearch) == nil
}

// isDeleted reports whether an open file has no name any more: what is written to it would be lost.
func isDeleted(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// isOurs reports whether a folder belongs to this user. It is true where the system does not give the owner.
func isOurs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(stat.Uid) == os.Getuid()
}
