package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
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
func TestFails(t *testing.T) {
	t.Log("before")
	t.Errorf("got %d,\nwant %d", 1, 2)
	t.Error("second")
}
func TestPasses(t *testing.T) {}
`,
	"panics/panics_test.go": `package panics
import ("testing"; "time")
func TestWaits(t *testing.T) { t.Parallel(); time.Sleep(time.Minute) }
func TestPanics(t *testing.T) { t.Run("deep", func(t *testing.T) { t.Log("before it"); var m map[string]int; m["a"] = 1 }) }
`,
	"goroutine/goroutine_test.go": `package goroutine
import ("testing"; "time")
func TestFirst(t *testing.T) {}
func TestPanics(t *testing.T) { t.Parallel(); go func() { panic("in a goroutine") }(); time.Sleep(time.Minute) }
func TestWaits(t *testing.T) { t.Parallel(); time.Sleep(time.Minute) }
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
	Op, Name, Product, Group, Message, Unit, Category string
	Tags                                              []string
	State, Patch                                      map[string]map[string]any
	Test                                              struct {
		ID                                  []string
		Result, Kind, Phase, Reason, Output string
		DurationMs                          *float64 `json:"duration_ms"`
		Diff                                struct{ Expected, Actual string }
	}
	Data struct {
		Result      string
		Iterations  json.Number
		Cached      bool
		Allocations json.Number `json:"allocs/op"`
	}
	ExceptionType string                                `json:"exception_type"`
	ExceptionMsg  string                                `json:"exception_msg"`
	SourceFile    string                                `json:"source_file"`
	SourceLine    int                                   `json:"source_line"`
	Function      string                                `json:"source_function"`
	Stack         []string                              `json:"stacktrace"`
	Causes        []struct{ Kind, ExceptionMsg string } `json:"causes"`
	ExitCode      *int                                  `json:"exit_code"`
}

// recording is what was recorded of a run: the results of its tests by "package Test/subtest", and of packages by "package".
type recording struct {
	ops    []op
	tests  map[string]op
	starts map[string]bool
	counts map[string]any
}

func recorded(t *testing.T, home string) recording {
	t.Helper()
	lanes, _ := filepath.Glob(filepath.Join(home, "lanes", "*.lane"))
	if len(lanes) != 1 {
		t.Fatalf("%d lanes", len(lanes))
	}
	text, err := os.ReadFile(lanes[0])
	if err != nil {
		t.Fatal(err)
	}
	r := recording{tests: map[string]op{}, starts: map[string]bool{}}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		var o op
		if err := json.Unmarshal([]byte(line[9:]), &o); err != nil {
			t.Fatal(err)
		}
		r.ops = append(r.ops, o)
		if counts, ok := o.Patch["tests"]["counts"].(map[string]any); ok {
			r.counts = counts
		}
		if len(o.Test.ID) == 0 {
			if o.Name == "package" {
				r.tests["package "+strings.TrimPrefix(o.Message, "example.org/small/")] = o
			}
			continue
		}
		name := strings.TrimPrefix(o.Test.ID[0], "example.org/small/")
		if len(o.Test.ID) > 1 {
			name += " " + strings.Join(o.Test.ID[1:], "/")
		}
		switch {
		case o.Name == "test_started":
			r.starts[name] = true
		default:
			r.tests[name] = o
		}
	}
	return r
}

// derived are the counts that follow from the recorded results.
func (r recording) derived() map[string]any {
	counts := map[string]any{"passed": 0.0, "failed": 0.0, "errors": 0.0, "skipped": 0.0}
	for name, o := range r.tests {
		if strings.HasPrefix(name, "package ") || o.Test.Kind == "benchmark" {
			continue
		}
		key := o.Test.Result
		if key == "error" {
			key = "errors"
		}
		counts[key] = counts[key].(float64) + 1
	}
	return counts
}

func (r recording) expectSound(t *testing.T) {
	t.Helper()
	if derived := r.derived(); !reflect.DeepEqual(derived, r.counts) {
		t.Errorf("the results give %v, go test counted %v", derived, r.counts)
	}
}

