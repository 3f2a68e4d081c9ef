package datacat

import (
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"
)

// The cost of a call beside that of the bare write of the same bytes, measured in turn in one run: medians in nanoseconds.
func BenchmarkCallAgainstBareWrite(b *testing.B) {
	s := testSession(b)
	state := Data{"level": 3, "player": Data{"hp": 80, "x": 10.5, "y": -3.25}}
	data := Data{"door": 7, "open": true}
	tags := []Detail{Unit("celsius"), Tags("cpu", "left")}
	calls := []struct {
		name string
		call func()
	}{
		{"gauge", func() { s.Gauge("fps", 59.94) }},
		{"gauge with unit and tags", func() { s.Gauge("temperature", 61.5, tags...) }},
		{"counter", func() { s.Counter("saves", 1) }},
		{"small event", func() { s.LogEvent("door_opened", data) }},
		{"small state", func() { s.UpdateState(state) }},
		{"heartbeat", func() { s.Heartbeat() }},
	}
	for _, c := range calls {
		b.Run(c.name, func(b *testing.B) {
			line := oneLine(b, s, c.call)
			bare, err := os.OpenFile(filepath.Join(b.TempDir(), "bare"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			defer bare.Close()
			b.ReportAllocs()
			ours, theirs := make([]int64, b.N), make([]int64, b.N)
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				before := time.Now()
				writeOnce(bare, line)
				between := time.Now()
				c.call()
				ours[i], theirs[i] = int64(time.Since(between)), int64(between.Sub(before))
			}
			b.StopTimer()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(theirs), "bare-ns")
			b.ReportMetric(median(ours), "call-ns")
			b.ReportMetric(median(ours)/median(theirs), "times-bare")
			b.ReportMetric(float64(ours[len(ours)*99/100]), "p99-ns")
		})
	}
}

func oneLine(b *testing.B, s *Session, call func()) []byte {
	file := s.sink.(*lane).file
	before, _ := file.Stat()
	call()
	after, _ := file.Stat()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		b.Fatal(err)
	}
	return text[before.Size():after.Size()]
}

func median(times []int64) float64 {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return float64(times[len(times)/2])
}

func testSession(t testing.TB) *Session {
	t.Helper()
	t.Setenv("DATACAT_HOME", t.TempDir())
	t.Setenv("DATACAT_DAEMON", "off")
	s := &Session{}
	t.Cleanup(s.End)
	if !s.ready() {
		t.Fatal("the session did not open")
	}
	return s
}
