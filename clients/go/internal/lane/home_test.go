package lane

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestALinkOrAnOpenFolderIsNotTakenForTheLastResort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there each user has a temporary folder")
	}
	shared := t.TempDir()
	t.Setenv("TMPDIR", shared)
	t.Setenv("DATACAT_HOME", filepath.Join(os.DevNull, "home"))
	spare := lastResort()
	expect := func(what string, want int) {
		t.Helper()
		if folders := Folders(Homes("")); len(folders) != want {
			t.Errorf("%s: %v", what, folders)
		}
	}
	expect("made", 1)
	if info, err := os.Lstat(spare); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	os.Chmod(spare, 0o777) //nolint:errcheck // the next line fails without it
	expect("open to others", 0)
	os.RemoveAll(spare)
	own := filepath.Join(shared, "own")
	if os.Mkdir(own, 0o700) != nil || os.Symlink(own, spare) != nil {
		t.Fatal("no link")
	}
	expect("a link", 0)
	if entries, _ := os.ReadDir(own); len(entries) > 0 {
		t.Error(entries)
	}
	os.Remove(spare)
	if os.Getuid() != 0 {
		t.Log("skipped: a folder of another user needs root")
		return
	}
	if os.Mkdir(spare, 0o700) != nil || os.Chown(spare, 65534, 65534) != nil {
		t.Fatal("no folder of another user")
	}
	expect("another user's", 0)
}
