package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

const (
	// How long a daemon may take until it listens, and until it has stopped.
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
	pollInterval = 20 * time.Millisecond
)

// DaemonManager starts and stops a daemon that serves this program alone.
type DaemonManager struct {
	daemonPort, serverURL, daemonBinary string

	mu         sync.Mutex
	process    *os.Process
	exited     chan struct{} // closed when the process is gone
	configPath string
}

// NewDaemonManager prepares a daemon: on a free port with daemonPort "auto" (and "8079", which belongs to the user's own
// daemon); found by daemonBinary, or if that is empty as `datacat-daemon` on the PATH, in this folder, in
// ./cmd/datacat-daemon or ./bin.
func NewDaemonManager(daemonPort, serverURL, daemonBinary string) *DaemonManager {
	return &DaemonManager{daemonPort: daemonPort, serverURL: serverURL, daemonBinary: daemonBinary}
}

// Start starts the daemon and returns once it listens.
func (m *DaemonManager) Start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isRunning() {
		return nil
	}
	binary := m.daemonBinary
	if binary == "" {
		binary = findDaemon()
	}
	if binary == "" {
		return errors.New("failed to start daemon: there is no datacat-daemon on the PATH nor in ./bin; put it there, or name it with DATACAT_DAEMON")
	}
	if m.daemonPort == "" || m.daemonPort == "auto" || m.daemonPort == "8079" {
		port, err := freePort()
		if err != nil {
			return fmt.Errorf("failed to find a free port: %w", err)
		}
		m.daemonPort = port
	}
	if err := m.writeConfig(); err != nil {
		return fmt.Errorf("failed to write the daemon's configuration: %w", err)
	}
	if err := m.spawn(binary); err != nil {
		m.removeConfig()
		return fmt.Errorf("failed to start daemon %s: %w", binary, err)
	}
	if err := m.awaitListening(); err != nil {
		m.kill()
		return fmt.Errorf("failed to start daemon %s: %w", binary, err)
	}
	return nil
}

// Stop stops the daemon: it is asked first, so that it sends what it has, and killed if it has not gone after five seconds.
func (m *DaemonManager) Stop() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return nil
	}
	if m.isRunning() && askToStop(m.process) == nil {
		select {
		case <-m.exited:
		case <-time.After(stopTimeout):
		}
	}
	m.kill()
	return nil
}

// IsRunning tells whether the daemon that Start started still lives.
func (m *DaemonManager) IsRunning() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.isRunning()
}

func (m *DaemonManager) isRunning() bool {
	if m.process == nil {
		return false
	}
	select {
	case <-m.exited:
		return false
	default:
		return true
	}
}

func (m *DaemonManager) baseURL() string { return "http://localhost:" + m.daemonPort }

// writeConfig writes 1.x's file, in the temporary folder and not where the program happens to run.
func (m *DaemonManager) writeConfig() error {
	file, err := os.CreateTemp("", "datacat_daemon_config_*.json")
	if err != nil {
		return err
	}
	defer file.Close()
	m.configPath = file.Name()
	return json.NewEncoder(file).Encode(map[string]interface{}{
		"daemon_port":               m.daemonPort,
		"server_url":                m.serverURL,
		"batch_interval_seconds":    5,
		"max_batch_size":            100,
		"heartbeat_timeout_seconds": 60,
	})
}

func (m *DaemonManager) removeConfig() { os.Remove(m.configPath) }

func (m *DaemonManager) spawn(binary string) error {
	command := exec.Command(binary) // with no streams given, all three are the null device
	command.Env = append(os.Environ(), "DATACAT_CONFIG="+m.configPath)
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	m.process, m.exited = command.Process, exited
	go func() {
		command.Wait() //nolint:errcheck // so that it leaves no zombie; how it went does not matter
		close(exited)
	}()
	return nil
}

func (m *DaemonManager) awaitListening() error {
	client := &http.Client{Timeout: time.Second}
	for until := time.Now().Add(startTimeout); time.Now().Before(until); {
		if response, err := client.Get(m.baseURL() + "/health"); err == nil {
			response.Body.Close()
			return nil
		}
		select {
		case <-m.exited:
			return errors.New("it ended at once")
		case <-time.After(pollInterval):
		}
	}
	return fmt.Errorf("it does not listen on port %s", m.daemonPort)
}

func (m *DaemonManager) kill() {
	if m.isRunning() {
		m.process.Kill() //nolint:errcheck // gone already
		<-m.exited
	}
	m.process = nil
	m.removeConfig()
}

// findDaemon answers the executable's full path, or nothing. 1.x answered bare names, which os/exec then did not find.
func findDaemon() string {
	if named := os.Getenv("DATACAT_DAEMON"); named != "" && named != "off" {
		return named
	}
	name := "datacat-daemon"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, folder := range []string{".", filepath.Join("cmd", "datacat-daemon"), "bin"} {
		path, err := filepath.Abs(filepath.Join(folder, name))
		if info, missing := os.Stat(path); err == nil && missing == nil && !info.IsDir() {
			return path
		}
	}
	return ""
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
