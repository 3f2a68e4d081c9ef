package datacat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/lanetest"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/process"
)

func TestTheZeroSessionOpensItselfAndANilOneDoesNothing(t *testing.T) {
	t.Setenv("DATACAT_HOME", t.TempDir())
	t.Setenv("DATACAT_DAEMON", "off")
	t.Setenv("DATACAT_PRODUCT", "from the environment")
	var s Session
	s.Gauge("fps", 60)
	ops := lines(t, &s)
	if len(ops) != 2 || ops[0]["op"] != "start" || ops[0]["product"] != "from the environment" || ops[1]["name"] != "fps" {
		t.Fatalf("%v", ops)
	}
	s.End()

	home := t.TempDir()
	t.Setenv("DATACAT_HOME", home)
	var unused Session
	unused.End()
	unused.LogEvent("after the end", nil)
	if entries, _ := os.ReadDir(home); len(entries) != 0 {
		t.Error("a session that was never used was opened to be ended")
	}

	var none *Session
	none.UpdateState(Data{"a": 1})
	none.AddTags("a")
	none.LogEvent("e", nil)
	none.Log(Event{Name: "e", Err: errors.New("x")})
	none.LogException(errors.New("x"), nil)
	none.LogPanic("x", nil)
	none.Gauge("g", 1)
	none.Counter("c", 1)
	none.Histogram("h", 1)
	none.Timer("t").Stop()
	none.Heartbeat()
	none.StartHeartbeatMonitor(time.Second)
	none.KeepBeating(context.Background(), time.Second)
	none.Pause()
	none.Resume()
	none.LogWriter("g").Write([]byte("line\n"))
	none.End()
	if none.ID() != "" || none.Stats().Records != 0 || none.Flush(context.Background()) != nil || none.Environment() != nil {
		t.Error("a nil session recorded something")
	}
	if FromContext(context.Background()) != nil || FromContext(NewContext(context.Background(), &s)) != &s {
		t.Error("the context does not carry the session")
	}
}

// slowState is a state whose encoding waits for the test.
type slowState struct{ reached, goOn chan struct{} }

func (p slowState) MarshalJSON() ([]byte, error) {
	close(p.reached)
	<-p.goOn
	return []byte("{}"), nil
}

func TestASessionThatEndsWhileItOpensHasItsStartAndItsEnd(t *testing.T) {
	t.Setenv("DATACAT_HOME", t.TempDir())
	t.Setenv("DATACAT_DAEMON", "off")
	state := slowState{make(chan struct{}), make(chan struct{})}
	s := &Session{options: Options{State: state}}
	go s.Heartbeat()
	<-state.reached
	ended := make(chan struct{})
	go func() {
		s.End()
		close(ended)
	}()
	within(t, s.hasEnded.Load)
	close(state.goOn)
	<-ended
	if ops := lines(t, s); ops[0]["op"] != "start" || last(t, s)["op"] != "end" {
		t.Errorf("%v", ops)
	}
}

func TestDisabledRecordsNothing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("DATACAT_HOME", home)
	t.Setenv("DATACAT_DISABLED", "1")
	s := Open(context.Background(), Options{Product: "p"})
	s.LogEvent("e", nil)
	s.End()
	if entries, _ := os.ReadDir(home); len(entries) != 0 {
		t.Errorf("%v", entries)
	}
}

func TestManyGoroutinesShareOneLaneWithoutAHole(t *testing.T) {
	t.Setenv("DATACAT_LANE_BYTES", "20000") // so short that parts end during the test
	s := testSession(t)
	var all sync.WaitGroup
	for g := 0; g < 8; g++ {
		g := g
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 250; i++ {
				switch i % 4 {
				case 0:
					s.Gauge("g", float64(i), Tags("goroutine", fmt.Sprint(g)))
				case 1:
					s.LogEvent("e", Data{"i": i, "channel": make(chan int)})
				case 2:
					s.UpdateState(Data{"goroutines": Data{fmt.Sprint(g): i}})
				default:
					s.LogException(fmt.Errorf("%d: %w", i, fs.ErrNotExist), nil)
				}
			}
		}()
	}
	all.Wait()
	s.End()
	ops := lines(t, s) // fails on a hole or a bad checksum
	counts := map[any]int{}
	for _, op := range ops {
		counts[op["op"]]++
	}
	if counts["metric"] != 504 || counts["event"] != 1000 || counts["state"] != 496 || counts["start"] != 1 || counts["end"] != 1 || counts["dropped"] != 1 {
		t.Errorf("%v", counts)
	}
	if s.Stats().Records != int64(len(ops)) {
		t.Errorf("stats count %d records, the lane has %d", s.Stats().Records, len(ops))
	}
}

