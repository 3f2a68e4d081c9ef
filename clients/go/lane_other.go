//go:build windows || js || plan9 || wasip1

package datacat

import "os"

func writeOnce(file *os.File, b []byte) (int, error) { return file.Write(b) }

func isFileTooLarge(error) bool { return false }

// isOurs: on these systems a profile's folder is its user's by its permissions.
func isOurs(os.FileInfo) bool { return true }
