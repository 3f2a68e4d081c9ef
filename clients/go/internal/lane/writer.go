package lane

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/process"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// Writer is the process behind a lane. What is unknown is empty, and left out of the header.
type Writer struct {
	Program    string
	Arguments  []string
	Language   string
	Client     string
	PID        int
	PIDStarted string
	ParentPID  int
	MachineID  string
	BootID     string
	Hostname   string
	OS         string
	User       string
}

var (
	thisProcess sync.Once
	thisWriter  Writer
)

// ThisWriter is this process. It is read once: none of it changes while the process runs. client is this client's name
// and version.
func ThisWriter(client string) Writer {
	thisProcess.Do(func() {
		hostname, _ := os.Hostname()
		program, arguments := "", []string(nil)
		if len(os.Args) > 0 { // a process can be started without any
			program, arguments = filepath.Base(os.Args[0]), secrets.Arguments(os.Args[1:])
		}
		thisWriter = Writer{
			Program:    program,
			Arguments:  arguments,
			Language:   "go " + strings.TrimPrefix(runtime.Version(), "go"),
			Client:     client,
			PID:        os.Getpid(),
			PIDStarted: process.StartOf(os.Getpid()),
			ParentPID:  os.Getppid(),
			MachineID:  process.MachineID(),
			BootID:     process.BootID(),
			Hostname:   hostname,
			OS:         runtime.GOOS + " " + architecture(),
			User:       userName(),
		}
	})
	return thisWriter
}

func userName() string {
	for _, variable := range []string{"USER", "LOGNAME", "USERNAME"} {
		if name := os.Getenv(variable); name != "" {
			return name
		}
	}
	return ""
}

// architecture is the processor's name as `uname -m` prints it.
func architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "386":
		return "i686"
	case "arm64":
		if runtime.GOOS == "linux" {
			return "aarch64"
		}
	}
	return runtime.GOARCH
}

// AppendJSON appends the writer as an object.
func (w *Writer) AppendJSON(b []byte) []byte {
	start := len(b)
	text := func(key, value string) {
		if value != "" {
			b = encode.AppendString(append(b, key...), value)
		}
	}
	whole := func(key string, value int) {
		if value != 0 {
			b = strconv.AppendInt(append(b, key...), int64(value), 10)
		}
	}
	text(`,"program":`, w.Program)
	if w.Arguments != nil {
		b = encode.AppendStrings(append(b, `,"arguments":`...), w.Arguments)
	}
	text(`,"language":`, w.Language)
	text(`,"client":`, w.Client)
	whole(`,"pid":`, w.PID)
	text(`,"pid_started":`, w.PIDStarted)
	whole(`,"parent_pid":`, w.ParentPID)
	text(`,"machine_id":`, w.MachineID)
	text(`,"boot_id":`, w.BootID)
	text(`,"hostname":`, w.Hostname)
	text(`,"os":`, w.OS)
	text(`,"user":`, w.User)
	if len(b) == start {
		b = append(b, ',')
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}
