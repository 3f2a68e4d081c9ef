//go:build go1.20

package datacat

import (
	"errors"
	"fmt"
	"testing"
)

func TestAllErrorsThatOneWrapsAreItsCauses(t *testing.T) {
	s := testSession(t)
	s.LogException(errors.Join(errors.New("one"), nil, fmt.Errorf("two: %w", errors.New("three"))), nil)
	causes := last(t, s)["causes"].([]any)
	var messages []any
	for _, cause := range causes {
		messages = append(messages, cause.(map[string]any)["exception_msg"])
	}
	if fmt.Sprint(messages) != "[one two: three three]" {
		t.Errorf("%q", messages)
	}
}
