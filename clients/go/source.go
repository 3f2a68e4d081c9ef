package datacat

import (
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// sourceFiles are the files of the program that were read, nil for one that cannot be read: a program that was built elsewhere
// has none.
var sourceFiles = struct {
	sync.Mutex
	lines map[string][]string
}{lines: map[string][]string{}}

// appendSources adds the source lines around the innermost frames of the program.
func appendSources(sources []Excerpt, stack []uintptr) []Excerpt {
	if len(stack) == 0 {
		return sources
	}
	each := runtime.CallersFrames(stack)
	for more, count := true, 0; more && count < limits.MaxSources && len(sources) < limits.MaxSources; count++ {
		var frame runtime.Frame
		frame, more = each.Next()
		first := frame.Line - limits.SourceLines
		if first < 1 {
			first = 1
		}
		lines := sourceLines(frame.File)
		if frame.Line < 1 || frame.Line > len(lines) || hasExcerpt(sources, frame.File, first) {
			continue
		}
		end := frame.Line + limits.SourceLines
		if end > len(lines) {
			end = len(lines)
		}
		sources = append(sources, Excerpt{File: frame.File, First: first, Lines: lines[first-1 : end]})
	}
	return sources
}

func hasExcerpt(sources []Excerpt, file string, first int) bool {
	for _, excerpt := range sources {
		if excerpt.File == file && excerpt.First == first {
			return true
		}
	}
	return false
}

func sourceLines(file string) []string {
	if isLibrary(file) {
		return nil
	}
	sourceFiles.Lock()
	defer sourceFiles.Unlock()
	lines, isKnown := sourceFiles.lines[file]
	if isKnown || len(sourceFiles.lines) >= limits.SourceFiles {
		return lines
	}
	if info, err := os.Stat(file); err == nil && info.Size() <= limits.SourceFileBytes {
		if text, err := os.ReadFile(file); err == nil {
			lines = strings.Split(string(text), "\n")
			for i, line := range lines {
				lines[i] = cut(strings.TrimSuffix(line, "\r"), limits.SourceLength)
			}
		}
	}
	sourceFiles.lines[file] = lines
	return lines
}

// isLibrary reports whether a file is of the standard library or of another module.
func isLibrary(file string) bool {
	return !strings.Contains(file, "/") || strings.HasPrefix(file, runtime.GOROOT()+"/") || strings.Contains(file, "/pkg/mod/") ||
		strings.Contains(file, "/vendor/")
}
