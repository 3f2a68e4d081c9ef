package datacat

import "syscall"

const (
	detachedProcess = 0x00000008
	queryLimited    = 0x1000
	stillActive     = 259
)

// detached: no console and a process group of its own, so that closing ours does not end the daemon.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}

func isAlive(pid int) bool {
	process, err := syscall.OpenProcess(queryLimited, false, uint32(pid))
	if err != nil {
		return err == syscall.ERROR_ACCESS_DENIED
	}
	defer syscall.CloseHandle(process)
	var code uint32
	return syscall.GetExitCodeProcess(process, &code) != nil || code == stillActive
}
