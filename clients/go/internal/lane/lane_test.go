package lane

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lanetest"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// testLane is a lane in a temporary folder that has its start.
func testLane(t *testing.T) *Lane {
	folder := t.TempDir()
	l := New(Header{Lane: "test"}, 2_000, func() []string { return []string{folder} }) // so short that parts end under the test
	t.Cleanup(l.Close)
	if write(l, KindStart, `"start"`) != Kept {
		t.Fatal("the lane cannot be written")
	}
	return l
}

// brokenLane is a lane whose n-th write (from 1) goes wrong: it fails, or writes only some of the bytes.
func brokenLane(t *testing.T, isBroken func(n int) bool, short int) *Lane {
	l := testLane(t)
	n := 0
	l.put = func(file *os.File, b []byte) (int, error) {
		if n++; !isBroken(n) {
			return WriteOnce(file, b)
		}
		if short > 0 && short < len(b) {
			return WriteOnce(file, b[:short])
		}
		return 0, syscall.ENOSPC
	}
	return l
}

func write(l *Lane, kind Kind, op string) Outcome {
	r := NewRecord()
	r.Begin(kind, op)
	r.Finish()
	return l.Write(r, time.Now().UnixMilli())
}

func event(l *Lane, name string) Outcome { return write(l, KindEvent, `"event","name":"`+name+`"`) }

func partsOf(t *testing.T, l *Lane) []string { return lanetest.Parts(t, l.folder, l.Header.Lane) }

func TestAFailedWriteLosesOneRecordWhicheverItIs(t *testing.T) {
	for _, short := range []int{0, 1, 8, 9, 40} {
		for bad := 1; bad <= 40; bad++ {
			l := brokenLane(t, func(n int) bool { return n == bad }, short)
			lost := 0
			for i := 0; i < 40; i++ {
				if event(l, fmt.Sprint("e", i)) == Lost {
					lost++
				}
			}
			write(l, KindEnd, `"end"`)
			whole, counted := lanetest.Undamaged(t, partsOf(t, l))
			highest, missing := 0, 0
			for sequence := range whole {
				if sequence > highest {
					highest = sequence
				}
			}
			for sequence := 1; sequence <= highest; sequence++ {
				if !whole[sequence] {
					missing++
				}
			}
			if missing > 1 || counted != missing {
				t.Fatalf("write %d cut to %d: %d records are missing, %d are counted", bad, short, missing, counted)
			}
			if missing == 1 && lost != 1 {
				t.Fatalf("write %d: %d records are reported as lost", bad, lost)
			}
		}
	}
}

func TestRecordsLostToAFullDiskAreCountedWhenItHasSpaceAgain(t *testing.T) {
	isFull := false
	l := brokenLane(t, func(int) bool { return isFull }, 0)
	event(l, "before")
	isFull = true
	for i := 0; i < 25; i++ {
		event(l, "lost")
	}
	isFull = false
	event(l, "after")
	whole, counted := lanetest.Undamaged(t, partsOf(t, l))
	if counted != 25 || !whole[2] || whole[3] || whole[27] || !whole[28] || !whole[29] { // 28 is the count, 29 the record after it
		t.Errorf("%d are counted; %v", counted, whole)
	}
}

