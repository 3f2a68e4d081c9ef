//go:build !windows && !js && !plan9 && !wasip1

package datacat

import (
	"os"
	"syscall"
)

// writeOnce is one write(2): os.File would try again after a short one, and a record that is cut short is given up.
func writeOnce(file *os.File, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(file.Fd()), b)
		if err != syscall.EINTR { // nothing was written yet
			return n, err
		}
	}
}

func isFileTooLarge(err error) bool { return err == syscall.EFBIG }

// isOurs tells whether a folder belongs to this user, or to nobody else at least.
func isOurs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(stat.Uid) == os.Getuid()
}
