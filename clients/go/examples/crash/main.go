// Command crash panics, or with -kill is killed: its last records, and how the session ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

type save struct{ slots []string }

func main() {
	kill := flag.Bool("kill", false, "kill the process instead of panicking")
	flag.Parse()

	session := datacat.Open(context.Background(), datacat.Options{Product: "crash example"})
	defer session.End()
	defer session.Recover()
	fmt.Println(session.ID())

	session.UpdateState(datacat.Data{"doing": "loading", "slot": 9})
	session.LogEvent("about_to_crash", datacat.Data{"kill": *kill})
	if *kill {
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
		select {} // until the signal arrives
	}
	var game *save
	fmt.Println(game.slots[9])
}
