package process

import "syscall"

// Constants of the Windows API that package syscall lacks.
const (
	detachedProcess         = 0x00000008 // DETACHED_PROCESS
	queryLimitedInformation = 0x1000     // PROCESS_QUERY_LIMITED_INFORMATION
	stillActive             = 259        // STILL_ACTIVE
)

// Detached starts a process without a console and in a process group of its own, so that it survives the program's console.
func Detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}

// IsAlive reports whether a process exists. One that may not be opened exists too.
func IsAlive(pid int) bool {
	handle, err := syscall.OpenProcess(queryLimitedInformation, false, uint32(pid))
	if err != nil {
		return err == syscall.ERROR_ACCESS_DENIED
	}
	defer syscall.CloseHandle(handle)
	var code uint32
	return syscall.GetExitCodeProcess(handle, &code) != nil || code == stillActive
}
