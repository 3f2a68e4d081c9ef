//go:build linux || darwin

package secrets

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// TestCostOfTexts prints what the redaction of texts costs in processor time, for test/bench/redaction.bench.ts.
func TestCostOfTexts(t *testing.T) {
	file := os.Getenv("DATACAT_BENCH_TEXTS")
	if file == "" {
		t.Skip("npm run bench redaction gives the texts")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(content, &texts); err != nil {
		t.Fatal(err)
	}
	costs := map[string]float64{}
	for name, text := range texts {
		calls := 100_000
		if len(text) > 1_000 {
			calls = 10
		}
		for round := 0; round < 6; round++ {
			before := processorTime()
			for i := 0; i < calls; i++ {
				CleanUpTo(text, limits.MaxOpBytes)
			}
			each := float64(processorTime()-before) / float64(time.Microsecond) / float64(calls)
			if cost, ok := costs[name]; !ok || each < cost {
				costs[name] = each
			}
		}
	}
	line, _ := json.Marshal(costs)
	fmt.Println(string(line))
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
