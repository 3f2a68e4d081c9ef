// Command compatible is a program written for datacat 1.x's Go client. Only its import path is new.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/datacat/datacat/clients/go/v2/client"
)

func main() {
	useDaemon := flag.Bool("daemon", false, "start a daemon and send to it")
	flag.Parse()

	c := client.NewClient(os.Getenv("DATACAT_URL"))
	if *useDaemon {
		var err error
		if c, err = client.NewClientWithDaemon(os.Getenv("DATACAT_URL"), "auto"); err != nil {
			log.Fatal(err)
		}
		defer c.Close()
	}
	id, err := c.CreateSession("compatible example", "1.0")
	if err != nil {
		log.Fatal(err)
	}

	count := 90
	for _, err := range []error{
		c.UpdateState(id, map[string]interface{}{"level": 1, "player": map[string]interface{}{"hp": 100}}),
		c.UpdateState(id, map[string]interface{}{"player": map[string]interface{}{"hp": 80}}),
		c.LogEvent(id, "door_opened", map[string]interface{}{"door": 7}),
		c.LogMetric(id, "fps", 59.94, []string{"main"}),
		c.LogMetricWithType(id, "frames", "timer", 1.5, nil, &count, "seconds", map[string]interface{}{"scene": "title"}),
		c.Heartbeat(id),
		c.EndSession(id),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}

	session, err := c.GetSession(id)
	if err != nil {
		log.Fatal(err)
	}
	all, err := c.GetAllSessions()
	if err != nil {
		log.Fatal(err)
	}
	isListed := false
	for _, each := range all {
		isListed = isListed || each.ID == id
	}
	fmt.Println("active:", session.Active, "ended:", session.EndedAt != nil, "events:", len(session.Events),
		"metrics:", len(session.Metrics), "snapshots:", len(session.StateHistory), "listed:", isListed)
	fmt.Println(id)
}
