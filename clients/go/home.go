package datacat

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
)

// home is Datacat's folder on this machine (clients/README.md, "Where"): the one asked for, the system's, and one in the
// temporary folder for when that cannot be used.
func homes(asked string) []string {
	temporary := filepath.Join(os.TempDir(), "datacat-"+owner())
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

// owner tells one user's folder from another's. Windows has no numbers for users.
func owner() string {
	if uid := os.Getuid(); uid >= 0 {
		return strconv.Itoa(uid)
	}
	return os.Getenv("USERNAME")
}

func systemHome() string {
	if runtime.GOOS == "windows" {
		if local := os.Getenv("LOCALAPPDATA"); local != "" {
			return filepath.Join(local, "datacat")
		}
		return ""
	}
	home, err := os.UserHomeDir()
	if err != nil { // no HOME is normal for services; the user database still knows
		if owner, unknown := user.Current(); unknown == nil {
			home, err = owner.HomeDir, nil
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

// laneFolders makes the folders for lanes in each home that this user owns and may write to.
func laneFolders(homes []string) []string {
	var folders []string
	for _, home := range homes {
		lanes := filepath.Join(home, "lanes")
		if os.MkdirAll(lanes, 0o700) == nil && isPrivate(home) && isPrivate(lanes) {
			folders = append(folders, lanes)
		}
	}
	return folders
}

// isPrivate: a folder of this user's. In the temporary folder anyone could have made it first.
func isPrivate(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.IsDir() && isOurs(info)
}
