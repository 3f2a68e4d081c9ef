package secrets

import (
	"strings"
	"testing"
)

func TestSecretsOfACommandLineAreRedacted(t *testing.T) {
	got := Arguments([]string{"--level", "3", "--token=abc", "--password", "hunter2", "-api-key", "--verbose", "API_KEY=x", "--tokens"})
	want := []string{"--level", "3", "--token=[redacted]", "--password", "[redacted]", "-api-key", "--verbose", "API_KEY=[redacted]", "--tokens"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q", got)
	}
}
