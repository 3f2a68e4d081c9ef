package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs the test binary as the command if DATACAT_TEST_COMMAND is set.
func TestMain(m *testing.M) {
	if os.Getenv("DATACAT_TEST_COMMAND") == "" {
		os.Exit(m.Run())
	}
	os.Unsetenv("DATACAT_TEST_COMMAND") // the tests that it runs are no commands
	main()
}

// module is the module whose tests are recorded, with one test for each result.
var module = map[string]string{
	"go.mod": "module example.org/small\n\ngo 1.19\n",
	"good/good_test.go": `package good
import "testing"
func TestPasses(t *testing.T) { t.Log("quiet") }
func TestSkips(t *testing.T) { t.Skip("not today") }
func TestParent(t *testing.T) { t.Run("child", func(t *testing.T) {}) }
`,
	"bad/bad_test.go": `package bad
import "testing"
func TestFails(t *testing.T) { t.Log("before"); t.Errorf("got %d, want %d", 1, 2) }
func TestPasses(t *testing.T) {}
`,
	"panics/panics_test.go": `package panics
import "testing"
func TestPanics(t *testing.T) { var m map[string]int; m["a"] = 1 }
`,
	"broken/broken_test.go": `package broken
import "testing"
func TestNothing(t *testing.T) { undefined() }
`,
	"exits/exits_test.go": `package exits
import ("log"; "testing")
func TestPasses(t *testing.T) {}
func TestParent(t *testing.T) { t.Run("exits", func(t *testing.T) { log.Fatal("no database") }) }
`,
	"hangs/hangs_test.go": `package hangs
import ("testing"; "time")
func TestHangs(t *testing.T) { time.Sleep(time.Minute) }
`,
}