func TestALaneThatCannotBeOpenedIsOpenedLaterAndBeginsWithTheStart(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	if err := os.WriteFile(home, nil, 0o600); err != nil { // a file in place of the folder stops root as well
		t.Fatal(err)
	}
	t.Setenv("DATACAT_HOME", home)
	t.Setenv("TMPDIR", filepath.Join(home, "missing"))
	l := New(Header{Lane: "late"}, limits.LaneBytes, func() []string { return Folders(Homes("")) })
	if write(l, KindStart, `"start","product":"late"`) != Late || event(l, "lost") != Lost {
		t.Error("records without a file are not lost")
	}
	if err := os.Remove(home); err != nil {
		t.Fatal(err)
	}
	time.Sleep(limits.ReopenAfter + 10*time.Millisecond)
	event(l, "kept")
	write(l, KindEnd, `"end"`)
	text, err := os.ReadFile(partsOf(t, l)[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, want := range []string{
		`"first":1`, `{"seq":1,"at":`, `{"seq":3,"at":`, `{"seq":4,"at":`, `"op":"end"`,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d is not %s:\n%s", i+1, want, text)
		}
	}
	for i, want := range []string{`"op":"start","product":"late"`, `"cause":"write_failed","count":1,"detail":"`, `"name":"kept"`} {
		if !strings.Contains(lines[i+1], want) {
			t.Errorf("record %d is not %s: %s", i, want, lines[i+1])
		}
	}
}

func TestTheTemporaryFolderReplacesAHomeThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("DATACAT_HOME", filepath.Join(file, "home"))
	t.Setenv("TMPDIR", temporary)
	l := New(Header{Lane: "test"}, limits.LaneBytes, func() []string { return Folders(Homes("")) })
	defer l.Close()
	event(l, "e")
	if want := filepath.Join(temporary, fmt.Sprintf("datacat-%d", os.Getuid())); l.Home() != want {
		t.Errorf("%s, want %s", l.Home(), want)
	}
}

func TestAFullPartGoesOnWhileNoOtherCanBeOpened(t *testing.T) {
	l := testLane(t)
	event(l, "first")
	folder := l.folder
	l.folder = filepath.Join(folder, "missing\x00") // no name that the system takes
	for i := 0; i < 100; i++ {
		event(l, "after the part is full")
	}
	l.folder = folder
	time.Sleep(limits.ReopenAfter + 10*time.Millisecond)
	event(l, "next part")
	if ops, parts := lanetest.Ops(t, partsOf(t, l)), partsOf(t, l); len(ops) != 103 || len(parts) != 2 {
		t.Errorf("%d records in %d parts", len(ops), len(parts))
	}
}

func TestALossShowsNoPathOfThisMachine(t *testing.T) {
	for err, want := range map[error]string{
		nil: "no space left on device",
		&os.PathError{Op: "open", Path: "/secret/path", Err: syscall.EACCES}: "permission denied",
		errors.New("other"): "other",
	} {
		if got := reason(err); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestTheCauseOfEachErrorIsThatOfEveryClient(t *testing.T) {
	text, err := os.ReadFile("../../../../test/fixtures/loss-causes.json")
	if err != nil {
		t.Skip("test/fixtures/loss-causes.json is missing: this module is not in its repository")
	}
	var causes map[string]string
	if err := json.Unmarshal(text, &causes); err != nil {
		t.Fatal(err)
	}
	for name, failure := range map[string]syscall.Errno{
		"EACCES": syscall.EACCES, "EBADF": syscall.EBADF, "EDQUOT": syscall.EDQUOT, "EFBIG": syscall.EFBIG,
		"EIO": syscall.EIO, "EMFILE": syscall.EMFILE, "ENOENT": syscall.ENOENT, "ENOSPC": syscall.ENOSPC,
		"ENOTDIR": syscall.ENOTDIR, "EPERM": syscall.EPERM, "EROFS": syscall.EROFS,
	} {
		if cause := causeOf(&os.PathError{Op: "write", Err: failure}); cause != causes[name] {
			t.Errorf("%s counts as %q, want %q", name, cause, causes[name])
		}
		delete(causes, name)
	}
	if len(causes) > 0 {
		t.Errorf("not tested: %v", causes)
	}
}

func TestAFileThatMayNotGrowIsFollowedByTheNextPart(t *testing.T) {
	l := testLane(t)
	const most = 500 // what `ulimit -f` allows
	l.put = func(file *os.File, b []byte) (int, error) {
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		room := most - int(info.Size())
		if room <= 0 {
			return 0, syscall.EFBIG
		}
		if room < len(b) {
			b = b[:room]
		}
		return WriteOnce(file, b)
	}
	for i := 0; i < 30; i++ {
		event(l, "e")
	}
	if ops, parts := lanetest.Ops(t, partsOf(t, l)), partsOf(t, l); len(ops) != 31 || len(parts) < 3 {
		t.Errorf("%d records in %d parts", len(ops), len(parts))
	}
	if event(l, strings.Repeat("x", most)) != Lost || event(l, "after") != Kept {
		t.Error("a record above the limit is not the only one that is lost")
	}
}
