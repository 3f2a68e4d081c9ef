// Command windows records an application's windows as state: which are open, their positions, and which has the focus. Each
// change is an entry of the session's history, so the page shows what was on the screen at any moment.
package main

import (
	"context"
	"fmt"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

type window struct {
	Title  string `json:"title"`
	X      int    `json:"x"`
	Y      int    `json:"y"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// desk records the windows of one application.
type desk struct {
	session *datacat.Session
	open    int
}

func (d *desk) opened(id string, w window) {
	d.open++
	d.session.UpdateState(datacat.Data{"windows": datacat.Data{id: w}, "focus": id, "open": d.open})
	d.session.LogEvent("window_opened", datacat.Data{"window": id, "title": w.Title})
}

func (d *desk) moved(id string, x, y int) {
	d.session.UpdateState(datacat.Data{"windows": datacat.Data{id: datacat.Data{"x": x, "y": y}}})
}

func (d *desk) focused(id string) {
	d.session.UpdateState(datacat.Data{"focus": id})
}

func (d *desk) closed(id, next string) {
	d.open--
	d.session.UpdateState(datacat.Data{"windows": datacat.Data{id: nil}, "focus": next, "open": d.open})
	d.session.LogEvent("window_closed", datacat.Data{"window": id})
}

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "windows example"})
	defer session.End()

	d := desk{session: session}
	d.opened("main", window{"Untitled - Editor", 0, 0, 1280, 800})
	d.opened("find", window{"Find", 400, 200, 320, 120})
	d.moved("find", 600, 250)
	d.focused("main")
	d.closed("find", "main")

	fmt.Println(session.ID())
}
