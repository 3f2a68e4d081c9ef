//go:build linux || darwin

package datacat

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lanetest"
)

// TestMain runs the test binary as the program that is recorded, if DATACAT_TEST_PROGRAM names one.
func TestMain(m *testing.M) {
	program, ok := programs[os.Getenv("DATACAT_TEST_PROGRAM")]
	if !ok {
		os.Exit(m.Run())
	}
	program()
}

var programs = map[string]func(){
	// Prints the number of each record after its call has returned, until it is killed.
	"endless": func() {
		s := Open(context.Background(), Options{})
		for i := 2; ; i++ {
			switch i % 3 {
			case 0:
				s.Gauge("g", float64(i))
			case 1:
				s.LogEvent("e", Data{"i": i})
			default:
				s.UpdateState(Data{"i": i})
			}
			fmt.Println(i)
		}
	},
	// Writes more than the largest file that the process may have.
	"limited": func() {
		limit := syscall.Rlimit{Cur: 4096, Max: 4096}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
		s := Open(context.Background(), Options{})
		for i := 0; i < 500; i++ {
			s.LogEvent("e", Data{"i": i})
		}
		s.End()
		fmt.Println(s.ID(), s.Stats().Dropped["disk_full"])
	},
	// Runs without input, output and working directory.
	"homeless": func() {
		os.Stdin.Close()
		os.Stdout.Close()
		folder, _ := os.MkdirTemp("", "")
		os.Chdir(folder)
		os.Remove(folder)
		s := Open(context.Background(), Options{})
		s.LogEvent("here", nil)
		s.End()
		fmt.Fprint(os.Stderr, s.Stats().Records)
	},
	// Makes the calls of golden files in real sessions, and prints the id of each session.
	"golden": func() {
		for _, file := range filepath.SplitList(os.Getenv("DATACAT_TEST_GOLDEN")) {
			fmt.Println(playGolden(file, os.Getenv("DATACAT_TEST_DIRECT") != ""))
		}
	},
	"panic": func() {
		s := Open(context.Background(), Options{})
		defer s.End()
		defer s.Recover()
		var nowhere *point
		nowhere.X = 1
	},
	// Attaches in a deferred function while it panics.
	"attach and panic": func() {
		s := Open(context.Background(), Options{})
		defer s.End()
		defer s.Recover()
		defer func() {
			if value := recover(); value != nil {
				s.Attach("screen.png", Bytes([]byte("shown")))
				panic(value)
			}
		}()
		var nowhere *point
		nowhere.X = 1
	},
	// Attaches from several goroutines at once.
	"attach at once": func() {
		s := Open(context.Background(), Options{})
		defer s.End()
		var working sync.WaitGroup
		for _, letter := range "ab" {
			working.Add(1)
			go func(letter string) {
				defer working.Done()
				for n := 1; n <= 40; n++ {
					s.Attach(fmt.Sprint(letter, n), Bytes(bytes.Repeat([]byte(letter), 5000*n)))
				}
			}(string(letter))
		}
		working.Wait()
	},
	// Panics with nil, for which recover returns the same as for no panic before Go 1.21.
	"panic with nil": func() {
		s := Open(context.Background(), Options{})
		defer s.End()
		func() {
			defer s.Recover() // no panic
		}()
		func() {
			defer s.Recover()
			panic(nil)
		}()
		fmt.Println("it continued")
	},
	// Ends a goroutine without a panic.
	"goexit": func() {
		s := Open(context.Background(), Options{})
		left := make(chan bool)
		go func() {
			defer close(left)
			defer s.Recover()
			runtime.Goexit()
		}()
		<-left
		s.LogEvent("went on", nil)
		s.End()
	},
	// Is a daemon that writes its process, session and folder to a file, and runs for a moment.
	"daemon": func() {
		home := os.Getenv("DATACAT_HOME")
		folder, _ := os.Getwd()
		session, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
		lines := []string{strconv.Itoa(os.Getpid()), strconv.Itoa(int(session)), folder}
		os.WriteFile(filepath.Join(home, "started.tmp"), []byte(strings.Join(lines, "\n")), 0o600)
		os.Rename(filepath.Join(home, "started.tmp"), filepath.Join(home, "started"))
		time.Sleep(300 * time.Millisecond)
	},
}

func playGolden(file string, direct bool) string {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var golden struct{ Environment map[string]string }
	if err := json.Unmarshal(text, &golden); err != nil {
		panic(err)
	}
	for key, value := range golden.Environment {
		os.Setenv(key, value)
		defer os.Unsetenv(key)
	}
	s := &Session{options: Options{Direct: direct}}
	for _, call := range callsIn(text) {
		if call[0] == "open" { // the zero session is not open yet
			s.options = optionsIn(call[1].(Data))
			s.options.Direct = direct
			s.ready()
			continue
		}
		if err := perform(s, call[0].(string), call[1:]); err != nil {
			panic(err)
		}
	}
	s.End()
	return s.ID()
}

func program(t *testing.T, name string, environment ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "DATACAT_TEST_PROGRAM="+name, "DATACAT_DAEMON=off")
	command.Env = append(command.Env, environment...)
	return command
}

func TestRecordsOfReturnedCallsSurviveKill(t *testing.T) {
	for round := 0; round < 12; round++ {
		home := t.TempDir()
		command := program(t, "endless", "DATACAT_HOME="+home, "DATACAT_LANE_BYTES=20000")
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		printed, killAt := 0, 1+rand.Intn(600)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			if n, err := strconv.Atoi(scanner.Text()); err == nil {
				printed = n
			}
			if printed >= killAt {
				command.Process.Kill() // and read what it printed until then
			}
		}
		command.Wait()
		whole, _ := lanetest.Undamaged(t, partsIn(t, home))
		for i := 1; i <= printed; i++ {
			if !whole[i] {
				t.Fatalf("record %d of %d is missing", i, printed)
			}
		}
		if printed < killAt {
			t.Fatalf("it was to be killed at %d and printed %d", killAt, printed)
		}
	}
}

