package client

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the test binary as a daemon if it is started with 1.x's configuration. It answers /health until SIGTERM.
func TestMain(m *testing.M) {
	if os.Getenv("DATACAT_CONFIG") == "" {
		os.Exit(m.Run())
	}
	var config struct {
		Port      string `json:"daemon_port"`
		ServerURL string `json:"server_url"`
	}
	text, _ := os.ReadFile(os.Getenv("DATACAT_CONFIG"))
	if json.Unmarshal(text, &config) != nil || config.ServerURL == "http://fails" {
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"session_id":"local-session-1","server":"`+config.ServerURL+`"}`)
	})
	go http.ListenAndServe("127.0.0.1:"+config.Port, nil)
	<-stop
	os.WriteFile(os.Getenv("DATACAT_CONFIG")+".stopped", nil, 0o600)
}

// request is a request that a server received.
type request struct{ method, path, contentType, body string }

func server(t *testing.T, answers map[string]string) (*Client, *[]request) {
	var received []request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received = append(received, request{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body)})
		answer, ok := answers[r.URL.Path]
		if !ok {
			answer = `{"status":"ok"}`
		}
		if strings.HasPrefix(answer, "!") {
			http.Error(w, answer[1:], http.StatusNotFound)
			return
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return NewClient(s.URL + "/"), &received
}

const sessionJSON = `{"id":"s/1","created_at":"2026-11-23T09:00:00.5Z","updated_at":"2026-11-23T10:00:00+01:00","active":true,"suspended":false,"crashed":false,"hung":true,
	"state":{"a":1},"state_history":[{"timestamp":"2026-11-23T09:00:00Z","state":{"a":1}}],
	"events":[{"timestamp":"2026-11-23T09:00:00Z","name":"e","category":"info","group":"","labels":null,"message":"","data":null,"unknown":1}],
	"metrics":[{"timestamp":"2026-11-23T09:00:00Z","name":"m","type":"timer","value":1.5,"count":3,"unit":"s","tags":["t"]}]}`

func TestEveryCallSendsTheServerARequestOf1x(t *testing.T) {
	c, received := server(t, map[string]string{"/api/sessions": `{"session_id":"s/1"}`, "/api/sessions/s/1": sessionJSON, "/api/data/sessions": "[" + sessionJSON + "]"})
	id, err := c.CreateSession("game", "1.0")
	if err != nil || id != "s/1" {
		t.Fatal(id, err)
	}
	three := 3
	session, err := c.GetSession(id)
	if err != nil || !session.Hung || session.EndedAt != nil || *session.Metrics[0].Count != 3 || session.CreatedAt.UnixMilli() != 1795424400500 {
		t.Fatalf("%+v %v", session, err)
	}
	all, err := c.GetAllSessions()
	if err != nil || len(all) != 1 || all[0].ID != "s/1" {
		t.Fatal(all, err)
	}
	for _, err := range []error{
		c.UpdateState(id, map[string]interface{}{"level": 3}),
		c.UpdateState(id, map[string]interface{}{"State": "on", "level": 3}),
		c.UpdateState(id, nil),
		c.LogEvent(id, "door", map[string]interface{}{"n": math.Inf(1)}),
		c.LogEvent(id, "nothing", nil),
		c.LogMetric(id, "fps", 59.94, nil),
		c.LogMetricWithType(id, "frames", "timer", 1.5, []string{"main"}, &three, "s", map[string]interface{}{"k": "v"}),
		c.Heartbeat(id),
		c.EndSession(id),
		c.Close(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	hostname, _ := os.Hostname()
	want := []request{
		{"POST", "/api/sessions", "application/json", `{"hostname":"` + hostname + `","product":"game","version":"1.0"}`},
		{"GET", "/api/sessions/s%2F1", "", ""},
		{"GET", "/api/data/sessions", "", ""},
		{"POST", "/api/sessions/s%2F1/state", "application/json", `{"level":3}`},
		{"POST", "/api/sessions/s%2F1/state", "application/json", `{"state":{"State":"on","level":3}}`},
		{"POST", "/api/sessions/s%2F1/state", "application/json", `{}`},
		{"POST", "/api/sessions/s%2F1/events", "application/json", `{"data":{"n":"Infinity"},"name":"door"}`},
		{"POST", "/api/sessions/s%2F1/events", "application/json", `{"data":null,"name":"nothing"}`},
		{"POST", "/api/sessions/s%2F1/metrics", "application/json", `{"name":"fps","tags":null,"type":"gauge","value":59.94}`},
		{"POST", "/api/sessions/s%2F1/metrics", "application/json", `{"count":3,"metadata":{"k":"v"},"name":"frames","tags":["main"],"type":"timer","unit":"s","value":1.5}`},
		{"POST", "/api/sessions/s%2F1/end", "", ""},
	}
	compare(t, *received, want)
}

func TestEveryCallSendsTheDaemonARequestOf1x(t *testing.T) {
	c, received := server(t, map[string]string{"/register": `{"session_id":"s 1"}`, "/session": sessionJSON, "/sessions": `[]`})
	c.UseDaemon = true
	id, err := c.CreateSession("game", "1.0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetSession(id); err != nil {
		t.Error(err)
	}
	if all, err := c.GetAllSessions(); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	c.UpdateState(id, map[string]interface{}{"level": 3})
	c.LogEvent(id, "door", nil)
	c.LogMetric(id, "fps", 60, []string{"a"})
	c.Heartbeat(id)
	c.EndSession(id)
	want := []request{
		{"POST", "/register", "application/json", `{"parent_pid":` + jsonOf(os.Getpid()) + `,"product":"game","version":"1.0"}`},
		{"GET", "/session?session_id=s+1", "", ""},
		{"GET", "/sessions", "", ""},
		{"POST", "/state", "application/json", `{"session_id":"s 1","state":{"level":3}}`},
		{"POST", "/event", "application/json", `{"data":null,"name":"door","session_id":"s 1"}`},
		{"POST", "/metric", "application/json", `{"name":"fps","session_id":"s 1","tags":["a"],"type":"gauge","value":60}`},
		{"POST", "/heartbeat", "application/json", `{"session_id":"s 1"}`},
		{"POST", "/end", "application/json", `{"session_id":"s 1"}`},
	}
	compare(t, *received, want)
}

func TestASessionNeedsNeitherProductNorVersion(t *testing.T) {
	c, received := server(t, map[string]string{"/register": `{"session_id":"s1"}`})
	c.UseDaemon = true
	for _, arguments := range [][]string{nil, {"game"}, {"game", "1.0"}} {
		if id, err := c.CreateSession(arguments...); id != "s1" || err != nil {
			t.Error(id, err)
		}
	}
	pid := jsonOf(os.Getpid())
	compare(t, *received, []request{
		{"POST", "/register", "application/json", `{"parent_pid":` + pid + `}`},
		{"POST", "/register", "application/json", `{"parent_pid":` + pid + `,"product":"game"}`},
		{"POST", "/register", "application/json", `{"parent_pid":` + pid + `,"product":"game","version":"1.0"}`},
	})
}

func compare(t *testing.T, received, want []request) {
	t.Helper()
	for i := range want {
		if i >= len(received) || !reflect.DeepEqual(received[i], want[i]) {
			t.Fatalf("request %d:\n got %+v\nwant %+v", i, received[i:], want[i])
		}
	}
	if len(received) != len(want) {
		t.Errorf("%d requests, not %d", len(received), len(want))
	}
}

func jsonOf(v interface{}) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func TestErrorsNameTheCallAndTheAnswer(t *testing.T) {
	c, _ := server(t, map[string]string{"/api/sessions/x": "!Session not found", "/api/data/sessions": "<html>"})
	if _, err := c.GetSession("x"); err == nil || err.Error() != "get session failed with status 404: Session not found\n" {
		t.Error(err)
	}
	if _, err := c.GetAllSessions(); err == nil || !strings.Contains(err.Error(), "not from a Datacat server") {
		t.Error(err)
	}
	cycle := map[string]interface{}{}
	cycle["self"] = cycle
	if err := c.UpdateState("x", cycle); err == nil {
		t.Error("a cycle was sent")
	}
	if err := c.LogMetric("x", "m", math.NaN(), nil); err != nil {
		t.Log(err) // a real server refuses it; this one accepts everything
	}
	if err := NewClient("http://127.0.0.1:1").EndSession("x"); err == nil {
		t.Error("a request without a server succeeded")
	}
}

func TestADaemonIsStartedOnAFreePortAndStoppedBySIGTERM(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("DATACAT_DAEMON", os.Args[0])
	for _, port := range []string{"auto", "8079"} {
		c, err := NewClientWithDaemon("http://server:1", port)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.BaseURL, "auto") || strings.HasSuffix(c.BaseURL, ":8079") || !c.DaemonManager.IsRunning() || c.DaemonManager.Start() != nil {
			t.Error(c.BaseURL)
		}
		if id, err := c.CreateSession("p", "v"); err != nil || id != "local-session-1" {
			t.Error(id, err)
		}
		config := c.DaemonManager.configPath
		if err := c.Close(); err != nil || c.DaemonManager.IsRunning() {
			t.Error("it still runs", err)
		}
		if _, err := os.Stat(config + ".stopped"); err != nil {
			t.Error("it was killed without SIGTERM")
		}
		if _, err := os.Stat(config); err == nil {
			t.Error("its configuration is still there")
		}
		if c.Close() != nil {
			t.Error("closing twice fails")
		}
	}
}

func TestADaemonThatDoesNotStartIsAnErrorWithTheCause(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("DATACAT_DAEMON", os.Args[0])
	begun := time.Now()
	if _, err := NewClientWithDaemon("http://fails", "auto"); err == nil || !strings.Contains(err.Error(), "exited before it listened") || time.Since(begun) > startTimeout {
		t.Error(err)
	}
	t.Setenv("DATACAT_DAEMON", filepath.Join(t.TempDir(), "missing"))
	if _, err := NewClientWithDaemon("http://x", "auto"); err == nil {
		t.Error("a missing daemon was started")
	}
	t.Setenv("DATACAT_DAEMON", "")
	t.Setenv("PATH", "")
	if _, err := NewClientWithDaemon("http://x", "auto"); err == nil || !strings.Contains(err.Error(), "PATH") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The names and signatures that programs of 1.x use. The test is that this compiles.
var _ interface {
	Close() error
	CreateSession(productAndVersion ...string) (string, error)
	GetSession(id string) (*Session, error)
	UpdateState(id string, state map[string]interface{}) error
	LogEvent(id, name string, data map[string]interface{}) error
	LogMetric(id, name string, value float64, tags []string) error
	LogMetricWithType(id, name, metricType string, value float64, tags []string, count *int, unit string, metadata map[string]interface{}) error
	EndSession(id string) error
	Heartbeat(id string) error
	GetAllSessions() ([]*Session, error)
} = (*Client)(nil)
var (
	_ func(string) *Client                        = NewClient
	_ func(string, string) (*Client, error)       = NewClientWithDaemon
	_ func(string, string, string) *DaemonManager = NewDaemonManager
	_ interface {
		Start() error
		Stop() error
		IsRunning() bool
	} = (*DaemonManager)(nil)
)
