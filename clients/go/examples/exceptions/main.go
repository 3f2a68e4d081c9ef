// Command exceptions records errors with their causes, and a panic that the program recovers from.
package main

import (
	"context"
	"fmt"
	"os"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "exceptions example"})
	defer session.End()

	if err := load("missing.cfg"); err != nil {
		session.LogException(err, datacat.Data{"attempt": 1})
	}
	session.Log(datacat.Event{Name: "save_failed", Category: datacat.Critical, Message: "the game is lost", Err: load("c.sav")})

	handle(session, []int{1, 2, 3}, 7)
	session.LogEvent("still_running", nil)
	fmt.Println(session.ID())
}

func load(name string) error {
	if _, err := os.ReadFile(name); err != nil {
		return fmt.Errorf("loading %s: %w", name, err)
	}
	return nil
}

// handle panics and recovers: LogPanic records the value of recover().
func handle(session *datacat.Session, items []int, index int) {
	defer func() { session.LogPanic(recover(), datacat.Data{"index": index}) }()
	fmt.Fprintln(os.Stderr, items[index])
}
