package lane

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
)

// Homes lists the folders that may be Datacat's home on this machine, best first (clients/README.md, "Where"): the one
// asked for or the system's, and one in the temporary folder in case that cannot be used.
func Homes(asked string) []string {
	temporary := lastResort()
	if asked == "" {
		asked = os.Getenv("DATACAT_HOME")
	}
	if asked == "" {
		asked = systemHome()
	}
	if asked == "" {
		return []string{temporary}
	}
	if absolute, err := filepath.Abs(asked); err == nil {
		asked = absolute
	}
	return []string{asked, temporary}
}

func lastResort() string { return filepath.Join(os.TempDir(), "datacat-"+userID()) }

// userID separates the folders of two users. Windows has no numbers for users.
func userID() string {
	if uid := os.Getuid(); uid >= 0 {
		return strconv.Itoa(uid)
	}
	return os.Getenv("USERNAME")
}

// systemHome is the home by the conventions of the operating system, or "" where the user has no folder.
func systemHome() string {
	if runtime.GOOS == "windows" {
		if local := os.Getenv("LOCALAPPDATA"); local != "" {
			return filepath.Join(local, "datacat")
		}
		return ""
	}
	home, err := os.UserHomeDir()
	if err != nil { // services often run without HOME; the user database has it
		if current, unknown := user.Current(); unknown == nil {
			home, err = current.HomeDir, nil
		}
	}
	if err == nil && (runtime.GOOS == "darwin" || runtime.GOOS == "ios") {
		return filepath.Join(home, "Library", "Application Support", "datacat")
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "datacat")
	}
	if err != nil || home == "" {
		return ""
	}
	return filepath.Join(home, ".local", "state", "datacat")
}

// Folders makes the folder for lanes in each home that belongs to this user, and lists those that exist afterwards.
func Folders(homes []string) []string {
	var folders []string
	for _, home := range homes {
		lanes := filepath.Join(home, "lanes")
		if home == lastResort() && !makeClosed(home) {
			continue
		}
		if os.MkdirAll(lanes, 0o700) == nil && isPrivate(home) && isPrivate(lanes) {
			folders = append(folders, lanes)
		}
	}
	return folders
}

// Usable is the first home that this user may write to, full or not: its daemon also reads the lanes of the last resort. It
// is "" if there is none.
func Usable(homes []string) string {
	for _, home := range homes {
		if folders := Folders([]string{home}); len(folders) > 0 && mayWrite(folders[0]) {
			return home
		}
	}
	return ""
}

// makeClosed makes a folder where every user may write, and reports whether it belongs to this user, and no other may write to
// it. A link is refused: another user may have made it, to a folder of this one.
func makeClosed(folder string) bool {
	os.Mkdir(folder, 0o700) //nolint:errcheck // it may exist, and is checked
	info, err := os.Lstat(folder)
	return err == nil && info.IsDir() && isOurs(info) && (runtime.GOOS == "windows" || info.Mode().Perm()&0o022 == 0)
}

// isPrivate reports whether a folder belongs to this user. In the temporary folder another user can make it first.
func isPrivate(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.IsDir() && isOurs(info)
}
