package process

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// StartOf is when a process started: field 22 of /proc/<pid>/stat. It differs between two processes that had one pid.
func StartOf(pid int) string {
	if stat := statOf(pid); len(stat) >= 20 {
		return stat[19]
	}
	return ""
}

// IsZombie reports whether a process has exited and its parent has not waited for it yet.
func IsZombie(pid int) bool {
	stat := statOf(pid)
	return len(stat) > 0 && stat[0] == "Z"
}

// statOf lists the fields of /proc/<pid>/stat from the third. The second is the name in parentheses, which may contain
// blanks and parentheses.
func statOf(pid int) []string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
}

// BootID identifies the time between two boots of the machine.
func BootID() string { return readLine("/proc/sys/kernel/random/boot_id") }

// MachineID is the MD5 of the first interface's hardware address, in the order of the interfaces' indices, as in 1.x.
func MachineID() string {
	type hardware struct {
		index   int
		address string
	}
	var found []hardware
	names, _ := os.ReadDir("/sys/class/net")
	for _, name := range names {
		folder := "/sys/class/net/" + name.Name()
		index, err := strconv.Atoi(readLine(folder + "/ifindex"))
		address := strings.ToLower(readLine(folder + "/address"))
		flags, _ := strconv.ParseUint(strings.TrimPrefix(readLine(folder+"/flags"), "0x"), 16, 64)
		if err == nil && flags&syscall.IFF_LOOPBACK == 0 && strings.Trim(address, "0:") != "" {
			found = append(found, hardware{index, address})
		}
	}
	if len(found) == 0 {
		return ""
	}
	sort.Slice(found, func(i, j int) bool { return found[i].index < found[j].index })
	sum := md5.Sum([]byte(found[0].address))
	return hex.EncodeToString(sum[:])
}

func readLine(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}

// MonotonicMs is CLOCK_MONOTONIC in milliseconds. It does not jump when the wall clock is set.
func MonotonicMs() int64 {
	var now syscall.Timespec
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0); failed != 0 {
		return sinceLoaded()
	}
	return now.Nano() / int64(time.Millisecond)
}
