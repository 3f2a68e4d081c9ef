package encode

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The cases that all clients test.
func TestRedactionOfTheFixture(t *testing.T) {
	text, err := os.ReadFile("../../../../test/fixtures/redaction.json")
	if os.IsNotExist(err) {
		t.Skip("the module was downloaded without the fixtures")
	}
	var cases struct {
		Values []struct {
			Key      string
			Value    any
			Redacted bool
		}
		Arguments []struct{ Original, Written []string }
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases.Values) == 0 || len(cases.Arguments) == 0 {
		t.Fatal("the fixture has no cases")
	}
	for _, one := range cases.Values {
		encoder := &Encoder{}
		encoder.Value(map[string]any{one.Key: one.Value})
		if got := strings.Contains(string(encoder.Buf), redacted); got != one.Redacted {
			t.Errorf("%s: %v is written as %s", one.Key, one.Value, encoder.Buf)
		}
	}
	for _, one := range cases.Arguments {
		if got := RedactArguments(one.Original); !reflect.DeepEqual(got, one.Written) {
			t.Errorf("%q became %q", one.Original, got)
		}
	}
}
