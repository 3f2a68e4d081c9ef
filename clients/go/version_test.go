package datacat

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestTheVersionIsThatOfThePackagesAndOfTheModulePath(t *testing.T) {
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ := strings.Cut(string(module), "\n")
	major, _, _ := strings.Cut(Version, ".")
	if !strings.HasSuffix(path, "/v"+major) {
		t.Errorf("%s has no /v%s, so version %s cannot be required", path, major, Version)
	}

	text, err := os.ReadFile("../../package.json")
	if os.IsNotExist(err) {
		t.Skip("package.json is missing: this module is not in its repository")
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Version != Version {
		t.Errorf("package.json has version %q, this client %q (%v)", manifest.Version, Version, err)
	}
}
