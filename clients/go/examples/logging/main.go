// Command logging records what the log package and (Go 1.21 and newer) log/slog log, as events.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "logging example"})
	defer session.End()

	logger := log.New(io.MultiWriter(os.Stderr, session.LogWriter("startup")), "", 0)
	logger.Print("reading the configuration")

	structured(session)
	fmt.Println(session.ID())
}
