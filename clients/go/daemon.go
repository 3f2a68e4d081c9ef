package datacat

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// loaded is the moment this package was, by the monotonic clock.
var loaded = time.Now()

func sinceStart() time.Duration { return time.Since(loaded) }

// ensureDaemon starts the daemon unless one serves this home (clients/README.md, "Waking the daemon"). It is not waited
// for: with none to be found, or one that fails, the lane stays until the next one runs.
func ensureDaemon(home string, now time.Time) {
	executable := os.Getenv("DATACAT_DAEMON")
	if home == "" || executable == "off" || isServed(home) || !isFirst(home, now) {
		return
	}
	if executable == "" {
		executable = "datacat-daemon"
	}
	path, err := exec.LookPath(executable)
	if err != nil {
		return
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	command := exec.Command(path) // with no streams given, all three are the null device
	command.Env = append(os.Environ(), "DATACAT_HOME="+home)
	command.Dir = home // it must not hold on to ours
	command.SysProcAttr = detached()
	if command.Start() == nil {
		go command.Wait() //nolint:errcheck // only so that it leaves no zombie should it end before this process
	}
}

// isServed tells whether daemon.json names a living process.
func isServed(home string) bool {
	var daemon struct {
		Pid        int    `json:"pid"`
		PidStarted string `json:"pid_started"`
	}
	text, err := os.ReadFile(filepath.Join(home, "daemon.json"))
	if err != nil || json.Unmarshal(text, &daemon) != nil || daemon.Pid <= 0 || !isAlive(daemon.Pid) || isZombie(daemon.Pid) {
		return false
	}
	started := startOf(daemon.Pid)
	return started == "" || daemon.PidStarted == "" || started == daemon.PidStarted
}

var (
	startsMu sync.Mutex
	starts   = map[string]time.Time{}
)

// isFirst keeps a program that opens many sessions at once from starting as many daemons.
func isFirst(home string, now time.Time) bool {
	startsMu.Lock()
	defer startsMu.Unlock()
	if since := now.Sub(starts[home]); since >= 0 && since < restartAfter {
		return false
	}
	starts[home] = now
	return true
}
