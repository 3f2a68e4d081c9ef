// Command testrun runs tests of its own and records the run. For `go test`, use cmd/datacat-gotest.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

type test struct {
	name string
	run  func() error
}

var suite = []test{
	{"addition", func() error { time.Sleep(2 * time.Millisecond); return nil }},
	{"division", func() error { return errors.New("division by zero: got 0, want an error") }},
	{"subtraction", func() error { return nil }},
}

func main() {
	session := datacat.Open(context.Background(), datacat.Options{
		Product: "testrun example", Tags: []string{"tests"}, State: datacat.Data{"tests": datacat.Data{"total": len(suite)}},
	})
	passed, failed := 0, 0
	for _, t := range suite {
		if run(session, t) {
			passed++
		} else {
			failed++
		}
		session.UpdateState(datacat.Data{"tests": datacat.Data{"passed": passed, "failed": failed}})
	}
	fmt.Println(session.ID())

	code := 0
	if failed > 0 {
		code = 1
	}
	session.EndWith(code, "")
	os.Exit(code) // os.Exit runs no deferred call
}

func run(session *datacat.Session, t test) bool {
	session.UpdateState(datacat.Data{"running": t.name})
	timer := session.Timer("test_seconds")
	err := t.run()
	took := timer.Stop()

	result := "passed"
	if err != nil {
		result = "failed"
	}
	session.Log(datacat.Event{
		Name: "test", Tags: []string{result}, Message: t.name, Err: err,
		Data: datacat.Data{"test": t.name, "result": result, "duration_ms": float64(took) / float64(time.Millisecond)},
	})
	return err == nil
}
