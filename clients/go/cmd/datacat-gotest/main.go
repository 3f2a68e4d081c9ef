// Command datacat-gotest records a test run: a session for the run, and each test with its start, its result, its duration and
// the output of a failure.
//
//	datacat-gotest ./...                       runs `go test -json ./...`
//	go test -json ./... | datacat-gotest       reads the output of one
//
// It prints what `go test` prints, and exits with its exit code. -v prints everything, and -json what `go test -json` does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
	"github.com/datacat/datacat/clients/go/v2/internal/ci"
)

const usage = `Usage: datacat-gotest [arguments of go test]
       go test -json ./... | datacat-gotest [-v] [-json]

Record a test run with Datacat. The product of the session is DATACAT_PRODUCT, else the last part of the module's path; its
version DATACAT_VERSION, else the commit. DATACAT_LINK: when the link to the session is printed at the end, always
(default), failure or never.`

func main() {
	if len(os.Args) == 2 && (os.Args[1] == "-h" || os.Args[1] == "--help") {
		fmt.Println(usage)
		return
	}
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) (exitCode int) {
	call := parse(arguments)
	root, module := findModule()
	options := datacat.Options{Product: product(module), Tags: []string{"go test"}, State: datacat.Object{{Key: "tests", Value: runner(root)}}}
	if os.Getenv("DATACAT_DISABLED") == "" {
		if context := ci.Read(root); context != nil {
			options.State = append(options.State.(datacat.Object), datacat.Field{Key: "ci", Value: context.Object()})
			if os.Getenv("DATACAT_VERSION") == "" {
				options.Version = context.Version()
			}
		}
	}
	session := datacat.Open(context.Background(), options)
	defer session.Recover()
	r := newReport(session, os.Stdout, call)
	r.sources = &sources{root: root, module: module}

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var received string
	if isPiped(call.arguments) {
		// go test receives SIGINT too, and its last output is still read.
		exitCode = r.read(os.Stdin)
		select {
		case got := <-signals:
			received = nameOf(got)
		default:
		}
	} else {
		exitCode, received = execute(r, call.arguments, signals)
	}
	r.finish(exitCode)
	session.EndWith(exitCode, received)
	return exitCode
}

// execute runs go test and returns its exit code, and the signal that ended the run.
func execute(r *report, arguments []string, signals <-chan os.Signal) (exitCode int, received string) {
	command := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	command.Stderr = os.Stderr
	command.Stdin = os.Stdin
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "datacat-gotest: cannot run go test:", err)
		return 1, ""
	}
	isOver := make(chan struct{})
	isRead := make(chan string, 1)
	go func() {
		name := ""
		select {
		case got := <-signals:
			name = nameOf(got)
			if got != os.Interrupt { // the terminal sends that to go test, too
				command.Process.Signal(got) //nolint:errcheck // it may have ended
			}
			select {
			case <-isOver:
			case <-time.After(endTime):
				output.Close() //nolint:errcheck // tests that ignore the signal hold it
			}
		case <-isOver:
		}
		isRead <- name
	}()
	recorded := r.read(output)
	close(isOver)
	received = <-isRead
	err = command.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode(), received
	case err != nil:
		return 1, received
	}
	return recorded, received
}

func nameOf(received os.Signal) string {
	if received == os.Interrupt {
		return "SIGINT"
	}
	return "SIGTERM"
}

// invocation is what the arguments ask for.
type invocation struct {
	arguments         []string // of go test, without those below
	isVerbose, isJSON bool
}

// parse takes out -v and -json: with -json, go test runs its tests verbosely in a format in which what they print cannot be
// taken for its own marks, and an explicit -v would replace that format.
func parse(arguments []string) invocation {
	var call invocation
	for i, argument := range arguments {
		name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(argument, "-"), "-"), "=")
		isOn := !hasValue || value == "true" || value == "1"
		switch {
		case argument == "-args" || argument == "--args":
			call.arguments = append(call.arguments, arguments[i:]...)
			return call
		case !strings.HasPrefix(argument, "-"):
			call.arguments = append(call.arguments, argument)
		case name == "v" || name == "test.v":
			call.isVerbose = isOn || value == "test2json"
		case name == "json":
			call.isJSON = isOn
		default:
			call.arguments = append(call.arguments, argument)
		}
	}
	return call
}

// isPiped reports whether the output of a run is read from standard input: without arguments of go test, and where the
// input is neither a terminal nor empty.
func isPiped(arguments []string) bool {
	if len(arguments) > 0 {
		return false
	}
	info, err := os.Stdin.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// findModule is the folder and the path of the module around the current folder, from the nearest go.mod.
func findModule() (root, module string) {
	current, err := os.Getwd()
	for folder := current; err == nil; folder = filepath.Dir(folder) {
		text, missing := os.ReadFile(filepath.Join(folder, "go.mod"))
		if missing == nil {
			for _, line := range strings.Split(string(text), "\n") {
				if name := strings.TrimPrefix(line, "module "); name != line {
					return folder, strings.Trim(strings.TrimSpace(strings.SplitN(name, "//", 2)[0]), `"`)
				}
			}
		}
		if folder == filepath.Dir(folder) {
			break
		}
	}
	return current, ""
}

func product(module string) string {
	if named := os.Getenv("DATACAT_PRODUCT"); named != "" {
		return named
	}
	if module == "" {
		return "go test"
	}
	return filepath.Base(module)
}

// runner is the state "tests" at the start.
func runner(root string) datacat.Object {
	name := "go test"
	if version, err := exec.Command("go", "env", "GOVERSION").Output(); err == nil && len(version) < maxLine {
		name = strings.TrimSpace("go test " + strings.TrimPrefix(strings.TrimSpace(string(version)), "go"))
	}
	return datacat.Object{{Key: "runner", Value: name}, {Key: "root", Value: filepath.Base(root)}}
}
