//go:build linux || darwin

package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/process"
)

func TestAHomeIsServedWhileItsDaemonRuns(t *testing.T) {
	home := t.TempDir()
	announce := func(pid int, started string) {
		text := fmt.Sprintf(`{"pid":%d,"pid_started":%q,"port":8079,"version":"2.0.0"}`, pid, started)
		if err := os.WriteFile(filepath.Join(home, "daemon.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if IsServed(home) {
		t.Error("served without daemon.json")
	}
	announce(os.Getpid(), process.StartOf(os.Getpid()))
	if !IsServed(home) {
		t.Error("not served by this process")
	}
	hasProc := process.StartOf(os.Getpid()) != ""
	if announce(os.Getpid(), "1"); hasProc && IsServed(home) {
		t.Error("served by an earlier process with this pid")
	}

	command := exec.Command("true")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	for until := time.Now().Add(20 * time.Second); hasProc && !process.IsZombie(command.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the process does not exit")
		}
	}
	if announce(command.Process.Pid, process.StartOf(command.Process.Pid)); hasProc && IsServed(home) {
		t.Error("served by a zombie")
	}
}

func TestADaemonGetsNothingThatNamesFilesOfTheProgramsFolder(t *testing.T) {
	t.Setenv("NODE_OPTIONS", "--require ./hook.js")
	t.Setenv("DATACAT_CONFIG", "daemon_config.json")
	t.Setenv("DATACAT_KEY", "kept")
	found := map[string]bool{}
	for _, variable := range Environ() {
		found[variable] = true
	}
	if found["NODE_OPTIONS=--require ./hook.js"] || found["DATACAT_CONFIG=daemon_config.json"] || !found["DATACAT_KEY=kept"] {
		t.Error(found)
	}
}
