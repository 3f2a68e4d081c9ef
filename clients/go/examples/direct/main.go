// Direct: without a disk and without a daemon, for containers and functions. Records wait in memory and are sent to the
// server in the background; End waits for it, two seconds at most.
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
	if err := session.Flush(until); err != nil { // only where a program cannot go on before its records are safe
		fmt.Println("not sent yet:", err, session.Stats())
	}
	session.LogEvent("flushed", nil)
	fmt.Println(session.ID())
}
