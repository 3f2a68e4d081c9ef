package datacat

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// BenchmarkCallAgainstBareWrite measures a call and a bare write of the same bytes in turn: medians in nanoseconds.
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
		{"gauge with new tags", func() { s.Gauge("temperature", 61.5, Unit("celsius"), Tags(Tag("thread", "main"), Tag("core", 3))) }},
		{"counter", func() { s.Counter("saves", 1) }},
		{"small event", func() { s.LogEvent("door_opened", data) }},
		{"small event with tags", func() { s.Log(Event{Name: "door_opened", Data: data, Tags: []string{Tag("room", "attic")}}) }},
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
				lane.WriteOnce(bare, line)
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
	paths := parts(b, s)
	path := paths[len(paths)-1]
	before, _ := os.Stat(path)
	call()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return text[before.Size():]
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

// BenchmarkOpenAndEnd measures the opening of a session (a file, its header and its start) and its end: medians.
func BenchmarkOpenAndEnd(b *testing.B) {
	b.Setenv("DATACAT_HOME", b.TempDir())
	b.Setenv("DATACAT_DAEMON", "off")
	opens, ends := make([]int64, b.N), make([]int64, b.N)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		before := time.Now()
		s := Open(context.Background(), Options{Product: "bench"})
		between := time.Now()
		s.End()
		opens[i], ends[i] = int64(between.Sub(before)), int64(time.Since(between))
	}
	b.StopTimer()
	first := float64(opens[0])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(first/1e6, "first-open-ms") // reads what the header needs about this process
	b.ReportMetric(median(opens)/1e6, "open-ms")
	b.ReportMetric(median(ends)/1e6, "end-ms")
}

// BenchmarkFramesOf100Calls measures 100 calls in a frame of a loop of 60 frames a second, and 100 bare writes of the same
// bytes in every other frame. A daemon can run meanwhile: DATACAT_BENCH_HOME names its home.
func BenchmarkFramesOf100Calls(b *testing.B) {
	home := os.Getenv("DATACAT_BENCH_HOME")
	if home == "" {
		home = b.TempDir()
	}
	b.Setenv("DATACAT_HOME", home)
	b.Setenv("DATACAT_DAEMON", "off")
	s := Open(context.Background(), Options{Product: "bench"})
	defer s.End()
	line := oneLine(b, s, func() { s.Gauge("thing_1_x", 0.5) })
	bare, err := os.OpenFile(filepath.Join(b.TempDir(), "bare"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()

	tick := time.NewTicker(time.Second / 60)
	defer tick.Stop()
	ours, theirs := make([]int64, b.N), make([]int64, b.N)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		<-tick.C
		begun := time.Now()
		for call := 0; call < 100; call++ {
			s.Gauge("thing_1_x", float64(i+call)/64)
		}
		ours[i] = int64(time.Since(begun))
		<-tick.C
		begun = time.Now()
		for call := 0; call < 100; call++ {
			lane.WriteOnce(bare, line)
		}
		theirs[i] = int64(time.Since(begun))
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	for name, times := range map[string][]int64{"calls": ours, "bare": theirs} {
		b.ReportMetric(median(times)/1e6, name+"-p50-ms")
		b.ReportMetric(float64(times[len(times)*99/100])/1e6, name+"-p99-ms")
		b.ReportMetric(float64(times[len(times)-1])/1e6, name+"-max-ms")
	}
}