func TestAfterTheEndNothingIsWritten(t *testing.T) {
	s := testSession(t)
	s.EndWith(3, "SIGTERM")
	s.LogEvent("late", nil)
	s.End()
	ops := lines(t, s)
	if op := ops[len(ops)-1]; op["op"] != "end" || op["exit_code"] != json.Number("3") || op["signal"] != "SIGTERM" {
		t.Errorf("%v", ops)
	}
}

func TestAChildJoinsTheSessionOfItsParent(t *testing.T) {
	parent := testSession(t)
	name, id, _ := strings.Cut(parent.Environment()[0], "=")
	t.Setenv(name, id)
	child := Open(context.Background(), Options{Product: "child"})
	child.LogEvent("hello", nil)
	child.End()
	ops := lines(t, child)
	if child.ID() != parent.ID() || len(ops) != 1 || ops[0]["name"] != "hello" {
		t.Errorf("%v", ops)
	}
}

func TestAChildInAnotherFolderHasTheHomeOfItsParent(t *testing.T) {
	absolute, err := filepath.Abs("recordings")
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{options: Options{Home: "recordings", Direct: true, URL: "http://127.0.0.1:1"}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.ctx = ctx
	if got := strings.Join(s.Environment(), " "); !strings.HasSuffix(got, " DATACAT_HOME="+absolute) {
		t.Error(got)
	}
}

func TestATimeThatTheServerRefusesIsReplacedByNow(t *testing.T) {
	s := testSession(t)
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Unix(1_790_000_000_000_000, 0), time.Unix(1<<62, 0)} {
		s.Log(Event{Name: "e", Time: at})
		ms, err := last(t, s)["at"].(json.Number).Int64()
		if err != nil || time.Since(time.UnixMilli(ms)) > time.Hour || ms > limits.MaxTime {
			t.Errorf("%v is at %d", at, ms)
		}
	}
	s.Log(Event{Name: "e", Time: time.UnixMilli(1)})
	if last(t, s)["at"] != json.Number("1") {
		t.Error(last(t, s))
	}
}

func TestAnIDThatTheServerRefusesIsNotJoined(t *testing.T) {
	t.Setenv("DATACAT_SESSION", "../etc passwd")
	if s := testSession(t); s.isJoined || lines(t, s)[0]["op"] != "start" {
		t.Error(s.ID())
	}
}

func TestAnErrorIsRecordedWithItsCausesAndTheCallersStack(t *testing.T) {
	s := testSession(t)
	_, missing := os.Open("/nowhere/at/all")
	s.LogException(fmt.Errorf("loading: %w", missing), Data{"file": "a.sav", "token": "t"})
	op := last(t, s)
	if op["exception_type"] != "fmt.wrapError" || op["exception_msg"] != "loading: open /nowhere/at/all: no such file or directory" {
		t.Errorf("%v", op)
	}
	if file := op["source_file"].(string); !strings.HasSuffix(file, "session_test.go") || !strings.Contains(op["source_function"].(string), "TestAnErrorIsRecorded") {
		t.Errorf("from %v", op)
	}
	stack := op["stacktrace"].([]any)
	if first := stack[0].(string); !strings.Contains(first, "TestAnErrorIsRecordedWithItsCausesAndTheCallersStack(...)\n\t") {
		t.Errorf("the stack begins with %q", first)
	}
	causes := op["causes"].([]any)
	if len(causes) != 2 || causes[0].(map[string]any)["exception_type"] != "fs.PathError" || causes[1].(map[string]any)["exception_type"] != "syscall.Errno" {
		t.Errorf("causes: %v", causes)
	}
	if data := op["data"].(map[string]any); data["token"] != "[redacted]" || data["file"] != "a.sav" {
		t.Errorf("data: %v", data)
	}
	s.Log(Event{Name: "save_failed", Category: Critical, Err: missing})
	if op := last(t, s); op["name"] != "save_failed" || op["exception_type"] != "fs.PathError" {
		t.Errorf("%v", op)
	}
}

