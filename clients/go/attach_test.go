package datacat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// attachServer has the routes of batches and of attachments. faults come first, one for each request of an attachment.
type attachServer struct {
	*httptest.Server
	batches *testServer
	mu      sync.Mutex
	faults  []int
	uploads []string
	chunks  map[int][]byte
	size    int
}

func newAttachServer(t *testing.T, size int, faults ...int) *attachServer {
	a := &attachServer{batches: newTestServer(t), faults: faults, chunks: map[int][]byte{}, size: size}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/ingest" {
			a.batches.answer(t, w, r)
			return
		}
		a.attachment(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *attachServer) attachment(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	chunk := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	a.uploads = append(a.uploads, strings.TrimSuffix(r.Method+" "+chunk, " chunks"))
	if len(a.faults) > 0 {
		status := a.faults[0]
		if a.faults = a.faults[1:]; status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
	}
	if number, err := strconv.Atoi(chunk); err == nil {
		a.chunks[number], _ = io.ReadAll(r.Body)
	}
	count := (a.size + limits.ChunkBytes - 1) / limits.ChunkBytes
	received := []int{}
	for number := range a.chunks {
		received = append(received, number)
	}
	json.NewEncoder(w).Encode(map[string]any{"chunks": count, "received": received, "complete": len(received) == count})
}

func TestInDirectModeTheContentOfAnAttachmentFollowsItsOp(t *testing.T) {
	content := bytes.Repeat([]byte("ab"), limits.ChunkBytes/2+1)
	a := newAttachServer(t, len(content), http.StatusServiceUnavailable, http.StatusOK, http.StatusOK)
	t.Setenv("DATACAT_HOME", "/dev/null/nowhere")
	s := Open(context.Background(), Options{URL: a.URL, Direct: true})
	s.Attach("a.bin", Bytes(content))
	flush(t, s)
	if got := append(append([]byte(nil), a.chunks[0]...), a.chunks[1]...); sha256.Sum256(got) != sha256.Sum256(content) {
		t.Errorf("%d bytes arrived, which differ", len(got))
	}
	if want := []string{"GET", "GET", "PUT 0", "PUT 1"}; !reflect.DeepEqual(a.uploads, want) {
		t.Errorf("the requests are %v, want %v", a.uploads, want)
	}
	if got := a.batches.got(); !reflect.DeepEqual(got, []string{"start", "a.bin"}) {
		t.Errorf("the ops are %v", got)
	}
	s.Attach("large", Bytes(make([]byte, limits.WaitingBytes+1)))
	if got := s.Stats().Dropped; got["queue_full"] != 1 {
		t.Errorf("%v were dropped", got)
	}
	s.End()
}

func TestWhatCannotBeAttachedIsCountedAndNamed(t *testing.T) {
	folder := t.TempDir()
	s := &Session{id: "s", over: make(chan struct{}), clock: time.Now}
	s.sink = lane.New(lane.Header{Lane: "l"}, limits.LaneBytes, func() []string { return []string{folder} })
	s.opening.Do(func() {})
	s.recordStart()
	huge := filepath.Join(folder, "huge")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 20<<30); err != nil {
		t.Skip("this file system holds no file of 20 GiB with a hole:", err)
	}
	s.Attach("folder", Path(folder))
	s.Attach("huge", Path(huge))
	s.Attach("missing", Path(filepath.Join(folder, "missing")))
	s.Attach("nothing", Content{})
	os.Mkdir(filepath.Join(folder, "l.5.attachment"), 0o700) // in the way
	s.Attach("blocked", Bytes(nil))
	s.Attach("good", Bytes(nil))
	s.End()
	if got, want := s.Stats().Dropped, (map[string]int{"unreadable": 3, "too_large": 1, "write_failed": 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v were dropped, want %v", got, want)
	}
	text, _ := os.ReadFile(filepath.Join(folder, "l.000001.lane"))
	for _, name := range []string{"folder", "huge", "missing", "nothing", "blocked"} {
		if !strings.Contains(string(text), fmt.Sprintf(`"message":"%s was not attached: `, name)) {
			t.Errorf("no event names %s", name)
		}
	}
	files, _ := filepath.Glob(folder + "/*.attachment")
	if len(files) != 2 { // the folder, and the last one
		t.Errorf("the files are %v", files)
	}
}
