package client

import "os"

// askToStop kills the process. Windows has no signal for a process without a console.
func askToStop(process *os.Process) error { return process.Kill() }
