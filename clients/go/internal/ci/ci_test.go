package ci

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

const fixture = "../../../../test/fixtures/ci.json"

func TestTheContextIsThatOfTheFixture(t *testing.T) {
	text, err := os.ReadFile(fixture)
	if os.IsNotExist(err) {
		t.Skip("test/fixtures is missing: this module is not in its repository")
	}
	var cases []struct {
		Name    string
		Env     map[string]string
		Event   any
		Git     struct{ Log, Status *string }
		Context map[string]any
		Version *string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 20 {
		t.Fatal(len(cases), err)
	}
	for _, each := range cases {
		t.Run(each.Name, func(t *testing.T) {
			got := Find(func(name string) string { return each.Env[name] }, ParseGit(each.Git.Log, each.Git.Status), each.Event)
			if got == nil {
				if each.Context != nil {
					t.Fatalf("nothing, want %v", each.Context)
				}
				return
			}
			object := map[string]any{}
			for _, field := range got.Object() {
				object[field.Key] = field.Value
			}
			var plain map[string]any
			encoded, _ := json.Marshal(object)
			if err := json.Unmarshal(encoded, &plain); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(plain, each.Context) {
				t.Errorf("got  %v\nwant %v", plain, each.Context)
			}
			want := ""
			if each.Version != nil {
				want = *each.Version
			}
			if got.Version() != want {
				t.Errorf("version %q, want %q", got.Version(), want)
			}
		})
	}
}

func TestGitIsReadFromAFolder(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"GITHUB_ACTIONS", "GITLAB_CI", "BITBUCKET_BUILD_NUMBER", "BUILDKITE", "CIRCLECI", "TF_BUILD", "TEAMCITY_VERSION", "JENKINS_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(folder))
	if got := Read(folder); got != nil {
		t.Fatalf("no repository: %+v", got)
	}
	for _, arguments := range [][]string{{"init", "-q", "-b", "trunk"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "First"}} {
		if err := os.WriteFile(filepath.Join(folder, "file"), []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command("git", arguments...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			t.Skipf("git: %v %s", err, output)
		}
	}
	got := Read(folder)
	if got == nil || got.Branch != "trunk" || got.Subject != "First" || got.Dirty == nil || *got.Dirty || got.Version() != got.Commit[:12] {
		t.Fatalf("%+v", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Read(folder); got.Version() != got.Commit[:12]+"-dirty" {
		t.Errorf("%+v", got)
	}
}
