package client

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The programs in the READMEs and guides of 1.x, but for the import path, the address of the server, and t in the place of log and fmt.

func TestTheProgramOfTheReadmeOf1xRunsDirectly(t *testing.T) {
	direct, received := server(t, map[string]string{"/api/sessions": `{"session_id":"s1"}`, "/api/sessions/s1": sessionJSON})
	c := NewClient(direct.BaseURL)

	sessionID, err := c.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Created session: %s", sessionID)

	err = c.UpdateState(sessionID, map[string]interface{}{
		"status":  "running",
		"version": "1.0.0",
	})
	if err != nil {
		t.Fatal(err)
	}

	err = c.LogEvent(sessionID, "user_login", map[string]interface{}{
		"username": "alice",
	})
	if err != nil {
		t.Fatal(err)
	}

	err = c.LogMetric(sessionID, "cpu_usage", 45.2, []string{"app:myapp"})
	if err != nil {
		t.Fatal(err)
	}

	session, err := c.GetSession(sessionID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Session: %+v", session)

	err = c.EndSession(sessionID)
	if err != nil {
		t.Fatal(err)
	}

	hostname, _ := os.Hostname()
	compare(t, *received, []request{
		{"POST", "/api/sessions", "application/json", `{"hostname":"` + hostname + `"}`},
		{"POST", "/api/sessions/s1/state", "application/json", `{"status":"running","version":"1.0.0"}`},
		{"POST", "/api/sessions/s1/events", "application/json", `{"data":{"username":"alice"},"name":"user_login"}`},
		{"POST", "/api/sessions/s1/metrics", "application/json", `{"name":"cpu_usage","tags":["app:myapp"],"type":"gauge","value":45.2}`},
		{"GET", "/api/sessions/s1", "", ""},
		{"POST", "/api/sessions/s1/end", "", ""},
	})
}

func TestTheProgramOfTheQuickStartOf1xRunsWithADaemon(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("DATACAT_DAEMON", os.Args[0])

	c, err := NewClientWithDaemon("http://localhost:9090", "8079")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	sessionID, err := c.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		c.UpdateState(sessionID, map[string]interface{}{"status": "running", "version": "1.0.0"}),
		c.LogEvent(sessionID, "startup", map[string]interface{}{"config": "production"}),
		c.LogMetric(sessionID, "startup_time_ms", 250.0, []string{"prod"}),
		c.Heartbeat(sessionID),
		c.EndSession(sessionID),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if !c.UseDaemon || !strings.HasPrefix(sessionID, "local-session-") {
		t.Error(c.UseDaemon, sessionID)
	}
}

// The example program reads the fields of the session that it recorded.
func TestTheExampleProgramOf1xReadsWhatItRecorded(t *testing.T) {
	c, _ := server(t, map[string]string{"/api/sessions": `{"session_id":"s1"}`, "/api/sessions/s1": sessionJSON})
	sessionID, err := c.CreateSession("GoClientExample", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.GetSession(sessionID)
	if err != nil {
		t.Fatal(err)
	}
	errorCount := 0
	for _, event := range session.Events {
		if event.Name == "exception" {
			errorCount++
		}
	}
	got := fmt.Sprint(session.Active, len(session.Events), len(session.Metrics), len(session.StateHistory), errorCount, session.State["a"])
	if got != "true 1 1 1 0 1" {
		t.Error(got)
	}
}
