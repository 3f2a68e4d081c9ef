package datacat

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/direct"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// testServer applies lanes as the session object does: in order, each sequence once. A test can replace its answers.
type testServer struct {
	*httptest.Server
	mu        sync.Mutex
	applied   map[string]int64
	names     []string // of the events it has, in order
	dropped   map[string]int
	requests  int
	writers   int
	isGone    bool
	keys      map[string]bool
	isWatched bool
	disturb   func(n int, w http.ResponseWriter) (skip, mute bool) // skip: do not apply; mute: the answer is lost
}

type sentBatch struct {
	Session, Lane string
	First, Last   int64
	Ops           []struct{ Op, Name string }
	Dropped       map[string]int
	Writer        *struct{ Client string }
	LeaseMs       int64 `json:"lease_ms"`
}

func newTestServer(t *testing.T) *testServer {
	f := &testServer{applied: map[string]int64{}, dropped: map[string]int{}, keys: map[string]bool{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.answer(t, w, r) }))
	t.Cleanup(f.Close)
	return f
}

func (f *testServer) answer(t *testing.T, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	f.keys[r.Header.Get("Authorization")] = true
	var body struct{ Batches []sentBatch }
	gz, err := gzip.NewReader(r.Body)
	if err != nil || r.URL.Path != "/api/ingest" || json.NewDecoder(gz).Decode(&body) != nil || len(body.Batches) != 1 {
		t.Errorf("a bad request to %s: %v", r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b := body.Batches[0]
	mute := false
	if f.disturb != nil {
		var skip bool
		if skip, mute = f.disturb(f.requests, w); skip {
			return
		}
	}
	code := f.apply(t, b)
	if mute {
		panic(http.ErrAbortHandler)
	}
	result := map[string]any{"session": b.Session, "lane": b.Lane, "applied": f.applied[b.Lane], "watched": f.isWatched}
	if code != "" {
		result["error"] = map[string]string{"code": code, "message": code}
	}
	json.NewEncoder(w).Encode(map[string]any{"results": []any{result}})
}

func (f *testServer) apply(t *testing.T, b sentBatch) (code string) {
	switch applied := f.applied[b.Lane]; {
	case b.Last <= applied:
		return ""
	case b.First > applied+1:
		return "lane_gap"
	case b.First <= applied:
		return "lane_overlap"
	}
	accounted := len(b.Ops)
	for _, count := range b.Dropped {
		accounted += count
	}
	if int64(accounted) != b.Last-b.First+1 {
		t.Errorf("batch %d to %d accounts for %d", b.First, b.Last, accounted)
	}
	if f.isGone {
		return "gone"
	}
	for _, op := range b.Ops {
		if op.Name == "poison" {
			return "invalid_body"
		}
	}
	for _, op := range b.Ops {
		f.names = append(f.names, firstOf(op.Name, op.Op))
	}
	for cause, count := range b.Dropped {
		f.dropped[cause] += count
	}
	if b.Writer != nil {
		f.writers++
	}
	f.applied[b.Lane] = b.Last
	return ""
}

func (f *testServer) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.names...)
}

func openDirect(t *testing.T, f *testServer) *Session {
	t.Helper()
	t.Setenv("DATACAT_HOME", "/dev/null/nowhere")
	s := Open(context.Background(), Options{URL: f.URL + "/", Direct: true, Key: "dc_key"})
	t.Cleanup(s.End)
	return s
}

func queueOf(s *Session) *direct.Queue { return s.sink.(*direct.Queue) }

