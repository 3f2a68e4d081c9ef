// Package lanetest reads lanes back in tests.
package lanetest

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Parts lists the files of a lane in order. "*" as the lane matches every one.
func Parts(t testing.TB, folder, lane string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, lane+".*.lane"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no lane in %s: %v", folder, err)
	}
	return paths
}

// Ops reads all records of a lane. It fails the test unless each has its checksum and the next sequence.
func Ops(t testing.TB, paths []string) []map[string]any {
	t.Helper()
	var ops []map[string]any
	for _, path := range paths {
		for i, line := range strings.Split(strings.TrimSuffix(read(t, path), "\n"), "\n") {
			var op map[string]any
			decoder := json.NewDecoder(strings.NewReader(line[9:]))
			decoder.UseNumber()
			if !isWhole(line) || decoder.Decode(&op) != nil {
				t.Fatalf("a damaged line: %q", line)
			}
			if i == 0 {
				continue // the header
			}
			ops = append(ops, op)
			if op["seq"] != json.Number(fmt.Sprint(len(ops))) {
				t.Fatalf("record %d has sequence %v", len(ops), op["seq"])
			}
		}
	}
	return ops
}

// Undamaged reads a lane that may have holes and torn lines: the sequences of its whole records, and how many lost ones its
// `dropped` records count.
func Undamaged(t testing.TB, paths []string) (whole map[int]bool, counted int) {
	t.Helper()
	whole = map[int]bool{}
	for _, path := range paths {
		for _, line := range strings.Split(read(t, path), "\n") {
			var op struct {
				Seq, Count int
				Cause      string
			}
			if !isWhole(line) || json.Unmarshal([]byte(line[9:]), &op) != nil || op.Seq == 0 {
				continue
			}
			if whole[op.Seq] {
				t.Fatalf("sequence %d twice", op.Seq)
			}
			whole[op.Seq] = true
			if op.Cause == "disk_full" {
				counted += op.Count
			}
		}
	}
	return whole, counted
}

// isWhole reports whether a line has the checksum of its JSON.
func isWhole(line string) bool {
	return len(line) > 9 && line[:9] == fmt.Sprintf("%08x ", crc32.ChecksumIEEE([]byte(line[9:])))
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
