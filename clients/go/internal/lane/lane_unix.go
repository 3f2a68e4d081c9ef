//go:build !windows && !js && !plan9 && !wasip1

package lane

import (
	"os"
	"syscall"
)

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

// isOurs reports whether a folder belongs to this user. It is true where the system does not give the owner.
func isOurs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(stat.Uid) == os.Getuid()
}
