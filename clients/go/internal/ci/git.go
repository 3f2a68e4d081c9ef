package ci

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"time"
)

const (
	// gitTime bounds both git commands together: large repositories are slow, and a run of tests must not wait for them.
	gitTime = time.Second
	// maxRead is what is read of git's output and of GitHub's event file: that of a pull request has some 30 KB.
	maxRead = 1 << 20
)

// Neither runs a program that a repository's configuration names.
var (
	gitLog    = []string{"-c", "log.showSignature=false", "log", "-1", "--decorate=full", "--format=%H%x00%at%x00%D%x00%s"}
	gitStatus = []string{"-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"}
)

// Read is the context of this process in a folder, or nil. It takes at most a second.
func Read(folder string) *Context {
	limited, cancel := context.WithTimeout(context.Background(), gitTime)
	defer cancel()
	log := git(limited, folder, gitLog)
	var status *string
	if log != nil {
		status = git(limited, folder, gitStatus)
	}
	return Find(os.Getenv, ParseGit(log, status), readEvent(os.Getenv("GITHUB_EVENT_PATH")))
}

func git(limited context.Context, folder string, arguments []string) *string {
	command := exec.CommandContext(limited, "git", arguments...)
	command.Dir = folder
	// A missing object of a partial clone is not fetched. A lock would make another git fail.
	command.Env = append(os.Environ(), "DATACAT_DISABLED=1", "GIT_ALLOW_PROTOCOL=none", "GIT_OPTIONAL_LOCKS=0")
	output, err := command.StdoutPipe()
	if err != nil || command.Start() != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(output, maxRead+1))
	if err != nil || len(text) > maxRead {
		command.Process.Kill() //nolint:errcheck // it may have ended
		command.Wait()         //nolint:errcheck // its output is not used
		return nil
	}
	if command.Wait() != nil {
		return nil
	}
	printed := string(text)
	return &printed
}

func readEvent(path string) (event any) {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxRead {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &event) != nil {
		return nil
	}
	return event
}
