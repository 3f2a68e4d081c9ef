//go:build go1.20

package datacat

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
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
	relations := ""
	for _, cause := range causes {
		c := cause.(map[string]any)
		relations += fmt.Sprintf("%v/%v ", c["kind"], c["parent"])
	}
	if relations != "member/<nil> member/0 <nil>/<nil> " {
		t.Error(relations)
	}
}

// httpError has plain fields, and others.
type httpError struct {
	Status   int
	URL      string
	Password string
	Header   map[string]string
	hidden   int
}

func (e *httpError) Error() string { return "HTTP " + fmt.Sprint(e.Status) }

func TestTheFieldsOfAnErrorAreItsAttributes(t *testing.T) {
	s := testSession(t)
	_, missing := os.Open("/nowhere")
	s.LogException(fmt.Errorf("%w", errors.Join(&httpError{Status: 404, URL: "/a", Password: "x", hidden: 1}, missing)), nil)
	causes := last(t, s)["causes"].([]any)
	var all []any
	for _, cause := range causes {
		all = append(all, cause.(map[string]any)["attributes"])
	}
	if got := fmt.Sprint(all); got != "[<nil> map[Password:[redacted] Status:404 URL:/a] map[Op:open Path:/nowhere] map[errno:2]]" {
		t.Error(got)
	}
}

func TestManyErrorsAreBoundedAndTheRestIsCounted(t *testing.T) {
	s := testSession(t)
	many := make([]error, 1_000)
	for i := range many {
		many[i] = errors.New("ä")
	}
	s.LogException(errors.Join(many...), nil)
	op := last(t, s)
	if left := op["causes_left_out"]; len(op["causes"].([]any)) != limits.MaxTree || fmt.Sprint(left) != fmt.Sprint(1_000-limits.MaxTree) {
		t.Errorf("%v left out", left)
	}
}

func TestTheSourceAroundTheCallIsRecorded(t *testing.T) {
	s := testSession(t)
	s.LogException(errors.New("here"), nil) // the line of the frame
	op := last(t, s)
	excerpt := op["sources"].([]any)[0].(map[string]any)
	line, _ := op["source_line"].(json.Number).Int64()
	first, _ := excerpt["first"].(json.Number).Int64()
	if text := excerpt["lines"].([]any)[line-first].(string); !strings.Contains(text, "the line of the frame") {
		t.Error(text)
	}
}
