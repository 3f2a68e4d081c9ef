// Command basic records a session with some state, an event and a metric.
package main

import (
	"context"
	"fmt"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "basic example", Version: "1.0"})
	defer session.End()

	session.UpdateState(datacat.Data{"level": 1, "player": datacat.Data{"name": "Ada", "hp": 100}})
	session.LogEvent("door_opened", datacat.Data{"door": 7})
	session.UpdateState(datacat.Data{"level": 2, "player": datacat.Data{"hp": 80}}) // a merge: the name stays
	session.Gauge("fps", 59.94)

	fmt.Println(session.ID())
}
