package client

import "os"

// askToStop: Windows has no signal that asks a process without a console.
func askToStop(process *os.Process) error { return process.Kill() }
