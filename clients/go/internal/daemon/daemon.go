// Package daemon starts the Datacat daemon where none runs (clients/README.md, "Starting the daemon").
package daemon

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/process"
)

// Ensure starts the daemon unless one serves this home. It does not wait for the daemon: if none is found, or it fails, the
// lane stays until one runs.
func Ensure(home string, now time.Time) {
	if home == "" || os.Getenv("DATACAT_DAEMON") == "off" || IsServed(home) || !mayStart(home, now) {
		return
	}
	path := Find()
	if path == "" {
		return
	}
	command := exec.Command(path) // without streams of its own: all three are the null device
	command.Env = append(Environ(), "DATACAT_HOME="+home)
	command.Dir = home // in the program's folder it would keep that from being removed or unmounted
	command.SysProcAttr = process.Detached()
	if command.Start() == nil {
		go command.Wait() //nolint:errcheck // it only prevents a zombie should the daemon exit first
	}
}

// Environ is the environment of a daemon: that of the program without what may name files of its folder, which may be a
// stranger's: modules that the runtime loads first, and the configuration of 1.x's daemon.
func Environ() []string {
	var kept []string
	for _, variable := range os.Environ() {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "NODE_OPTIONS", "BUN_OPTIONS", "DATACAT_CONFIG":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}

// IsServed reports whether daemon.json names a process that exists.
func IsServed(home string) bool {
	var daemon struct {
		Pid        int    `json:"pid"`
		PidStarted string `json:"pid_started"`
	}
	text, err := os.ReadFile(filepath.Join(home, "daemon.json"))
	if err != nil || json.Unmarshal(text, &daemon) != nil || daemon.Pid <= 0 {
		return false
	}
	if !process.IsAlive(daemon.Pid) || process.IsZombie(daemon.Pid) {
		return false
	}
	started := process.StartOf(daemon.Pid)
	return started == "" || daemon.PidStarted == "" || started == daemon.PidStarted
}

var (
	startsMu sync.Mutex
	starts   = map[string]time.Time{} // by home
)

// mayStart reports whether this process has not started a daemon for the home just now. A program may open many sessions
// at once.
func mayStart(home string, now time.Time) bool {
	startsMu.Lock()
	defer startsMu.Unlock()
	if since := now.Sub(starts[home]); since >= 0 && since < limits.RestartAfter {
		return false
	}
	starts[home] = now
	return true
}
