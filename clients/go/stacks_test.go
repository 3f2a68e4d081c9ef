//go:build linux || darwin

package datacat

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// ends are ways in which the runtime ends a program. Each is a program that opens a session and never ends it.
var ends = map[string]func(){
	"nil dereference":      func() { var nowhere *point; nowhere.X = 1 },
	"panic in a goroutine": func() { go func() { panic("boom\nin two lines") }(); select {} },
	"concurrent map writes": func() {
		shared := map[int]int{}
		for i := 0; i < 4; i++ {
			go func() {
				for {
					shared[1]++
				}
			}()
		}
		select {}
	},
	"unlock of an unlocked mutex": func() { var mutex sync.Mutex; mutex.Unlock() },
	"stack overflow":              func() { debug.SetMaxStack(1 << 20); recurse(0) },
	"os.Exit":                     func() { os.Exit(7) },
	"SIGTERM":                     func() { syscall.Kill(os.Getpid(), syscall.SIGTERM); time.Sleep(time.Minute) },
}

func recurse(n int) int { return recurse(n+1) + n }

func waitForever() {
	var mutex sync.Mutex
	mutex.Lock()
	mutex.Lock()
}

// hangs are ways in which a program makes no progress until release is closed.
var hangs = map[string]func(release <-chan bool){
	"spin": func(release <-chan bool) { spin(release) },
	"mutex": func(release <-chan bool) {
		var mutex sync.Mutex
		mutex.Lock()
		go func() { <-release; mutex.Unlock() }()
		mutex.Lock()
	},
	"blocked I/O": func(release <-chan bool) {
		reader, writer, _ := os.Pipe()
		go func() { <-release; writer.Close() }()
		reader.Read(make([]byte, 1)) //nolint:errcheck // it ends with the pipe
	},
}

func spin(release <-chan bool) {
	for {
		select {
		case <-release:
			return
		default:
		}
	}
}

const hangTimeout = 150 * time.Millisecond

func init() {
	for name, end := range ends {
		end := end
		programs[name] = func() {
			Open(context.Background(), Options{})
			end()
		}
	}
	// Hangs in each way, with stacks of all goroutines from a third of a second after the last heartbeat on.
	programs["hangs"] = func() {
		s := Open(context.Background(), Options{})
		release := make(chan bool)
		timeout, lasts := hangTimeout, 4*hangTimeout
		if longer, err := time.ParseDuration(os.Getenv("DATACAT_TEST_HANG")); err == nil {
			timeout, lasts = time.Second, longer
		}
		time.AfterFunc(lasts, func() { close(release) })
		s.StartHeartbeatMonitor(timeout)
		done := make(chan bool)
		go func() { // not the first goroutine
			s.Heartbeat()
			hangs[os.Args[1]](release)
			s.Heartbeat()
			close(done)
		}()
		<-done
		s.End()
	}
	programs["a crash output of its own"] = func() {
		file, err := os.Create(filepath.Join(os.Getenv("DATACAT_HOME"), "own"))
		if err != nil || setCrashOutput(file) != nil {
			os.Exit(1)
		}
		Open(context.Background(), Options{})
		panic("boom")
	}
	// Without cgo, whose threads turn the runtime's detection off.
	programs["asleep"] = func() {
		Open(context.Background(), Options{})
		waitForever()
	}
	programs["asleep with a monitor"] = func() {
		s := Open(context.Background(), Options{})
		s.StartHeartbeatMonitor(hangTimeout)
		s.Heartbeat()
		waitForever()
	}
}

// side is the text of the only side file of a kind.
func side(t *testing.T, home, kind string) string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(home, "lanes", "*."+kind))
	if len(paths) != 1 {
		t.Fatalf("%d files of %s", len(paths), kind)
	}
	if info, err := os.Lstat(paths[0]); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs a program, and returns how it ended and what it printed, without what differs between two runs of a program.
func run(t *testing.T, name string, environment ...string) (state, output string) {
	t.Helper()
	command := program(t, name, environment...)
	var both strings.Builder
	command.Stdout, command.Stderr = &both, &both
	err := command.Run()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	return command.ProcessState.String(), differences.ReplaceAllString(both.String(), "N")
}

var differences = regexp.MustCompile(`0x[0-9a-f]+\??|goroutine \d+|m=\d+`)

