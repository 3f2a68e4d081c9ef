package daemon

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindSearchesBesideTheProgramThenThePathButNotTheCurrentFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("executables have an extension there")
	}
	t.Setenv("DATACAT_DAEMON", "")
	current, other := t.TempDir(), t.TempDir()
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chdir(current); err != nil {
		t.Fatal(err)
	}
	defer os.Chdir(back) //nolint:errcheck // the test is over
	put(t, filepath.Join(current, executableName), "#!")
	put(t, filepath.Join(current, "bin", executableName), "#!")
	for _, path := range []string{"", ".", "bin"} {
		t.Setenv("PATH", path)
		if found := Find(); found != "" {
			t.Errorf("PATH=%q: %s", path, found)
		}
	}

	onPath := put(t, filepath.Join(other, executableName), "#!")
	t.Setenv("PATH", other)
	expect := func(want string) {
		t.Helper()
		if found := Find(); found != want {
			t.Errorf("found %q, want %q", found, want)
		}
	}
	expect(onPath)

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inBin := filepath.Join(filepath.Dir(program), "bin", executableName)
	beside := filepath.Join(filepath.Dir(program), executableName)
	defer os.RemoveAll(filepath.Dir(inBin))
	defer os.Remove(beside)
	put(t, inBin, "#!")
	expect(inBin)
	put(t, beside, "#!")
	expect(beside)

	named := put(t, filepath.Join(other, "named"), "#!")
	t.Setenv("DATACAT_DAEMON", named)
	expect(named)
	t.Setenv("DATACAT_DAEMON", "off")
	expect("")
}

func TestTheDaemonOf1xIsRecognisedByItsCode(t *testing.T) {
	folder := t.TempDir()
	for content, want := range map[string]bool{
		"\x7fELF … local-session-%d":                                      true,
		"MZ … local-session-%d":                                           true,
		"\x7fELF … another program":                                       false,
		"#!/usr/bin/env node local-session-":                              false,
		"\x7fELF local-session- github.com/datacat/datacat/clients/go/v2": false,
		"": false,
	} {
		if got := IsOriginal(put(t, filepath.Join(folder, "daemon"), content)); got != want {
			t.Errorf("%q: %v", content, got)
		}
	}
	if IsOriginal(filepath.Join(folder, "missing")) {
		t.Error("a missing file is the daemon of 1.x")
	}

	t.Setenv("DATACAT_DAEMON", put(t, filepath.Join(folder, "original"), "\x7fELF local-session-"))
	for i := 0; i < 2; i++ { // it is reported the first time only
		if found := FindOriginal("is tested"); found == "" {
			t.Error("it was not found")
		}
	}
	t.Setenv("DATACAT_DAEMON", put(t, filepath.Join(folder, "script"), "#!/bin/sh"))
	if found := FindOriginal("is tested"); found != "" {
		t.Error(found)
	}
}