// partsIn lists the files of all lanes in a home.
func partsIn(t *testing.T, home string) []string {
	return lanetest.Parts(t, filepath.Join(home, "lanes"), "*")
}

func TestALimitOnTheSizeOfFilesMakesMoreParts(t *testing.T) {
	home := t.TempDir()
	output, err := program(t, "limited", "DATACAT_HOME="+home).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var id string
	var lost int
	fmt.Sscan(string(output), &id, &lost)
	whole, counted := lanetest.Undamaged(t, partsIn(t, home))
	if len(whole)+lost < 502 || lost != counted || lost > 20 || len(partsIn(t, home)) < 10 {
		t.Errorf("%d whole, %d lost, %d counted, %d parts", len(whole), lost, counted, len(partsIn(t, home)))
	}
}

func TestAProgramWithoutHomeFolderAndStreamsIsRecorded(t *testing.T) {
	temporary := t.TempDir()
	command := program(t, "homeless", "DATACAT_HOME=", "XDG_STATE_HOME=", "HOME=/dev/null/nowhere", "TMPDIR="+temporary)
	var errors strings.Builder
	command.Stderr = &errors
	if err := command.Run(); err != nil || errors.String() != "3" {
		t.Fatalf("%v: %s", err, errors.String())
	}
}

func TestAPanickingProgramExitsByItsPanic(t *testing.T) {
	home := t.TempDir()
	output, err := program(t, "panic", "DATACAT_HOME="+home).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != panicExitCode || !strings.Contains(string(output), "nil pointer dereference") || !strings.Contains(string(output), "goroutine 1") {
		t.Errorf("%v: %s", err, output)
	}
	ops := lanetest.Ops(t, partsIn(t, home))
	if len(ops) != 3 || ops[1]["exception_type"] != "runtime.errorString" || ops[2]["op"] != "crash" {
		t.Errorf("%v", ops)
	}
}

// contentsIn has the content of each attachment of a home, by name.
func contentsIn(t *testing.T, home string) map[string]string {
	found := map[string]string{}
	for _, op := range lanetest.Ops(t, partsIn(t, home)) {
		if op["op"] != "attachment" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(home, "lanes", op["id"].(string)+".attachment"))
		if err != nil {
			t.Fatal(err)
		}
		found[op["name"].(string)] = string(content)
	}
	return found
}

func TestADeferredFunctionAttachesWhileTheProgramPanics(t *testing.T) {
	home := t.TempDir()
	output, err := program(t, "attach and panic", "DATACAT_HOME="+home).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != panicExitCode {
		t.Errorf("%v: %s", err, output)
	}
	if got := contentsIn(t, home); len(got) != 1 || got["screen.png"] != "shown" {
		t.Errorf("%v", got)
	}
	ops := lanetest.Ops(t, partsIn(t, home))
	if len(ops) != 4 || ops[2]["exception_type"] != "runtime.errorString" || ops[3]["op"] != "crash" {
		t.Errorf("%v", ops)
	}
}

func TestGoroutinesAttachAtOnceAndEachContentIsWhole(t *testing.T) {
	home := t.TempDir()
	if output, err := program(t, "attach at once", "DATACAT_HOME="+home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	got := contentsIn(t, home)
	for n := 1; n <= 40; n++ {
		for _, letter := range []string{"a", "b"} {
			if got[fmt.Sprint(letter, n)] != strings.Repeat(letter, 5000*n) {
				t.Errorf("%s%d is not whole", letter, n)
			}
		}
	}
	if len(got) != 80 {
		t.Errorf("%d arrived", len(got))
	}
}

func TestAPanicWithNilContinuesAndGoexitIsNoPanic(t *testing.T) {
	home := t.TempDir()
	output, err := program(t, "panic with nil", "DATACAT_HOME="+home, "GODEBUG=panicnil=1").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != panicExitCode || strings.Contains(string(output), "it continued") {
		t.Errorf("%v: %s", err, output)
	}
	if ops := lanetest.Ops(t, partsIn(t, home)); len(ops) != 3 || ops[1]["exception_msg"] != "nil" || ops[2]["op"] != "crash" {
		t.Errorf("%v", ops)
	}
	home = t.TempDir()
	if output, err := program(t, "goexit", "DATACAT_HOME="+home).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
	if ops := lanetest.Ops(t, partsIn(t, home)); len(ops) != 3 || ops[1]["name"] != "went on" || ops[2]["op"] != "end" {
		t.Errorf("%v", ops)
	}
}

func TestADaemonIsStartedOnceDetachedAndLeavesNoZombie(t *testing.T) {
	home := t.TempDir()
	t.Setenv("DATACAT_HOME", home)
	t.Setenv("DATACAT_DAEMON", os.Args[0])
	t.Setenv("DATACAT_TEST_PROGRAM", "daemon")
	for i := 0; i < 3; i++ {
		defer Open(context.Background(), Options{}).End()
	}
	var text []byte
	within(t, func() bool {
		text, _ = os.ReadFile(filepath.Join(home, "started"))
		return len(text) > 0
	})
	started := strings.Split(string(text), "\n")
	if started[0] != started[1] || started[2] != home { // it leads a session of its own, and does not use the program's folder
		t.Errorf("%q", started)
	}
	pid, _ := strconv.Atoi(started[0])
	within(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }) // a zombie would still have the pid
}
