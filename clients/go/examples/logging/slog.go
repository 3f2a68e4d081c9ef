//go:build go1.21

package main

import (
	"errors"
	"log/slog"
	"os"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

// structured logs by log/slog.
func structured(session *datacat.Session) {
	logger := slog.New(datacat.NewLogHandler(session, datacat.LogOptions{
		Group: "app",
		Next:  slog.NewTextHandler(os.Stderr, nil), // it is still printed
	}))
	logger.Info("listening", "port", 8080, slog.Group("tls", "enabled", true, "private_key", "never recorded"))
	logger.With("request", 7).Warn("slow", "seconds", 2.5)
	logger.Error("cannot save", "err", errors.New("no space left"), "file", "a.sav")
}
