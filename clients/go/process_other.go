//go:build !linux

package datacat

import (
	"crypto/md5"
	"encoding/hex"
	"net"
	"sort"
	"strings"
)

// startOf: the daemon asks the system, where that takes a command.
func startOf(int) string { return "" }

func isZombie(int) bool { return false }

func bootID() string { return "" }

func machineID() string {
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

func monotonicMs() int64 { return sinceStart().Milliseconds() }
