// Command complete makes each call of the client once.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

type player struct {
	Name  string   `json:"name"`
	HP    int      `json:"hp"`
	Items []string `json:"items,omitempty"`
}

func main() {
	ctx := context.Background()
	session := datacat.Open(ctx, datacat.Options{
		Product: "complete example",
		Version: "2.1.0",
		Tags:    []string{"example", "nightly"},
		State:   datacat.Data{"phase": "starting", "player": player{Name: "Ada", HP: 100}},
	})
	defer session.End()
	defer session.Recover()

	session.StartHeartbeatMonitor(30 * time.Second)
	play(datacat.NewContext(ctx, session))
	session.UpdateState(datacat.Data{"phase": "done", "player": nil}) // nil deletes a key

	fmt.Println(session.ID())
}

// play takes the session from its context, as code far from main does.
func play(ctx context.Context) {
	session := datacat.FromContext(ctx)
	defer session.Timer("play").Stop()

	session.UpdateState(datacat.Data{"phase": "playing", "player": player{Name: "Ada", HP: 80, Items: []string{"sword"}}})
	session.Log(datacat.Event{
		Name: "door_opened", Category: datacat.Warning, Group: "world.doors", Tags: []string{datacat.Tag("material", "wood"), "locked"},
		Message: "It creaks", Data: datacat.Data{"door": 7, "password": "never leaves this process"},
	})
	session.LogException(fmt.Errorf("saving the game: %w", errors.New("disk on fire")), datacat.Data{"file": "a.sav"})

	for i := 0; i < 5; i++ {
		session.Gauge("temperature", 61.5+float64(i), datacat.Unit("celsius"), datacat.Tags("cpu"), datacat.Metadata(datacat.Data{"sensor": "k10"}))
		session.Counter("bytes_sent", 1500, datacat.Unit("bytes"))
		session.Histogram("request_seconds", 0.02*float64(i))
		session.Histogram("size", math.Pow(10, float64(i)), datacat.Unit("kB"), datacat.Buckets(1, 10, 100))
		session.Heartbeat()
	}
	frames := session.Timer("frames", datacat.Unit("milliseconds"))
	frames.Add(60)
	frames.Stop()

	session.Pause() // e.g. while a file dialog is open: no heartbeats follow
	session.Resume()
	session.UpdateState(datacat.Data{"odd": datacat.Data{"nan": math.NaN(), "huge": uint64(math.MaxUint64), "channel": make(chan int)}})
}
