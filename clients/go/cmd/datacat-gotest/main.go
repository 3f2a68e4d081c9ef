// Command datacat-gotest records a test run: a session for the run, and an event for each test with its result, its duration
// and the output of a failure.
//
//	datacat-gotest ./...                       runs `go test -json ./...`
//	go test -json ./... | datacat-gotest       reads the output of one
//
// It prints what `go test` prints, and exits with its exit code. -v prints everything.
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

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	if len(os.Args) == 2 && (os.Args[1] == "-h" || os.Args[1] == "--help") {
		fmt.Println("Usage: datacat-gotest [arguments of go test]\n       go test -json ./... | datacat-gotest [-v]\n\nRecord a test run with Datacat. The product of the session is DATACAT_PRODUCT, else the last part of the module's path.")
		return
	}
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) (exitCode int) {
	session := datacat.Open(context.Background(), datacat.Options{Product: product(), Tags: []string{"go test"}})
	defer session.Recover()
	r := newReport(session, os.Stdout, isVerbose(arguments))

	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt) // go test receives it too, and its last output is still read

	if isPiped(arguments) {
		exitCode = r.read(os.Stdin)
	} else {
		exitCode = execute(r, arguments)
	}
	select {
	case <-interrupted:
		session.EndWith(exitCode, "SIGINT")
	default:
		session.EndWith(exitCode, "")
	}
	return exitCode
}

func execute(r *report, arguments []string) int {
	command := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "datacat-gotest: cannot run go test:", err)
		return 1
	}
	recorded := r.read(output)
	err = command.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case err != nil:
		return 1
	}
	return recorded
}

// isPiped reports whether the output of a run is read from standard input: without arguments of go test, and where the
// input is not a terminal.
func isPiped(arguments []string) bool {
	for _, argument := range arguments {
		if argument != "-v" {
			return false
		}
	}
	info, err := os.Stdin.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

func isVerbose(arguments []string) bool {
	for _, argument := range arguments {
		if argument == "-v" || argument == "-v=true" || argument == "-test.v" {
			return true
		}
	}
	return false
}

// product is DATACAT_PRODUCT, else the last part of the module's path in the nearest go.mod.
func product() string {
	if named := os.Getenv("DATACAT_PRODUCT"); named != "" {
		return named
	}
	folder, err := os.Getwd()
	for ; err == nil; folder = filepath.Dir(folder) {
		text, missing := os.ReadFile(filepath.Join(folder, "go.mod"))
		if missing == nil {
			for _, line := range strings.Split(string(text), "\n") {
				if name := strings.TrimPrefix(line, "module "); name != line {
					return filepath.Base(strings.Trim(strings.TrimSpace(name), `"`))
				}
			}
		}
		if folder == filepath.Dir(folder) {
			break
		}
	}
	return "go test"
}