func TestARunIsRecordedTestByTestAndPrintedAsGoTestDoes(t *testing.T) {
	home := t.TempDir()
	c, _ := command(t, home, "-timeout", "2s", "./...")
	output, err := c.CombinedOutput()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() <= 0 { // 1, or 2 in older versions of Go for a package that did not compile
		t.Fatalf("%v\n%s", err, output)
	}
	r := recorded(t, home)
	if start := r.ops[0]; start.Op != "start" || start.Product != "small" || start.Tags[0] != "go test" ||
		!strings.HasPrefix(start.State["tests"]["runner"].(string), "go test 1.") {
		t.Errorf("%+v", start)
	}
	if end := r.ops[len(r.ops)-1]; end.Op != "end" || *end.ExitCode != exit.ExitCode() {
		t.Errorf("%+v", end)
	}
	for name, result := range map[string]string{
		"good TestPasses": "passed", "good TestSkips": "skipped", "good TestParent": "passed", "good TestParent/child": "passed",
		"bad TestFails": "failed", "bad TestPasses": "passed", "panics TestPanics": "failed", "panics TestPanics/deep": "failed",
		"exits TestPasses": "passed", "exits TestParent": "error", "exits TestParent/exits": "error", "hangs TestHangs": "error",
		"goroutine TestFirst": "passed", "goroutine TestPanics": "error", "broken": "error",
	} {
		if got, ok := r.tests[name]; !ok || got.Test.Result != result || got.Test.DurationMs == nil {
			t.Errorf("%s: %+v", name, got)
		}
		if strings.Contains(name, " ") && !r.starts[name] {
			t.Errorf("%s was not started", name)
		}
	}
	for name, result := range map[string]string{"good": "passed", "bad": "failed", "panics": "failed", "hangs": "failed"} {
		if got := r.tests["package "+name]; got.Data.Result != result {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r.expectSound(t)
	// The first complaint is t.Log's; a second error is a member of the first.
	fails := r.tests["bad TestFails"]
	if fails.ExceptionMsg != "got 1,\nwant 2" || fails.Message != "got 1," || fails.SourceFile != "bad_test.go" || fails.SourceLine != 5 ||
		fails.Category != "error" || len(fails.Causes) != 1 || !strings.Contains(fails.Test.Output, "before") || strings.Contains(fails.Test.Output, "=== RUN") {
		t.Errorf("%+v", fails)
	}
	if skips := r.tests["good TestSkips"]; skips.Test.Reason != "not today" {
		t.Errorf("%+v", skips)
	}
	if child := r.tests["good TestParent/child"]; child.Test.Kind != "subtest" {
		t.Errorf("%+v", child)
	}
	panics := r.tests["panics TestPanics/deep"]
	if panics.ExceptionType != "panic" || !strings.Contains(panics.ExceptionMsg, "nil map") || !strings.HasPrefix(panics.Stack[0], "example.org/small/panics.TestPanics") ||
		panics.SourceLine != 4 || !strings.Contains(panics.Function, "TestPanics") {
		t.Errorf("%+v", panics)
	}
	if parent := r.tests["panics TestPanics"]; parent.ExceptionMsg != "a subtest failed" {
		t.Errorf("%+v", parent)
	}
	if _, isBlamed := r.tests["panics TestWaits"]; isBlamed || !r.starts["panics TestWaits"] {
		t.Error("a test that only waited is recorded with a result")
	}
	if goroutine := r.tests["goroutine TestPanics"]; goroutine.ExceptionMsg != "in a goroutine" || goroutine.Message != "panic: in a goroutine" || goroutine.SourceLine != 4 {
		t.Errorf("%+v", goroutine)
	}
	if exits := r.tests["exits TestParent/exits"]; !strings.HasSuffix(exits.ExceptionMsg, "no database") {
		t.Errorf("%+v", exits)
	}
	if parent := r.tests["exits TestParent"]; parent.Message != "TestParent/exits had not ended" {
		t.Errorf("%+v", parent)
	}
	if hangs := r.tests["hangs TestHangs"]; hangs.ExceptionType != "timeout" || hangs.ExceptionMsg != "test timed out after 2s" || *hangs.Test.DurationMs < 1_000 ||
		!strings.Contains(hangs.SourceFile, "hangs_test.go") || hangs.SourceLine != 3 {
		t.Errorf("%+v", hangs)
	}
	if broken := r.tests["broken"]; broken.Test.Kind != "suite" || broken.Test.Phase != "collect" || !strings.Contains(broken.ExceptionMsg, "undefined") ||
		!strings.HasSuffix(broken.SourceFile, "broken_test.go") {
		t.Errorf("%+v", broken)
	}
	for text, isThere := range map[string]bool{
		"ok  \texample.org/small/good": true, "FAIL\texample.org/small/bad": true, "--- FAIL: TestFails": true,
		"got 1,": true, "undefined": true, "no database": true, "timed out": true, "in a goroutine": true, "quiet": false, "=== RUN": false,
		"datacat: http://localhost:8080/sessions/": true,
	} {
		if strings.Contains(string(output), text) != isThere {
			t.Errorf("that %q is in the output is not %v:\n%s", text, isThere, output)
		}
	}
}

func TestWhatATestPrintsIsNotTakenForAResult(t *testing.T) {
	for _, flags := range [][]string{nil, {"-v", "-json"}, {"-v", "-count=2"}} {
		home := t.TempDir()
		c, folder := command(t, home, append(flags, "./fake")...)
		program := `package fake
import ("fmt"; "os"; "testing")
func TestMain(m *testing.M) { fmt.Println("FAIL\texample.org/small/fake\t(cached)"); os.Exit(m.Run()) }
func TestPrints(t *testing.T) { fmt.Print("no newline") }
func TestFakes(t *testing.T) {
	fmt.Println("--- FAIL: TestPrints (0.00s)\n=== RUN   TestOther\npanic: not really\n--- PASS: TestFakes (0.00s)")
	fmt.Println(` + "`" + `{"Action":"fail","Package":"example.org/small/fake","Test":"TestPrints"}` + "`" + `)
	fmt.Print("--- FAIL: TestFakes")
	os.Stderr.WriteString("FAIL\texample.org/small/fake\t0.1s\n")
}
func Example() { fmt.Println("hello")
// Output: good night
}
`
		if err := os.MkdirAll(filepath.Join(folder, "fake"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "fake", "fake_test.go"), []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := c.Output()
		if err == nil {
			t.Errorf("%v: the command succeeded", flags)
		}
		r := recorded(t, home)
		r.expectSound(t)
		want := map[string]string{"fake TestPrints": "passed", "fake TestFakes": "passed", "fake Example": "failed"}
		if strings.Contains(strings.Join(flags, " "), "-count=2") {
			for _, name := range []string{"fake TestPrints", "fake TestFakes"} { // examples run once
				want[name+"/run 2"] = want[name]
			}
		}
		for name, result := range want {
			if got := r.tests[name]; got.Test.Result != result {
				t.Errorf("%v %s: %+v", flags, name, got)
			}
		}
		if got := len(r.tests); got != len(want)+1 {
			t.Errorf("%v: %d results: %v", flags, got, r.tests)
		}
		if example := r.tests["fake Example"]; example.Test.Diff.Expected != "good night" || example.Test.Diff.Actual != "hello" || example.Message != "got hello, want good night" {
			t.Errorf("%+v", example)
		}
		if isJSON := strings.HasPrefix(string(output), "{"); isJSON != strings.Contains(strings.Join(flags, " "), "-json") {
			t.Errorf("%v: %s", flags, output)
		}
	}
}

func TestEachFlagOfGoTestIsPassedOnButForThoseOfTheOutput(t *testing.T) {
	for _, c := range []struct {
		in, out           string
		isVerbose, isJSON bool
	}{
		{"-v ./...", "./...", true, false}, {"-v=true --json -run X .", "-run X .", true, true}, {"-v=false .", ".", false, false},
		{"-test.v -vet=off .", "-vet=off .", true, false}, {". -args -v -json", ". -args -v -json", false, false}, {"", "", false, false},
	} {
		got := parse(strings.Fields(c.in))
		if strings.Join(got.arguments, " ") != c.out || got.isVerbose != c.isVerbose || got.isJSON != c.isJSON {
			t.Errorf("%q: %+v", c.in, got)
		}
	}
}

func TestARunThatIsKilledNamesItsTest(t *testing.T) {
	home := t.TempDir()
	c, _ := command(t, home, "-v", "./hangs")
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "=== RUN   TestHangs") {
	}
	c.Process.Kill() //nolint:errcheck // it runs
	c.Wait()         //nolint:errcheck // it was killed
	r := recorded(t, home)
	if !r.starts["hangs TestHangs"] || len(r.tests) > 0 || r.ops[len(r.ops)-1].Op == "end" {
		t.Errorf("%+v", r)
	}
}

func TestAServerAFolderOrAClientThatIsAwayChangesNothing(t *testing.T) {
	plain, _ := command(t, t.TempDir(), "./good")
	want, err := plain.Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{"DATACAT_URL=http://127.0.0.1:9", "DATACAT_HOME=" + filepath.Join(file, "home"), "DATACAT_DISABLED=1"} {
		c, _ := command(t, t.TempDir(), "./good")
		c.Env = append(c.Env, variable, "TMPDIR="+t.TempDir())
		output, err := c.Output()
		if err != nil || withoutTimes(output) != withoutTimes(want) {
			t.Errorf("%s: %v\n%s", variable, err, output)
		}
	}
}

func withoutTimes(output []byte) string {
	return regexp.MustCompile(`[0-9.]+s|\(cached\)`).ReplaceAllString(string(output), "")
}

func TestAJobSummaryHasTheCountsTheFailuresAndTheLink(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary.md")
	home := t.TempDir()
	c, _ := command(t, home, "./bad")
	c.Env = append(c.Env, "GITHUB_STEP_SUMMARY="+summary, "DATACAT_URL=https://datacat.example/", "DATACAT_LINK=never",
		"GITHUB_ACTIONS=true", "GITHUB_SHA=3f2a9c1be07d4455a6b7c8d9e0f1a2b3c4d5e6f7", "GITHUB_REF_NAME=main", "GITHUB_REF_TYPE=branch")
	output, err := c.CombinedOutput()
	if err == nil || strings.Contains(string(output), "datacat: ") {
		t.Errorf("%v\n%s", err, output)
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile("^### ❌ go test\n\n1 passed, 1 failed\\. \\[Open in Datacat\\]\\(https://datacat.example/sessions/[0-9a-f-]{36}\\)\n\n" +
		"- `TestFails \\(example.org/small/bad\\)`: `got 1,`\n\n$")
	if !want.Match(text) {
		t.Errorf("%s", text)
	}
	if start := recorded(t, home).ops[0]; start.State["ci"]["branch"] != "main" || start.State["ci"]["provider"] != "github" {
		t.Errorf("%+v", start)
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
	r := recorded(t, home)
	if got := r.tests["p TestX"]; got.Test.Result != "passed" || *got.Test.DurationMs != 1250 {
		t.Errorf("%+v", got)
	}
	if end := r.ops[len(r.ops)-1]; *end.ExitCode != 0 {
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
	r := recorded(t, home)
	var figures []string
	for _, o := range r.ops {
		if o.Op == "metric" && o.Name == "benchmark" {
			figures = append(figures, "metric "+strings.Join(o.Tags, " ")+" "+o.Unit)
		}
		if o.Test.Kind == "benchmark" && o.Test.Result != "" {
			figures = append(figures, o.Test.Result+" "+o.Message+" "+o.Data.Iterations.String()+" "+o.Data.Allocations.String())
		}
	}
	want := "metric benchmark:example.org/small/fast.BenchmarkAll/one ns/op, passed BenchmarkAll/one 10000 0, metric benchmark:example.org/small/fast.BenchmarkAll/two ns/op, passed BenchmarkAll/two 10000 , passed BenchmarkAll  "
	if got := strings.Join(figures, ", "); got != want {
		t.Errorf("%s", got)
	}
	if bad := r.tests["fast BenchmarkBad"]; bad.Test.Result != "failed" || bad.ExceptionMsg != "no good" {
		t.Errorf("%+v", bad)
	}
	r.expectSound(t)
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
		if r := recorded(t, home); r.tests["package good"].Data.Cached != isCached || r.tests["good TestPasses"].Test.Result != "passed" {
			t.Errorf("cached: %v, recorded as %+v", isCached, r.tests["package good"])
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
	got := recorded(t, home).tests["p/a"]
	if got.ExceptionMsg != "undefined: nope" || got.SourceFile != "needed/n.go" || strings.Contains(got.Test.Output, "not this one") {
		t.Errorf("%+v", got)
	}
}

func TestAFailureOfTestifyIsItsErrorWithWhatWasCompared(t *testing.T) {
	lines := []string{
		"=== RUN   TestX\n", "printed    x_test.go:7: \n", "        \tError Trace:\t/x/x_test.go:7\n", "        \tError:      \tNot equal: \n",
		"        \t            \texpected: 1\n", "        \t            \tactual  : 2\n", "        \tTest:       \tTestX\n", "--- FAIL: TestX (0.00s)\n",
	}
	f := (&report{sources: &sources{}}).failure(&pkg{name: "p"}, &test{name: "TestX"}, lines)
	if x := f.exception; x.Message != "Not equal:" || x.File != "x_test.go" || x.Line != 7 || f.diff == nil || f.diff.Expected != "1" || f.diff.Actual != "2" {
		t.Errorf("%+v %+v", x, f.diff)
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
