// Package client is datacat 1.x's Go client: the same names, signatures and requests, to a server or to a daemon of its own.
// A program written for 1.x changes only its import path. New programs use the package
// github.com/datacat/datacat/clients/go/v2, whose calls return no errors and do not wait.
package client

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Client sends requests to a Datacat server, or to a daemon on this machine.
type Client struct {
	BaseURL       string
	HTTPClient    *http.Client
	UseDaemon     bool
	DaemonManager *DaemonManager
}

// Session is a session as 1.x's API returns it.
type Session struct {
	ID            string                 `json:"id"`
	CreatedAt     time.Time              `json:"created_at"`
	UpdatedAt     time.Time              `json:"updated_at"`
	EndedAt       *time.Time             `json:"ended_at,omitempty"`
	LastHeartbeat *time.Time             `json:"last_heartbeat,omitempty"`
	Active        bool                   `json:"active"`
	Suspended     bool                   `json:"suspended"`
	Crashed       bool                   `json:"crashed"`
	Hung          bool                   `json:"hung"`
	MachineID     string                 `json:"machine_id,omitempty"`
	Hostname      string                 `json:"hostname,omitempty"`
	State         map[string]interface{} `json:"state"`
	StateHistory  []StateSnapshot        `json:"state_history"`
	Events        []Event                `json:"events"`
	Metrics       []Metric               `json:"metrics"`
}

// StateSnapshot is the whole state at a time.
type StateSnapshot struct {
	Timestamp time.Time              `json:"timestamp"`
	State     map[string]interface{} `json:"state"`
}

// Event is something that happened.
type Event struct {
	Timestamp      time.Time              `json:"timestamp"`
	Name           string                 `json:"name"`
	Category       string                 `json:"category"`
	Group          string                 `json:"group"`
	Labels         []string               `json:"labels"`
	Message        string                 `json:"message"`
	Data           map[string]interface{} `json:"data"`
	Stacktrace     []string               `json:"stacktrace,omitempty"`
	ExceptionType  string                 `json:"exception_type,omitempty"`
	ExceptionMsg   string                 `json:"exception_msg,omitempty"`
	SourceFile     string                 `json:"source_file,omitempty"`
	SourceLine     int                    `json:"source_line,omitempty"`
	SourceFunction string                 `json:"source_function,omitempty"`
}

// Metric is one measurement.
type Metric struct {
	Timestamp time.Time              `json:"timestamp"`
	Name      string                 `json:"name"`
	Type      string                 `json:"type"`
	Value     float64                `json:"value"`
	Count     *int                   `json:"count,omitempty"`
	Unit      string                 `json:"unit,omitempty"`
	Tags      []string               `json:"tags,omitempty"`
	Metadata  map[string]interface{} `json:"metadata,omitempty"`
}

// NewClient makes a client of the server. The API key, if the server requires one, is DATACAT_KEY.
func NewClient(baseURL string) *Client {
	return &Client{
		BaseURL:    strings.TrimRight(baseURL, "/"),
		HTTPClient: &http.Client{Timeout: requestTimeout},
	}
}

// NewClientWithDaemon starts a daemon of its own, with daemonPort "auto" on a free port, and makes a client of it. The daemon
// accepts everything at once, and sends it when the server is up.
func NewClientWithDaemon(serverURL, daemonPort string) (*Client, error) {
	manager := NewDaemonManager(daemonPort, serverURL, "")
	if err := manager.Start(); err != nil {
		return nil, err
	}
	c := NewClient(manager.baseURL())
	c.UseDaemon, c.DaemonManager = true, manager
	return c, nil
}

// Close stops the client's daemon, if it has one. The daemon sends what it can first.
func (c *Client) Close() error {
	if c.DaemonManager == nil {
		return nil
	}
	return c.DaemonManager.Stop()
}

