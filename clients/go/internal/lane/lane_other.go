//go:build windows || js || plan9 || wasip1

package lane

import "os"

// WriteOnce writes to a file.
func WriteOnce(file *os.File, b []byte) (int, error) { return file.Write(b) }

func isFileTooLarge(error) bool { return false }

// isOurs is true: on these systems the permissions of a profile's folder keep other users out.
func isOurs(os.FileInfo) bool { return true }