func command(t *testing.T, home string, arguments ...string) (*exec.Cmd, string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range module {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(os.Args[0], arguments...)
	c.Dir = folder
	c.Env = append(os.Environ(), "DATACAT_TEST_COMMAND=1", "DATACAT_HOME="+home, "DATACAT_DAEMON=off", "GOFLAGS=", "GO111MODULE=on")
	return c, folder
}

type op struct {
	Op, Name, Product, Group, Message, Unit string
	Labels                                  []string
	Tags                                    []string
	Data                                    struct {
		Package, Result string
		DurationMs      *float64 `json:"duration_ms"`
		Iterations      json.Number
		Cached          bool
		Allocations     json.Number `json:"allocs/op"`
	}
	ExceptionType string   `json:"exception_type"`
	ExceptionMsg  string   `json:"exception_msg"`
	SourceFile    string   `json:"source_file"`
	SourceLine    int      `json:"source_line"`
	Stack         []string `json:"stacktrace"`
	ExitCode      *int     `json:"exit_code"`
}

func recorded(t *testing.T, home string) (ops []op, tests map[string]op) {
	t.Helper()
	lanes, _ := filepath.Glob(filepath.Join(home, "lanes", "*.lane"))
	if len(lanes) != 1 {
		t.Fatalf("%d lanes", len(lanes))
	}
	text, err := os.ReadFile(lanes[0])
	if err != nil {
		t.Fatal(err)
	}
	tests = map[string]op{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		var o op
		if err := json.Unmarshal([]byte(line[9:]), &o); err != nil {
			t.Fatal(err)
		}
		ops = append(ops, o)
		if o.Name == "test" || o.Name == "package" {
			tests[strings.TrimPrefix(o.Group, "example.org/small/")+" "+o.Message] = o
		}
	}
	return ops, tests
}

func TestARunIsRecordedTestByTestAndPrintedAsGoTestDoes(t *testing.T) {
	home := t.TempDir()
	c, _ := command(t, home, "-timeout", "2s", "./...")
	output, err := c.CombinedOutput()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() <= 0 { // 1, or 2 in older versions of Go for a package that did not compile
		t.Fatalf("%v\n%s", err, output)
	}
	ops, tests := recorded(t, home)
	if ops[0].Op != "start" || ops[0].Product != "small" || ops[0].Tags[0] != "go test" {
		t.Errorf("%+v", ops[0])
	}
	if end := ops[len(ops)-1]; end.Op != "end" || *end.ExitCode != exit.ExitCode() {
		t.Errorf("%+v", end)
	}
	for name, result := range map[string]string{
		"good TestPasses": "passed", "good TestSkips": "skipped", "good TestParent": "passed", "good TestParent/child": "passed",
		"bad TestFails": "failed", "bad TestPasses": "passed", "panics TestPanics": "failed",
		"good example.org/small/good": "passed", "bad example.org/small/bad": "failed",
		"exits TestPasses": "passed", "exits TestParent": "failed", "exits TestParent/exits": "failed", "hangs TestHangs": "failed",
		"panics example.org/small/panics": "failed", "broken example.org/small/broken": "failed",
	} {
		if got, ok := tests[name]; !ok || got.Data.Result != result || got.Labels[0] != result || got.Data.DurationMs == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if fails := tests["bad TestFails"]; fails.ExceptionType != "test failed" || fails.SourceFile != "bad_test.go" || fails.SourceLine != 3 ||
		!strings.Contains(strings.Join(fails.Stack, "\n"), "got 1, want 2") {
		t.Errorf("%+v", fails)
	}
	if panics := tests["panics TestPanics"]; panics.ExceptionType != "panic" || !strings.Contains(panics.ExceptionMsg, "nil map") || !strings.Contains(strings.Join(panics.Stack, "\n"), "goroutine") {
		t.Errorf("%+v", panics)
	}
	if exits := tests["exits TestParent/exits"]; !strings.HasSuffix(exits.ExceptionMsg, "no database") {
		t.Errorf("%+v", exits)
	}
	if parent := tests["exits TestParent"]; parent.ExceptionMsg != "TestParent had not ended when its program did" {
		t.Errorf("%+v", parent)
	}
	if hangs := tests["hangs TestHangs"]; hangs.ExceptionType != "panic" || !strings.Contains(hangs.ExceptionMsg, "timed out after 2s") || *hangs.Data.DurationMs < 1_000 ||
		!strings.Contains(strings.Join(hangs.Stack, "\n"), "hangs_test.go:3") {
		t.Errorf("%+v", hangs)
	}
	if broken := tests["broken example.org/small/broken"]; broken.ExceptionType == "" {
		t.Errorf("%+v", broken)
	}
	if passes := tests["bad example.org/small/bad"]; passes.ExceptionType != "" {
		t.Errorf("the failure of its test is recorded twice: %+v", passes)
	}
	for text, isThere := range map[string]bool{
		"ok  \texample.org/small/good": true, "FAIL\texample.org/small/bad": true, "--- FAIL: TestFails": true,
		"got 1, want 2": true, "undefined": true, "no database": true, "timed out": true, "quiet": false, "=== RUN": false,
	} {
		if strings.Contains(string(output), text) != isThere {
			t.Errorf("that %q is in the output is not %v:\n%s", text, isThere, output)
		}
	}
}

func TestARunCanBeReadFromStandardInput(t *testing.T) {
	home := t.TempDir()
	c, _ := command(t, home, "-v")
	c.Stdin = strings.NewReader(`not JSON at all
{"Time":"2026-11-23T09:00:00Z","Action":"start","Package":"p"}
{"Time":"2026-11-23T09:00:00Z","Action":"run","Package":"p","Test":"TestX"}
{"Time":"2026-11-23T09:00:00Z","Action":"output","Package":"p","Test":"TestX","Output":"=== RUN   TestX\n"}
{"Time":"2026-11-23T09:00:01Z","Action":"pass","Package":"p","Test":"TestX","Elapsed":1.25}
{"Time":"2026-11-23T09:00:02Z","Action":"pass","Package":"p","Elapsed":2}
`)
	output, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "not JSON at all\n=== RUN   TestX\n") {
		t.Errorf("%v\n%s", err, output)
	}
	ops, tests := recorded(t, home)
	if got := tests["p TestX"]; got.Data.Result != "passed" || *got.Data.DurationMs != 1250 {
		t.Errorf("%+v", got)
	}
	if end := ops[len(ops)-1]; *end.ExitCode != 0 {
		t.Errorf("%+v", end)
	}
}

func TestABenchmarkIsRecordedWithItsFiguresAndPrinted(t *testing.T) {
	home := t.TempDir()
	// 10,000 iterations: what the runtime itself allocates meanwhile stays below one an iteration, so that the figure is 0.
	c, folder := command(t, home, "-bench", ".", "-benchtime", "10000x", "./fast")
	if err := os.Mkdir(filepath.Join(folder, "fast"), 0o700); err != nil {
		t.Fatal(err)
	}
	program := `package fast
import "testing"
func BenchmarkAll(b *testing.B) { b.Run("one", func(b *testing.B) { b.ReportAllocs(); for i := 0; i < b.N; i++ {} }); b.Run("two", func(b *testing.B) {}) }
func BenchmarkBad(b *testing.B) { b.Fatal("no good") }
`
	if err := os.WriteFile(filepath.Join(folder, "fast", "fast_test.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "ns/op") || !strings.Contains(string(output), "allocs/op") || strings.Contains(string(output), "=== RUN") || !strings.Contains(string(output), "no good") {
		t.Errorf("%v\n%s", err, output)
	}
	ops, tests := recorded(t, home)
	var figures []string
	for _, o := range ops {
		if o.Name == "benchmark" {
			figures = append(figures, o.Op+" "+o.Message+strings.Join(o.Tags, " ")+" "+o.Unit+o.Data.Iterations.String()+o.Data.Allocations.String())
		}
	}
	want := "metric example.org/small/fast.BenchmarkAll/one ns/op, event BenchmarkAll/one 100000, metric example.org/small/fast.BenchmarkAll/two ns/op, event BenchmarkAll/two 10000"
	if got := strings.Join(figures, ", "); got != want {
		t.Errorf("%s", got)
	}
	if _, isTest := tests["fast BenchmarkAll"]; isTest {
		t.Error("a benchmark that ran is recorded as a failed test")
	}
}

func TestResultsOfAnEarlierRunAreRecordedAsCached(t *testing.T) {
	c, folder := command(t, t.TempDir(), "./good")
	for _, isCached := range []bool{false, true} {
		home := t.TempDir()
		again := exec.Command(c.Path, c.Args[1:]...)
		again.Dir, again.Env = folder, append(c.Env, "DATACAT_HOME="+home)
		if output, err := again.CombinedOutput(); err != nil || strings.Contains(string(output), "(cached)") != isCached {
			t.Fatalf("%v\n%s", err, output)
		}
		if _, tests := recorded(t, home); tests["good example.org/small/good"].Data.Cached != isCached || tests["good TestPasses"].Data.Result != "passed" {
			t.Errorf("cached: %v, recorded as %+v", isCached, tests["good example.org/small/good"])
		}
	}
}

func TestAPackageThatCannotBeBuiltIsRecordedWithTheCompilersOutput(t *testing.T) {
	home := t.TempDir()
	c, _ := command(t, home)
	c.Stdin = strings.NewReader(`{"ImportPath":"p/ab [p/ab.test]","Action":"build-output","Output":"ab/x_test.go:1:2: not this one\n"}
{"ImportPath":"p/needed","Action":"build-output","Output":"needed/n.go:3:4: undefined: nope\n"}
{"Time":"2026-11-23T09:00:00Z","Action":"start","Package":"p/a"}
{"Time":"2026-11-23T09:00:00Z","Action":"output","Package":"p/a","Output":"FAIL\tp/a [build failed]\n"}
{"Time":"2026-11-23T09:00:00Z","Action":"fail","Package":"p/a","Elapsed":0,"FailedBuild":"p/needed"}
`)
	if err := c.Run(); err == nil {
		t.Error("the command succeeded")
	}
	_, tests := recorded(t, home)
	got := tests["p/a p/a"]
	if got.ExceptionMsg != "undefined: nope" || got.SourceFile != "needed/n.go" || strings.Contains(strings.Join(got.Stack, "\n"), "not this one") {
		t.Errorf("%+v", got)
	}
}

func TestAFailureNamesItsPlaceAndItsFirstComplaint(t *testing.T) {
	x := failure([]string{"=== RUN   TestX\n", "    x_test.go:7: no good\n", "    x_test.go:9: worse\n", "--- FAIL: TestX (0.00s)\n"})
	if x.Type != "test failed" || x.Message != "no good" || x.File != "x_test.go" || x.Line != 7 || len(x.Stack) != 2 {
		t.Errorf("%+v", x)
	}
}

func TestALongTranscriptKeepsItsFirstAndLastLines(t *testing.T) {
	var all transcript
	for i := 0; i < 1_000; i++ {
		all.add(strings.Repeat("x", i)) // a line can arrive in pieces
		all.add("\n")
	}
	if kept := all.lines(); len(kept) != maxKept+1 || len(kept[maxKept]) != 1_000 || !strings.Contains(kept[maxKept/2], "800 lines") {
		t.Errorf("%d lines", len(kept))
	}
}