// CreateSession opens a session and returns its id. Its arguments are the product and the version; 1.x required them, and
// its first version had neither.
func (c *Client) CreateSession(productAndVersion ...string) (string, error) {
	body := map[string]interface{}{}
	for i, name := range []string{"product", "version"} {
		if i < len(productAndVersion) {
			body[name] = productAndVersion[i]
		}
	}
	path := "/api/sessions"
	if c.UseDaemon {
		path, body["parent_pid"] = "/register", os.Getpid()
	} else if hostname, err := os.Hostname(); err == nil {
		body["hostname"] = hostname
	}
	var created map[string]string
	if err := c.post("create session", path, body, &created); err != nil {
		return "", err
	}
	return created["session_id"], nil
}

// GetSession returns a session with all its events, metrics and states.
func (c *Client) GetSession(sessionID string) (*Session, error) {
	path := "/api/sessions/" + url.PathEscape(sessionID)
	if c.UseDaemon {
		path = "/session?session_id=" + url.QueryEscape(sessionID)
	}
	var session Session
	if err := c.get("get session", path, &session); err != nil {
		return nil, err
	}
	return &session, nil
}

// UpdateState merges a patch into a session's state: objects are merged, nil deletes a key, every other value replaces.
func (c *Client) UpdateState(sessionID string, state map[string]interface{}) error {
	if c.UseDaemon {
		return c.post("update state", "/state", map[string]interface{}{"session_id": sessionID, "state": state}, nil)
	}
	body := map[string]interface{}{}
	isAmbiguous := false
	for key, value := range state {
		body[key] = value
		isAmbiguous = isAmbiguous || strings.EqualFold(key, "state") || strings.EqualFold(key, "timestamp")
	}
	if isAmbiguous { // the server reads these keys of a body that is not wrapped as the state and its time
		body = map[string]interface{}{"state": body}
	}
	return c.post("update state", path(sessionID, "state"), body, nil)
}

// LogEvent records an event.
func (c *Client) LogEvent(sessionID, name string, data map[string]interface{}) error {
	return c.log("log event", sessionID, "event", "events", map[string]interface{}{"name": name, "data": data})
}

// LogMetric records a gauge: a current value.
func (c *Client) LogMetric(sessionID, name string, value float64, tags []string) error {
	return c.LogMetricWithType(sessionID, name, "gauge", value, tags, nil, "", nil)
}

// LogMetricWithType records a measurement of any kind: gauge, counter, histogram, timer.
func (c *Client) LogMetricWithType(sessionID, name, metricType string, value float64, tags []string, count *int, unit string, metadata map[string]interface{}) error {
	body := map[string]interface{}{"name": name, "type": metricType, "value": value, "tags": tags}
	if count != nil {
		body["count"] = *count
	}
	if unit != "" {
		body["unit"] = unit
	}
	if metadata != nil {
		body["metadata"] = metadata
	}
	return c.log("log metric", sessionID, "metric", "metrics", body)
}

// EndSession ends a session.
func (c *Client) EndSession(sessionID string) error {
	if !c.UseDaemon {
		return c.request("end session", http.MethodPost, path(sessionID, "end"), nil, nil)
	}
	return c.log("end session", sessionID, "end", "end", map[string]interface{}{})
}

// Heartbeat records that the program makes progress. Without a daemon it does nothing, as in 1.x.
func (c *Client) Heartbeat(sessionID string) error {
	if !c.UseDaemon {
		return nil
	}
	return c.log("send heartbeat", sessionID, "heartbeat", "heartbeat", map[string]interface{}{})
}

// GetAllSessions returns all sessions, each with all its events, metrics and states.
func (c *Client) GetAllSessions() ([]*Session, error) {
	path := "/api/data/sessions"
	if c.UseDaemon {
		path = "/sessions"
	}
	var sessions []*Session
	if err := c.get("get all sessions", path, &sessions); err != nil {
		return nil, err
	}
	return sessions, nil
}

// log sends a record of a session: to the daemon with the session's id in the body, to the server with the id in the path.
func (c *Client) log(action, sessionID, daemonPath, serverPath string, body map[string]interface{}) error {
	if c.UseDaemon {
		body["session_id"] = sessionID
		return c.post(action, "/"+daemonPath, body, nil)
	}
	return c.post(action, path(sessionID, serverPath), body, nil)
}

func path(sessionID, below string) string {
	return "/api/sessions/" + url.PathEscape(sessionID) + "/" + below
}