type point struct{ X int }

type brokenError struct{ message *string }

func (e *brokenError) Error() string { return *e.message }
func (e *brokenError) Unwrap() error { panic("no") }

type endless struct{}

func (endless) Error() string { return "endless" }
func (endless) Unwrap() error { return endless{} }

func TestErrorsThatPanicOrNeverEndAreRecorded(t *testing.T) {
	s := testSession(t)
	s.LogException(&brokenError{}, nil)
	if op := last(t, s); op["exception_type"] != "datacat.brokenError" || op["causes"] != nil {
		t.Errorf("%v", op)
	}
	s.LogException(endless{}, nil)
	if causes := last(t, s)["causes"].([]any); len(causes) != limits.MaxCauses {
		t.Errorf("%d causes", len(causes))
	}
}

func TestAPanicIsRecordedAndContinues(t *testing.T) {
	s := testSession(t)
	value := func() (value any) {
		defer func() { value = recover() }()
		defer s.Recover()
		var items []int
		return items[len(items)]
	}()
	if value == nil || !strings.Contains(fmt.Sprint(value), "index out of range") {
		t.Errorf("the panic did not continue: %v", value)
	}
	ops := lines(t, s)
	event, crash := ops[len(ops)-2], ops[len(ops)-1]
	if event["exception_type"] != "runtime.boundsError" || event["handled"] != false || crash["op"] != "crash" || crash["reason"] != "uncaught_exception" {
		t.Errorf("%v %v", event, crash)
	}
	if function := event["source_function"].(string); !strings.Contains(function, "TestAPanicIsRecordedAndContinues") {
		t.Errorf("from %s", function)
	}

	surviving := testSession(t)
	func() {
		defer func() { surviving.LogPanic(recover(), Data{"request": 7}) }()
		panic("text")
	}()
	surviving.LogEvent("still here", nil)
	ops = lines(t, surviving)
	if op := ops[1]; op["exception_type"] != "panic" || op["exception_msg"] != "text" || op["handled"] != true {
		t.Errorf("%v", op)
	}
	func() {
		defer surviving.Recover() // there is no panic
	}()
	if len(lines(t, surviving)) != 3 {
		t.Error("Recover without a panic wrote something")
	}
}

func TestAPanicWithAnyValueIsRecorded(t *testing.T) {
	s := testSession(t)
	cycle := map[string]any{"code": 3}
	cycle["self"] = cycle
	list := []any{nil}
	list[0] = list
	for _, c := range []struct {
		value any
		want  string
	}{
		{7, "7"},
		{time.Second, "1s"},
		{struct{ code int }{3}, "{3}"},
		{&struct{ code int }{3}, "&{3}"},
		{struct{ hidden map[string]any }{cycle}, `"<struct { hidden map[string]interface {} }>"`},
		{cycle, `{"code":3,"self":"<cycle>"}`},
		{list, `["<cycle>"]`},
		{[]int{1, 2}, "[1,2]"},
		{(*point)(nil), "<nil>"},
	} {
		func() {
			defer func() { s.LogPanic(recover(), nil) }()
			panic(c.value)
		}()
		if got := last(t, s)["exception_msg"]; got != c.want {
			t.Errorf("%T: %q, not %q", c.value, got, c.want)
		}
	}
}

func TestTimersMeasureAndCount(t *testing.T) {
	s := testSession(t)
	timer := s.Timer("frames", Unit("milliseconds"), Tags("main"))
	timer.Add(2)
	timer.Add(3)
	time.Sleep(2 * time.Millisecond)
	took := timer.Stop()
	timer.Stop()
	var zero, none = Timer{}, (*Timer)(nil)
	zero.Add(1)
	none.Add(1)
	if zero.Stop() != 0 || none.Stop() != 0 {
		t.Error("a timer that was never started measured something")
	}
	s.Duration("load", 1500*time.Millisecond)
	ops := lines(t, s)
	if len(ops) != 3 {
		t.Fatalf("%v", ops)
	}
	value, _ := ops[1]["value"].(json.Number).Float64()
	if value < 2 || value > took.Seconds()*1000+1 || ops[1]["count"] != json.Number("5") || ops[1]["unit"] != "milliseconds" {
		t.Errorf("%v", ops[1])
	}
	if ops[2]["type"] != "timer" || ops[2]["value"] != json.Number("1.5") {
		t.Errorf("%v", ops[2])
	}
}

