package datacat

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// thisProcess is found once: none of it changes while the process lives.
func thisProcess() writer {
	processFacts.Do(func() {
		hostname, _ := os.Hostname()
		program, arguments := "", []string(nil)
		if len(os.Args) > 0 { // whoever starts a process may give it none
			program, arguments = filepath.Base(os.Args[0]), withoutSecrets(os.Args[1:])
		}
		facts = writer{
			program:    program,
			arguments:  arguments,
			language:   "go " + strings.TrimPrefix(runtime.Version(), "go"),
			client:     "datacat-go " + Version,
			pid:        os.Getpid(),
			pidStarted: startOf(os.Getpid()),
			parentPid:  os.Getppid(),
			machineID:  machineID(),
			bootID:     bootID(),
			hostname:   hostname,
			os:         runtime.GOOS + " " + architecture(),
			user:       firstOf(os.Getenv("USER"), os.Getenv("LOGNAME"), os.Getenv("USERNAME")),
		}
	})
	return facts
}

var (
	processFacts sync.Once
	facts        writer
)

// architecture is the processor's name as `uname -m` says it.
func architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "386":
		return "i686"
	case "arm64":
		if runtime.GOOS == "linux" {
			return "aarch64"
		}
	}
	return runtime.GOARCH
}
