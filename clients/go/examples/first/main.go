package main

import (
	"context"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "game", Version: "1.4.2"})
	defer session.End()
	defer session.Recover() // records a panic, which then continues

	session.UpdateState(datacat.Data{"level": 3, "player": datacat.Data{"hp": 100}})
	session.LogEvent("door_opened", datacat.Data{"door": 7})
	session.Gauge("fps", 59.94)
}
