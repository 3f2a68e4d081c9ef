package datacat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheReadmeShowsAProgramThatRuns(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("examples", "first", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```") {
		t.Error("README.md's program is not examples/first/main.go")
	}
	for _, line := range strings.Split(string(readme), "(examples/")[1:] {
		name, _, _ := strings.Cut(line, ")")
		if _, err := os.Stat(filepath.Join("examples", name, "main.go")); err != nil {
			t.Errorf("README.md names an example that is not there: %s", name)
		}
	}
}
