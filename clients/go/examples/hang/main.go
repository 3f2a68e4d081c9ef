// Hang: a loop that must not stand still, and does for a while. The daemon says so on the session, and when it is over.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	timeout := flag.Duration("timeout", 2*time.Second, "silence that counts as a hang")
	stuck := flag.Duration("stuck", 6*time.Second, "how long to hang")
	flag.Parse()

	session := datacat.Open(context.Background(), datacat.Options{Product: "hang example"})
	defer session.End()

	session.StartHeartbeatMonitor(*timeout)
	work(session, 5)
	session.UpdateState(datacat.Data{"doing": "waiting for a lock that nobody gives back"})
	time.Sleep(*stuck)
	work(session, 5)

	session.Pause() // asleep on purpose: no hang
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
