// Command types checks the types of all packages in and below the working directory, with their tests, for another system:
//
//	go run main.go windows
//
// It reads the sources of the standard library, which takes a second. The compiler would first compile the library for that system.
package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	build.Default.GOOS = os.Args[1]
	build.Default.CgoEnabled = false
	list := exec.Command("go", "list", "-f", "{{.Dir}}", "./...")
	list.Env = append(os.Environ(), "GOOS="+os.Args[1], "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	folders, err := list.Output()
	if err != nil {
		fail(err)
	}

	positions := token.NewFileSet()
	failures := 0
	config := types.Config{
		Importer: importer.ForCompiler(positions, "source", nil),
		Error: func(err error) {
			failures++
			fmt.Println(err)
		},
	}
	checked := 0
	for _, folder := range strings.Fields(string(folders)) {
		found, err := build.ImportDir(folder, 0)
		if err != nil {
			fail(err)
		}
		inside := append(found.GoFiles, found.TestGoFiles...)
		for _, names := range [][]string{inside, found.XTestGoFiles} {
			if files := parse(positions, folder, names); len(files) > 0 {
				_, _ = config.Check(folder, positions, files, nil) // its errors are printed
				checked += len(files)
			}
		}
	}
	fmt.Printf("%d files, %d errors\n", checked, failures)
	if failures > 0 {
		os.Exit(1)
	}
}

func parse(positions *token.FileSet, folder string, names []string) []*ast.File {
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(positions, filepath.Join(folder, name), nil, 0)
		if err != nil {
			fail(err)
		}
		files = append(files, file)
	}
	return files
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
