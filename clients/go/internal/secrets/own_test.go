package secrets_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// The rules are read once, when the program starts, so they are tested in a process of their own.
func TestOwnRules(t *testing.T) {
	cases := fixture(t).Own
	if os.Getenv("DATACAT_REDACT") == "" {
		setting, _ := json.Marshal(cases.Rules)
		command := exec.Command(os.Args[0], "-test.run", "^TestOwnRules$")
		command.Env = append(os.Environ(), "DATACAT_REDACT="+string(setting))
		if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "PASS") {
			t.Fatalf("%v\n%s", err, output)
		}
		return
	}
	for _, one := range cases.Texts {
		if got := secrets.Clean(one.Original); got != one.Written {
			t.Errorf("%q became %q", one.Original, got)
		}
	}
	for _, one := range cases.Objects {
		encoder := &encode.Encoder{}
		encoder.Object(one.Root, one.Original)
		var got any
		if err := json.Unmarshal(encoder.Buf, &got); err != nil || !reflect.DeepEqual(got, one.Written) {
			t.Errorf("%s: %v became %s", one.Root, one.Original, encoder.Buf)
		}
	}
}
