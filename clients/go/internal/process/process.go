// Package process answers questions about processes and the machine, per operating system.
package process

import "time"

// loaded is when this package was initialised; it carries a reading of the monotonic clock.
var loaded = time.Now()

func sinceLoaded() int64 { return time.Since(loaded).Milliseconds() }
