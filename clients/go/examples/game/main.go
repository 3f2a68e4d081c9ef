// Command game is a loop of 60 frames a second that makes a hundred calls in each.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

const frame = time.Second / 60

func main() {
	seconds := flag.Float64("seconds", 2, "duration of the game in seconds")
	flag.Parse()

	session := datacat.Open(context.Background(), datacat.Options{Product: "game example", State: datacat.Data{"scene": "title"}})
	defer session.End()
	defer session.Recover()
	session.StartHeartbeatMonitor(5 * time.Second)

	frames := int(*seconds * 60)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	last := time.Now()
	for n := 0; n < frames; n++ {
		<-tick.C
		now := time.Now()
		session.Gauge("frame_ms", float64(now.Sub(last))/float64(time.Millisecond), datacat.Unit("ms"))
		session.Counter("frames", 1)
		last = now
		update(session, n)
		if n%30 == 0 {
			session.Heartbeat()
			session.UpdateState(datacat.Data{"scene": fmt.Sprint("level ", n/60+1), "frame": n})
		}
	}
	session.LogEvent("game_over", datacat.Data{"frames": frames})
	fmt.Println(session.ID())
}

// update moves 98 things and records the position of each.
func update(session *datacat.Session, n int) {
	for thing := 0; thing < 98; thing++ {
		x := math.Sin(float64(n+thing) / 10)
		session.Gauge(names[thing], x)
	}
}

var names = func() (names [98]string) {
	for i := range names {
		names[i] = fmt.Sprint("thing_", i, "_x")
	}
	return names
}()
