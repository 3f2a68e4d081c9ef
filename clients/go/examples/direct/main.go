// Command direct records without a disk and without a daemon, as in a container or a function. Records wait in memory and
// are sent in the background; End waits for the server, two seconds at most.
package main

import (
	"context"
	"fmt"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	session := datacat.Open(ctx, datacat.Options{Product: "direct example", Direct: true})
	defer session.End()
	defer session.Recover()

	for i := 0; i < 2_500; i++ {
		session.Gauge("step", float64(i))
		session.Counter("steps", 1)
	}
	session.UpdateState(datacat.Data{"phase": "sent"})

	until, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := session.Flush(until); err != nil { // only for a program that must not continue before its records are stored
		fmt.Println("not sent yet:", err, session.Stats())
	}
	session.LogEvent("flushed", nil)
	fmt.Println(session.ID())
}