func TestAFatalErrorIsWrittenBesideTheLaneAndNothingElseChanges(t *testing.T) {
	if !canSetCrashOutput {
		t.Skip("Go before 1.23 has no crash output")
	}
	expected := map[string]string{
		"nil dereference":             "invalid memory address or nil pointer dereference",
		"panic in a goroutine":        "panic: boom\n\tin two lines",
		"concurrent map writes":       "goroutine ",
		"unlock of an unlocked mutex": "sync.fatal",
		"stack overflow":              "runtime.newstack",
		"os.Exit":                     "",
		"SIGTERM":                     "",
	}
	for name := range ends {
		name := name
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			state, output := run(t, name, "DATACAT_HOME="+home)
			plainState, plainOutput := run(t, name, "DATACAT_DISABLED=1")
			if state != plainState || output != plainOutput && name != "concurrent map writes" { // several goroutines print at once
				t.Errorf("with Datacat: %s\n%s\nwithout: %s\n%s", state, output, plainState, plainOutput)
			}
			text := side(t, home, "fatal")
			if !strings.Contains(text, expected[name]) || expected[name] == "" && text != "" {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestACrashOutputOfTheProgramStays(t *testing.T) {
	if !knowsCrashOutput {
		t.Skip("this Go version has no way to ask for it")
	}
	home := t.TempDir()
	run(t, "a crash output of its own", "DATACAT_HOME="+home)
	text, err := os.ReadFile(filepath.Join(home, "own"))
	if err != nil || !strings.Contains(string(text), "panic: boom") {
		t.Errorf("%q %v", text, err)
	}
	if paths, _ := filepath.Glob(filepath.Join(home, "lanes", "*.fatal")); len(paths) > 0 {
		t.Errorf("%v", paths)
	}
}

func TestStacksAreSampledWhileAHeartbeatIsOverdue(t *testing.T) {
	states := map[string]string{"spin": "run", "mutex": "sync.Mutex.Lock", "blocked I/O": "IO wait"}
	for name := range hangs {
		name := name
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			command := program(t, "hangs", "DATACAT_HOME="+home)
			command.Args = append(command.Args, name)
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			samples := strings.Split(side(t, home, "stacks"), "# ")[1:]
			if len(samples) != limits.HangSamples {
				t.Fatalf("%d samples", len(samples))
			}
			for _, sample := range samples {
				_, first, _ := strings.Cut(sample, "\n")
				first, _, _ = strings.Cut(first, "\n\n")
				if !strings.Contains(first, "["+states[name]) || !strings.Contains(first, "created by github.com/datacat/datacat/clients/go/v2.init.0.func2") {
					t.Errorf("the goroutine that sent the heartbeats is not first: %s", sample)
				}
				if strings.Contains(sample, "stackMonitor") || !strings.Contains(sample, "goroutine 1 [") {
					t.Errorf("%s", sample)
				}
			}
		})
	}
}

func TestGoroutinesThatAllWaitAreSampled(t *testing.T) {
	home := t.TempDir()
	command := program(t, "asleep with a monitor", "DATACAT_HOME="+home)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Wait() //nolint:errcheck // it is killed
	defer command.Process.Kill()
	within(t, func() bool {
		paths, _ := filepath.Glob(filepath.Join(home, "lanes", "*.stacks"))
		return len(paths) == 1 && strings.Count(side(t, home, "stacks"), "# ") == limits.HangSamples
	})
	if text := side(t, home, "stacks"); !strings.Contains(text, "waitForever") {
		t.Errorf("%q", text)
	}
}

func TestWithoutStacksThereAreNoSideFiles(t *testing.T) {
	for _, environment := range []string{"DATACAT_STACKS=0", "DATACAT_STACKS=1"} {
		home := t.TempDir()
		if output, err := program(t, "goexit", "DATACAT_HOME="+home, environment).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		paths, _ := filepath.Glob(filepath.Join(home, "lanes", "*.fatal"))
		if want := environment == "DATACAT_STACKS=1" && canSetCrashOutput; (len(paths) == 1) != want {
			t.Errorf("%s: %v", environment, paths)
		}
	}
}

func TestThePauseOfAMonitorIsNoHang(t *testing.T) {
	s := testSession(t)
	s.StartHeartbeatMonitor(20 * time.Millisecond)
	s.Pause()
	time.Sleep(50 * time.Millisecond)
	if info, err := s.stacks.file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("%v %v", info, err)
	}
	s.Resume()
	within(t, func() bool {
		info, err := s.stacks.file.Stat()
		return err == nil && info.Size() > 0
	})
}