func flush(t *testing.T, s *Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestDirectModeSendsInOrderAndEndWaitsForTheServer(t *testing.T) {
	f := newTestServer(t)
	s := openDirect(t, f)
	want := []string{"start"}
	for i := 0; i < 2_500; i++ {
		name := fmt.Sprint("e", i)
		s.LogEvent(name, Data{"i": i})
		want = append(want, name)
	}
	s.End()
	s.LogEvent("late", nil)
	if got := f.got(); !reflect.DeepEqual(got, append(want, "end")) {
		t.Errorf("got %d of %d", len(got), len(want)+1)
	}
	if !f.keys["Bearer dc_key"] || len(f.keys) != 1 || f.writers != 1 {
		t.Errorf("keys %v, writers %d", f.keys, f.writers)
	}
	if stats := s.Stats(); stats.Queued != 0 || stats.Records != int64(len(want)+1) {
		t.Errorf("%+v", stats)
	}
}

func TestEachRecordIsStoredOnceWhateverTheNetworkDoes(t *testing.T) {
	f := newTestServer(t)
	f.disturb = func(n int, w http.ResponseWriter) (bool, bool) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
			return true, false
		case 2, 5:
			return false, true // applied, and the answer is lost
		case 7:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true, false
		}
		return false, false
	}
	s := openDirect(t, f)
	want := []string{"start"}
	for i := 0; i < 40; i++ {
		name := fmt.Sprint("e", i)
		s.LogEvent(name, nil)
		want = append(want, name)
		if i%10 == 0 {
			flush(t, s)
		}
	}
	flush(t, s)
	if got := f.got(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestAFullQueueDropsTheOldestMetricsFirstAndCountsThem(t *testing.T) {
	f := newTestServer(t)
	f.disturb = func(n int, w http.ResponseWriter) (bool, bool) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true, false
	}
	s := openDirect(t, f)
	within(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.requests > 0 })
	for i := 0; i < limits.QueueOps; i++ {
		s.Gauge("fps", float64(i))
	}
	for i := 0; i < 100; i++ {
		s.LogEvent("kept", nil)
	}
	if stats := s.Stats(); stats.Dropped["queue_full"] == 0 || stats.Queued+stats.Dropped["queue_full"] != limits.QueueOps+101 {
		t.Errorf("%+v", stats)
	}
	f.mu.Lock()
	f.disturb = nil
	f.mu.Unlock()
	flush(t, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, metrics := 0, 0
	for _, name := range f.names {
		switch name {
		case "kept":
			kept++
		case "fps":
			metrics++
		}
	}
	if kept != 100 || f.names[0] != "start" || metrics+f.dropped["queue_full"] != limits.QueueOps {
		t.Errorf("%d kept, %d metrics, dropped %v", kept, metrics, f.dropped)
	}
}

func TestAQueueIsBoundedInBytesAsWell(t *testing.T) {
	f := newTestServer(t)
	f.disturb = func(n int, w http.ResponseWriter) (bool, bool) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := Open(ctx, Options{URL: f.URL, Direct: true})
	for i := 0; i < 200; i++ {
		s.LogEvent("big", Data{"text": strings.Repeat("x", 100_000)})
	}
	const eventBytes = 100_000
	if waiting, full := queueOf(s).Counts(); waiting*eventBytes > limits.QueueBytes || full < 100 {
		t.Errorf("%d wait, %d dropped", waiting, full)
	}
}

func TestARefusedRecordIsCountedAndTheOthersAreSent(t *testing.T) {
	f := newTestServer(t)
	s := openDirect(t, f)
	want := []string{"start"}
	for i := 0; i < 20; i++ {
		name := fmt.Sprint("e", i)
		if i == 7 || i == 8 || i == 15 {
			name = "poison"
		} else {
			want = append(want, name)
		}
		s.LogEvent(name, nil)
	}
	flush(t, s)
	if got := f.got(); !reflect.DeepEqual(got, want) || f.dropped["refused"] != 3 {
		t.Errorf("got %v, dropped %v", got, f.dropped)
	}
}

func TestAServerThatLostTheLaneGetsTheRestAndTheCountOfTheMissing(t *testing.T) {
	f := newTestServer(t)
	s := openDirect(t, f)
	s.LogEvent("before", nil)
	flush(t, s)
	f.mu.Lock()
	f.applied = map[string]int64{}
	f.mu.Unlock()
	s.LogEvent("after", nil)
	flush(t, s)
	if got := f.got(); got[len(got)-1] != "after" || f.dropped["queue_full"] != 2 {
		t.Errorf("%v %v", got, f.dropped)
	}
}

