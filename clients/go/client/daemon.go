package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/daemon"
)

// DaemonManager starts and stops a daemon that serves this program only.
type DaemonManager struct {
	daemonPort, serverURL, daemonBinary string

	mu         sync.Mutex
	process    *os.Process
	exited     chan struct{} // closed when the process has exited
	configPath string
}

// NewDaemonManager prepares a daemon. With daemonPort "auto" (and "8079", the port of the user's own daemon) it listens on a
// free port. Its executable is daemonBinary, or if that is empty DATACAT_DAEMON, else `datacat-daemon` beside the program's
// executable, in bin beside it, or on the PATH. Unlike 1.x's client it does not search the current directory, where another
// user may have put a file of that name.
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
		binary = daemon.Find()
		daemon.FindOriginal("has what that daemon offers, and loses what it holds when it ends")
	}
	if binary == "" {
		return errors.New("failed to start daemon: there is no datacat-daemon beside the program, in bin beside it or on the PATH; put it there, or name it with DATACAT_DAEMON")
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

// Stop ends the daemon: by SIGTERM, on which it sends what it has, and by a kill if it still runs after five seconds.
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

// IsRunning reports whether the daemon that Start started still runs.
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

// writeConfig writes the configuration of 1.x's daemon into the temporary folder.
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
	command := exec.Command(binary) // without streams of its own: all three are the null device
	command.Env = append(daemon.Environ(), "DATACAT_CONFIG="+m.configPath)
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	m.process, m.exited = command.Process, exited
	go func() {
		command.Wait() //nolint:errcheck // it only prevents a zombie; the exit code does not matter
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
			return errors.New("it exited before it listened")
		case <-time.After(pollInterval):
		}
	}
	return fmt.Errorf("it does not listen on port %s", m.daemonPort)
}

func (m *DaemonManager) kill() {
	if m.isRunning() {
		m.process.Kill() //nolint:errcheck // it has exited already
		<-m.exited
	}
	m.process = nil
	m.removeConfig()
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