func TestKeepBeatingSendsHeartbeatsUntilItsContextIsDone(t *testing.T) {
	s := testSession(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.KeepBeating(ctx, 15*time.Millisecond)
	within(t, func() bool { return len(lines(t, s)) >= 5 })
	cancel()
	within(t, func() bool { return last(t, s)["op"] == "pause" })
	if first := lines(t, s)[1]; first["op"] != "heartbeat" || first["timeout_ms"] != json.Number("15") {
		t.Errorf("%v", first)
	}
}

func TestNoGoroutineOutlivesItsSession(t *testing.T) {
	before := runtime.NumGoroutine()
	s := testSession(t)
	s.KeepBeating(context.Background(), time.Hour)
	s.End()

	f := newTestServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	sent := Open(ctx, Options{URL: f.URL, Direct: true})
	sent.KeepBeating(ctx, time.Hour)
	flush(t, sent)
	cancel()                                                             // without End
	within(t, func() bool { return runtime.NumGoroutine() <= before+2 }) // the test server has two
	f.Close()
	within(t, func() bool { return runtime.NumGoroutine() <= before })
}

func TestANilContextIsAnEmptyOne(t *testing.T) {
	s := testSession(t)
	var none context.Context
	s.KeepBeating(none, time.Hour)
	if FromContext(none) != nil || FromContext(NewContext(none, s)) != s {
		t.Error("the context does not carry the session")
	}
	f := newTestServer(t)
	sent := Open(none, Options{URL: f.URL, Direct: true})
	if err := sent.Flush(none); err != nil {
		t.Error(err)
	}
	sent.End()
}

func TestLinesOfTheLogPackageBecomeEvents(t *testing.T) {
	s := testSession(t)
	log.New(s.LogWriter("app"), "prefix: ", 0).Print("hello")
	if op := last(t, s); op["name"] != "log" || op["group"] != "app" || op["message"] != "prefix: hello" {
		t.Errorf("%v", op)
	}
}

func TestTheHeaderDescribesTheWriter(t *testing.T) {
	s := testSession(t)
	text, err := os.ReadFile(parts(t, s)[0])
	if err != nil {
		t.Fatal(err)
	}
	var h struct {
		Lane, Session string
		Format        int
		MonotonicMs   int64 `json:"monotonic_ms"`
		Writer        struct {
			Program, Language, Client, Hostname, Os string
			Pid                                     int
			PidStarted                              string `json:"pid_started"`
		}
	}
	if err := json.Unmarshal(bytes.SplitN(text, []byte("\n"), 2)[0][9:], &h); err != nil {
		t.Fatal(err)
	}
	if h.Session != s.ID() || h.Format != 1 || h.Writer.Pid != os.Getpid() || h.Writer.Client != "datacat-go "+Version || h.Writer.PidStarted != process.StartOf(os.Getpid()) || h.MonotonicMs < 0 {
		t.Errorf("%+v", h)
	}
	info, _ := os.Stat(parts(t, s)[0])
	folder, _ := os.Stat(filepath.Dir(parts(t, s)[0]))
	if info.Mode().Perm() != 0o600 || folder.Mode().Perm() != 0o700 {
		t.Errorf("modes %v and %v", info.Mode(), folder.Mode())
	}
}

// lines are all records of a session's lane, each with its checksum and the next sequence.
func lines(t testing.TB, s *Session) []map[string]any {
	t.Helper()
	return lanetest.Ops(t, parts(t, s))
}

func last(t testing.TB, s *Session) map[string]any {
	t.Helper()
	ops := lines(t, s)
	return ops[len(ops)-1]
}

func parts(t testing.TB, s *Session) []string {
	t.Helper()
	l := s.sink.(*lane.Lane)
	return lanetest.Parts(t, filepath.Join(l.Home(), "lanes"), l.Header.Lane)
}

// within waits for a condition.
func within(t testing.TB, isTrue func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if isTrue() {
			return
		}
	}
	t.Fatal("the condition did not become true")
}
