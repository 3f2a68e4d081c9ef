package daemon

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

const executableName = "datacat-daemon"

// Find returns the path of the daemon's executable, or "". It is DATACAT_DAEMON, else `datacat-daemon` beside the program's
// executable, in bin beside it, or on the PATH. DATACAT_DAEMON=off always gives "". The current directory is not searched:
// another user may write to it, and the program would run what that user put there.
func Find() string {
	wanted := os.Getenv("DATACAT_DAEMON")
	if wanted == "off" {
		return ""
	}
	if wanted == "" {
		wanted = executableName
	}
	if filepath.Base(wanted) != wanted { // a path
		return absolute(wanted)
	}
	if program, err := os.Executable(); err == nil {
		folder := filepath.Dir(program)
		for _, path := range []string{filepath.Join(folder, wanted), filepath.Join(folder, "bin", wanted)} {
			if runtime.GOOS == "windows" && filepath.Ext(path) == "" {
				path += ".exe"
			}
			if found := absolute(path); found != "" {
				return found
			}
		}
	}
	return absolute(wanted)
}

// absolute returns the full path of an executable, or "". A name without a folder is searched on the PATH.
func absolute(executable string) string {
	path, err := exec.LookPath(executable)
	if err != nil {
		return ""
	}
	if filepath.Base(executable) == executable && !filepath.IsAbs(path) {
		return "" // a relative folder on the PATH, such as the current directory
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return ""
	}
	return path
}

// IsOriginal reports whether an executable is the daemon of datacat 1.x: machine code that makes its local ids. Later ones
// are scripts.
func IsOriginal(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 2)
	if _, err := file.Read(start); err != nil || !isMachineCode(string(start)) {
		return false
	}
	content, err := io.ReadAll(file)
	return err == nil && bytes.Contains(content, []byte("local-session-")) && !bytes.Contains(content, []byte(thisModule))
}

// thisModule is in every program that is built with this client. Such a program contains the id of 1.x, too, because this file
// does, but it is not the daemon of 1.x.
const thisModule = "github.com/datacat/datacat/clients/go/v2"

// isMachineCode reports whether a file begins like an executable of Linux, Windows or macOS.
func isMachineCode(start string) bool {
	return start == "\x7fE" || start == "MZ" || start == "\xcf\xfa" || start == "\xca\xfe"
}

var (
	originalsMu sync.Mutex
	originals   = map[string]bool{} // by path
)

// FindOriginal returns the path of the executable that Find finds, if it is the daemon of datacat 1.x, else "". The first time
// it writes to standard error what that means; how is the end of that sentence.
func FindOriginal(how string) string {
	path := Find()
	if path == "" {
		return ""
	}
	originalsMu.Lock()
	defer originalsMu.Unlock()
	isOriginal, isKnown := originals[path]
	if !isKnown {
		isOriginal = IsOriginal(path)
		originals[path] = isOriginal
		if isOriginal {
			fmt.Fprintf(os.Stderr, "datacat: %s is the daemon of datacat 1.x, so the program %s. Install the daemon of datacat 2 there.\n", path, how)
		}
	}
	if !isOriginal {
		return ""
	}
	return path
}
