package datacat

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWithTheDaemonOf1xASessionSendsToTheServerItself(t *testing.T) {
	received := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- r.URL.Path + " " + string(body)
		io.WriteString(w, `{"results":[]}`) //nolint:errcheck // a test's answer
	}))
	defer server.Close()
	original := filepath.Join(t.TempDir(), "datacat-daemon")
	if err := os.WriteFile(original, []byte("\x7fELF local-session-"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATACAT_DAEMON", original)
	t.Setenv("DATACAT_DAEMON_URL", "")
	home := t.TempDir()
	session := Open(context.Background(), Options{URL: server.URL, Home: home})
	session.LogEvent("door_opened", nil)
	defer session.End() // in direct mode it waits for the server, two seconds at most
	select {
	case request := <-received:
		if !strings.HasPrefix(request, "/api/ingest") {
			t.Error(request)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was sent")
	}
	if lanes, _ := filepath.Glob(filepath.Join(home, "lanes", "*")); len(lanes) != 0 {
		t.Error("a lane that no daemon reads:", lanes)
	}
}
