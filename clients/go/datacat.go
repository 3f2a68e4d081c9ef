// Package datacat records what a program does, up to the moment of a crash. No call returns an error, panics, prints, or
// waits for a network: each one is a write to a file that the Datacat daemon reads.
//
//	session := datacat.Open(context.Background(), datacat.Options{Product: "game", Version: "1.4.2"})
//	defer session.End()
//	defer session.Recover()
//
//	session.UpdateState(datacat.Data{"level": 3})
//	session.LogEvent("door_opened", datacat.Data{"door": 7})
//	session.Gauge("fps", 59.94)
//
// Options that are not set come from the environment (DATACAT_URL, DATACAT_PRODUCT, DATACAT_VERSION, DATACAT_SESSION,
// DATACAT_HOME). The zero Session opens itself with its first call, and a nil *Session does nothing. All methods may be
// called from any goroutine.
package datacat

import (
	"context"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
)

// Version is the version of this client.
const Version = "2.0.0"

// Options configure a session. The zero value takes everything from the environment.
type Options struct {
	// URL is the server's address. Default: DATACAT_URL, else the daemon's own server.
	URL string
	// Product and Version group sessions on the dashboard. Default: DATACAT_PRODUCT, DATACAT_VERSION.
	Product, Version string
	// Tags are what sessions are found and grouped by: "key:value", or a key without a value. At most 64. Tag makes one, and
	// TagsOf those of a map: TagsOf(Data{"branch": "main", "nightly": true}). DATACAT_TAGS adds to them.
	Tags []string
	// State is the first state: Data, an Object, or a struct.
	State any
	// Direct sends from this process instead of writing files for the daemon. It is for programs without a file system.
	Direct bool
	// Key is the API key in direct mode. Default: DATACAT_KEY.
	Key string
	// Join is the id of a session that another process opened. Records are added to it. Default: DATACAT_SESSION.
	Join string
	// Home is Datacat's folder on this machine. Default: DATACAT_HOME, else the folder for state of the operating system.
	Home string
	// NoStacks takes no samples of the stacks while the program hangs, and leaves runtime/debug.SetCrashOutput to the program.
	// Default: true if DATACAT_STACKS is 0. An output that the program sets itself stays.
	NoStacks bool
}

// Data is a free-form object: the data of an event, a patch of the state, or metadata.
type Data = map[string]any

// Object is Data whose keys keep their order: Object{{Key: "z", Value: 1}, {Key: "a", Value: 2}}. Each element is a Field.
type Object = encode.Object

// Field is one member of an Object: its Key (a string) and its Value (any).
type Field = encode.Field

// Open opens a session. It always returns one that can be used, also when nothing can be recorded; Stats shows what was.
// In direct mode ctx bounds the background sender: when ctx is done, it sends what is queued once and stops.
func Open(ctx context.Context, options Options) *Session {
	s := &Session{ctx: ctx, options: options}
	s.ready()
	return s
}
