// Crash: the last words of a program that panics, or (with -kill) of one that is killed without a chance to say any.
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
	kill := flag.Bool("kill", false, "be killed instead of panicking")
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
		select {} // until it arrives
	}
	var game *save
	fmt.Println(game.slots[9])
}
