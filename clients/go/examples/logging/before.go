//go:build !go1.21

package main

import datacat "github.com/datacat/datacat/clients/go/v2"

// structured does nothing: log/slog is new in Go 1.21.
func structured(*datacat.Session) {}