func TestADeletedSessionDropsItsRecordsAtOnce(t *testing.T) {
	f := newTestServer(t)
	s := openDirect(t, f)
	flush(t, s)
	f.mu.Lock()
	f.isGone = true
	f.mu.Unlock()
	for i := 0; i < 500; i++ {
		s.LogEvent("unwanted", nil)
	}
	<-queueOf(s).Done()
	s.LogEvent("unwanted", nil)
	if stats := s.Stats(); stats.Dropped["queue_full"] != 501 || stats.Queued != 0 || f.requests > 3 {
		t.Errorf("%+v after %d requests", stats, f.requests)
	}
}

func TestNoCallWaitsForAServerThatIsNotThere(t *testing.T) {
	t.Setenv("DATACAT_HOME", "/dev/null/nowhere")
	ctx, cancel := context.WithCancel(context.Background())
	s := Open(ctx, Options{URL: "http://127.0.0.1:1", Direct: true})
	for i := 0; i < 20_000; i++ {
		s.Gauge("g", float64(i))
	}
	short, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	if s.Flush(short) == nil {
		t.Error("Flush returned without a server")
	}
	cancel()
	s.End()
	<-queueOf(s).Done()
}

func TestEndDoesNotWaitForAServerThatIsNotThere(t *testing.T) {
	s := Open(context.Background(), Options{URL: "http://127.0.0.1:1", Direct: true})
	s.LogEvent("e", nil)
	begun := time.Now()
	s.End()
	if took := time.Since(begun); took >= limits.EndWait {
		t.Errorf("End took %v", took)
	}
	<-queueOf(s).Done()
	if stats := s.Stats(); stats.Dropped["queue_full"] != 3 {
		t.Errorf("%+v", stats)
	}
}

func TestRecordsLeftWhenTheSenderStopsAreCountedAsDropped(t *testing.T) {
	f := newTestServer(t)
	f.disturb = func(n int, w http.ResponseWriter) (bool, bool) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := Open(ctx, Options{URL: f.URL, Direct: true})
	for i := 0; i < 2_500; i++ {
		s.LogEvent("e", nil)
	}
	cancel()
	<-queueOf(s).Done()
	if stats := s.Stats(); stats.Queued != 0 || stats.Dropped["queue_full"] != 2_501 {
		t.Errorf("%+v", stats)
	}
	s.End()
}

func TestTheEndOfTheContextSendsTheQueueOnce(t *testing.T) {
	f := newTestServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s := Open(ctx, Options{URL: f.URL, Direct: true})
	flush(t, s)
	s.Gauge("last", 1)
	cancel()
	<-queueOf(s).Done()
	if got := f.got(); got[len(got)-1] != "last" {
		t.Errorf("%v", got)
	}
	s.LogEvent("after the sender", nil)
	if stats := s.Stats(); stats.Dropped["queue_full"] != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestADaemonElsewhereGetsRecordsWithoutTheKey(t *testing.T) {
	f := newTestServer(t)
	t.Setenv("DATACAT_DAEMON_URL", f.URL+"/")
	t.Setenv("DATACAT_KEY", "dc_secret")
	s := Open(context.Background(), Options{})
	s.LogEvent("hello", nil)
	s.End()
	if got := f.got(); !reflect.DeepEqual(got, []string{"start", "hello", "end"}) || f.keys["Bearer dc_secret"] {
		t.Errorf("%v %v", got, f.keys)
	}
}

func TestAPanicInDirectModeIsSentBeforeTheProgramExits(t *testing.T) {
	f := newTestServer(t)
	s := openDirect(t, f)
	func() {
		defer func() { recover() }()
		defer s.Recover()
		panic("boom")
	}()
	if got := f.got(); !reflect.DeepEqual(got, []string{"start", "exception", "crash"}) {
		t.Errorf("%v", got)
	}
}
