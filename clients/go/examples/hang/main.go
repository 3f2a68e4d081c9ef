// Command hang is a loop that stops for a while. The daemon records the hang, and its end.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	timeout := flag.Duration("timeout", 2*time.Second, "time without a heartbeat that counts as a hang")
	stuck := flag.Duration("stuck", 6*time.Second, "duration of the hang")
	flag.Parse()

	session := datacat.Open(context.Background(), datacat.Options{Product: "hang example"})
	defer session.End()

	session.StartHeartbeatMonitor(*timeout)
	work(session, 5)
	session.UpdateState(datacat.Data{"doing": "waiting for a lock that is never released"})
	time.Sleep(*stuck)
	work(session, 5)

	session.Pause() // it will sleep, which is not a hang
	time.Sleep(*timeout + *timeout/2)
	session.Resume()
	work(session, 2)
	fmt.Println(session.ID())
}

func work(session *datacat.Session, rounds int) {
	for i := 0; i < rounds; i++ {
		session.UpdateState(datacat.Data{"doing": "working", "round": i})
		session.Heartbeat()
		time.Sleep(50 * time.Millisecond)
	}
}
