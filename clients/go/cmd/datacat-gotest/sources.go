package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// sources looks up lines of a module's source: go test prints t.Log and t.Error alike, and the line shows which it was.
type sources struct {
	root, module string
	files        map[string][]string
}

var (
	logs = regexp.MustCompile(`\.(Log|Logf|Skip|Skipf)\(`)
	errs = regexp.MustCompile(`\.(Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(assert|require)\.`)
)

// errors are the complaints that are no logs; without any, every complaint. isKnown reports whether each is known
// to be an error.
func (s *sources) errors(pkg string, all []complaint) (found []complaint, isKnown bool) {
	isKnown = true
	for _, each := range all {
		text := s.line(pkg, each.file, each.line)
		switch {
		case errs.MatchString(text):
			found = append(found, each)
		case logs.MatchString(text):
		default: // in a function of the program's own, or unknown
			isKnown = false
			found = append(found, each)
		}
	}
	if len(found) == 0 {
		return all, false
	}
	return found, isKnown
}

// areLogs reports whether no complaint is an error, as far as is known.
func (s *sources) areLogs(pkg string, all []complaint) bool {
	for _, each := range all {
		if text := s.line(pkg, each.file, each.line); !logs.MatchString(text) || errs.MatchString(text) {
			return false
		}
	}
	return true
}

// line is a line of a package's file, or "".
func (s *sources) line(pkg, file string, number int) string {
	if s.module == "" || pkg != s.module && !strings.HasPrefix(pkg, s.module+"/") || filepath.Base(file) != file {
		return ""
	}
	path := filepath.Join(s.root, filepath.FromSlash(strings.TrimPrefix(pkg, s.module)), file)
	lines, isRead := s.files[path]
	if !isRead {
		if len(s.files) == maxSources {
			return ""
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && info.Size() <= maxSource {
			text, _ := os.ReadFile(path)
			lines = strings.Split(string(text), "\n")
		}
		if s.files == nil {
			s.files = map[string][]string{}
		}
		s.files[path] = lines
	}
	if number < 1 || number > len(lines) {
		return ""
	}
	return lines[number-1]
}
