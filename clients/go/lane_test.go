package datacat

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// brokenLane is a session whose n-th write (from 1) goes wrong: it fails, or writes only some of the bytes.
func brokenLane(t *testing.T, isBroken func(n int) bool, short int) (*Session, *lane) {
	s := testSession(t)
	l := s.sink.(*lane)
	l.maxBytes = 2_000 // so that new parts are among what goes wrong
	n := 0
	l.put = func(file *os.File, b []byte) (int, error) {
		if n++; !isBroken(n) {
			return writeOnce(file, b)
		}
		if short > 0 && short < len(b) {
			return writeOnce(file, b[:short])
		}
		return 0, syscall.ENOSPC
	}
	return s, l
}

func TestAWriteThatFailsCostsItsRecordOnlyWhicheverItIs(t *testing.T) {
	for _, short := range []int{0, 1, 8, 9, 40} {
		for bad := 1; bad <= 40; bad++ {
			s, _ := brokenLane(t, func(n int) bool { return n == bad }, short)
			for i := 0; i < 40; i++ {
				s.LogEvent("e", Data{"i": i})
			}
			s.End()
			seen, told := readDamaged(t, s)
			highest, missing := 0, 0
			for at := range seen {
				if at > highest {
					highest = at
				}
			}
			for at := 1; at <= highest; at++ {
				if !seen[at] {
					missing++
				}
			}
			if missing > 1 || told != missing {
				t.Fatalf("write %d cut to %d: %d records are missing, %d said to be", bad, short, missing, told)
			}
			if missing == 1 && s.Stats().Dropped["disk_full"] != 1 {
				t.Fatalf("write %d: stats say %v", bad, s.Stats().Dropped)
			}
		}
	}
}

func TestAFullDiskIsWaitedOutAndWhatWasLostIsTold(t *testing.T) {
	full := false
	s, _ := brokenLane(t, func(int) bool { return full }, 0)
	s.LogEvent("before", nil)
	full = true
	for i := 0; i < 25; i++ {
		s.LogEvent("lost", nil)
	}
	full = false
	s.LogEvent("after", nil)
	seen, told := readDamaged(t, s)
	if told != 25 || !seen[2] || seen[3] || seen[27] || !seen[28] || !seen[29] { // 28 tells, 29 is the record after
		t.Errorf("told of %d; %v", told, seen)
	}
}

func TestALaneThatCannotBeOpenedIsOpenedLaterAndStartsWithItsStart(t *testing.T) {
	place := filepath.Join(t.TempDir(), "home")
	if err := os.WriteFile(place, nil, 0o600); err != nil { // a file where the folder should be stops even root
		t.Fatal(err)
	}
	t.Setenv("DATACAT_HOME", place)
	t.Setenv("TMPDIR", filepath.Join(place, "none either"))
	t.Setenv("DATACAT_DAEMON", "off")
	s := &Session{options: Options{Product: "late"}}
	s.LogEvent("lost", nil)
	if got := s.Stats(); got.Records != 0 || got.Dropped["disk_full"] != 2 {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	time.Sleep(reopenAfter + 10*time.Millisecond)
	s.LogEvent("kept", nil)
	s.End()
	text, err := os.ReadFile(parts(t, s)[0])
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, want := range []string{`"first":3`, `"op":"dropped","cause":"disk_full","count":2,"detail":"`, `{"seq":4,"at":`, `"name":"kept"`, `"op":"end"`} {
		if i >= len(all) || !strings.Contains(all[i], want) {
			t.Errorf("line %d is not %s:\n%s", i+1, want, text)
		}
	}
	if !strings.Contains(all[2], `"op":"start","product":"late"`) {
		t.Errorf("the start is missing: %s", all[2])
	}
}

func TestAHomeThatCannotBeUsedGivesWayToTheTemporaryFolder(t *testing.T) {
	place := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(place, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("DATACAT_HOME", filepath.Join(place, "home"))
	t.Setenv("TMPDIR", temporary)
	t.Setenv("DATACAT_DAEMON", "off")
	var s Session
	defer s.End()
	s.LogEvent("e", nil)
	if path := parts(t, &s)[0]; !strings.HasPrefix(path, filepath.Join(temporary, fmt.Sprintf("datacat-%d", os.Getuid()))) {
		t.Error(path)
	}
}

func TestAFullPartThatCannotBeFollowedGoesOn(t *testing.T) {
	s, l := brokenLane(t, func(int) bool { return false }, 0)
	s.LogEvent("first", nil)
	folder := l.folder
	l.folder = filepath.Join(folder, "gone")
	for i := 0; i < 100; i++ {
		s.LogEvent("beyond the part", nil)
	}
	l.folder = folder
	if s.LogEvent("on", nil); len(lines(t, s)) != 103 || len(parts(t, s)) != 2 {
		t.Errorf("%d records in %d parts", len(lines(t, s)), len(parts(t, s)))
	}
}

func TestNoErrorOfTheSystemIsShown(t *testing.T) {
	for err, want := range map[error]string{
		nil: "the write was cut short",
		&os.PathError{Op: "open", Path: "/secret/path", Err: syscall.EACCES}: "permission denied",
		errors.New("other"): "other",
	} {
		if got := reason(err); got != want {
			t.Errorf("%q", got)
		}
	}
}

// readDamaged answers which sequences are whole in a lane, and how many records its `dropped` notes tell of.
func readDamaged(t *testing.T, s *Session) (seen map[int]bool, told int) {
	seen = map[int]bool{}
	for _, path := range parts(t, s) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			var op struct {
				Seq, Count int
				Cause      string
			}
			if len(line) > 9 && line[:9] == fmt.Sprintf("%08x ", crc32.ChecksumIEEE([]byte(line[9:]))) && json.Unmarshal([]byte(line[9:]), &op) == nil && op.Seq > 0 {
				if seen[op.Seq] {
					t.Fatalf("sequence %d twice", op.Seq)
				}
				seen[op.Seq] = true
				if op.Cause == "disk_full" {
					told += op.Count
				}
			}
		}
	}
	return seen, told
}
