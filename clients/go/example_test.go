package datacat_test

import (
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func Example() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "game", Version: "1.4.2"})
	defer session.End()
	defer session.Recover()

	session.UpdateState(datacat.Data{"level": 3, "player": datacat.Data{"hp": 100}})
	session.LogEvent("door_opened", datacat.Data{"door": 7})
	session.Gauge("fps", 59.94)
}

func ExampleSession_LogException() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	if _, err := os.ReadFile("settings.json"); err != nil && !errors.Is(err, os.ErrNotExist) {
		session.LogException(err, datacat.Data{"file": "settings.json"})
	}
}

func ExampleSession_LogPanic() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	handle := func() {
		defer func() { session.LogPanic(recover(), nil) }()
		panic("this request is lost, the program is not")
	}
	handle()
}

func ExampleSession_Timer() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	load := func() {
		defer session.Timer("load").Stop()
		time.Sleep(time.Millisecond)
	}
	load()
}

func ExampleSession_Environment() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	child := exec.Command("true")
	child.Env = append(os.Environ(), session.Environment()...) // it records into this session
	if err := child.Run(); err != nil {
		session.LogException(err, nil)
	}
}

func ExampleSession_LogWriter() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	logger := log.New(session.LogWriter("app"), "", 0)
	logger.Print("hello")
}

func ExampleFromContext() {
	session := datacat.Open(context.Background(), datacat.Options{})
	defer session.End()

	deep := func(ctx context.Context) {
		datacat.FromContext(ctx).Counter("calls", 1) // nothing happens if ctx carries no session
	}
	deep(datacat.NewContext(context.Background(), session))
}
