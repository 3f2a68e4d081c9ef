//go:build !linux

package process

import (
	"crypto/md5"
	"encoding/hex"
	"net"
	"sort"
	"strings"
)

// StartOf is unknown here. The daemon finds it with a command, which would take too long in a program.
func StartOf(int) string { return "" }

// IsZombie is false: finding out would take a command.
func IsZombie(int) bool { return false }

// BootID is unknown.
func BootID() string { return "" }

// MachineID is the MD5 of the first interface's hardware address, in the order of the interfaces' indices, as in 1.x.
func MachineID() string {
	interfaces, _ := net.Interfaces()
	sort.Slice(interfaces, func(i, j int) bool { return interfaces[i].Index < interfaces[j].Index })
	for _, each := range interfaces {
		address := each.HardwareAddr.String()
		if each.Flags&net.FlagLoopback == 0 && strings.Trim(address, "0:") != "" {
			sum := md5.Sum([]byte(address))
			return hex.EncodeToString(sum[:])
		}
	}
	return ""
}

// MonotonicMs is the time since the program started, in milliseconds. It does not jump when the wall clock is set.
func MonotonicMs() int64 { return sinceLoaded() }
