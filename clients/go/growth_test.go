package datacat

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// The time of a call grows with the length of what it records, whatever that is: a quadratic function takes 16 times as long
// for four times the length.
func TestTimeGrowsWithTheLengthOfTheText(t *testing.T) {
	s := testSession(t)
	log := s.LogWriter("out")
	functions := map[string]func(text string){
		"a message":             func(text string) { s.Log(Event{Name: "e", Message: text}) },
		"names and tags":        func(text string) { s.Log(Event{Name: text, Group: text, Tags: []string{text}}) },
		"data":                  func(text string) { s.LogEvent("e", Data{text: text, "list": []string{text, text}}) },
		"a patch":               func(text string) { s.UpdateState(Data{text: Data{"value": text, "password": text}}) },
		"an error":              func(text string) { s.LogException(errors.New(text), nil) },
		"a wrapped error":       func(text string) { s.LogException(fmt.Errorf("%s: %w", text, errors.New(text)), nil) },
		"a panic":               func(text string) { s.LogPanic(text, nil) },
		"a stack":               func(text string) { s.Log(Event{Name: "e", Exception: &Exception{Cause: Cause{Stack: []string{text}}}}) },
		"a metric":              func(text string) { s.Gauge(text, 1) },
		"output":                func(text string) { fmt.Fprintln(log, text) },
		"arguments":             func(text string) { secrets.Arguments([]string{text, "--password", text, "a=" + text}) },
		"the secrets of a text": func(text string) { secrets.Clean(text) },
	}
	repeated := []string{
		"a", " ", "\n", "  \n", "at ", ".(", "/", "/a ", "@", ":1", `File "`, `\`, `"`, `\ud800`, "€", "\x00", "\xff", "\xed\xa0",
		"_", "-", "=", "token", "--token=", "1", "{", "\x1b]", "a: ",
		"://", "x://a:b/", "u:p@", "password=[", "token='1", "authorization: Bearer ", "-u a ", "-p", "eyJ.", "-AIza", "ghp_", "ya29.", "4111 ",
		"%3A%2F%2F", "-----BEGIN PRIVATE KEY-----",
	}
	for name, work := range functions {
		for _, each := range repeated {
			growsLinearly(t, fmt.Sprintf("%s of %q", name, each), 8_000, func(length int) func() {
				text := strings.Repeat(each, length/len(each))
				return func() { work(text) }
			})
		}
	}
}

// wrapping is an error with any number of causes.
type wrapping []error

func (wrapping) Error() string     { return "several" }
func (w wrapping) Unwrap() []error { return w }

func TestTimeGrowsWithTheNumberOfCauses(t *testing.T) {
	s := testSession(t)
	growsLinearly(t, "a chain", 5_000, func(length int) func() {
		var err error = errors.New("first")
		for i := 0; i < length; i++ {
			err = wrapping{err}
		}
		return func() { s.LogException(err, nil) }
	})
	growsLinearly(t, "errors with many causes", 5_000, func(length int) func() {
		var err error = errors.New("first")
		for i := 0; i < 20; i++ {
			several := make(wrapping, length/20)
			for j := range several {
				several[j] = err
			}
			err = several
		}
		return func() { s.LogException(err, nil) }
	})
}

// growsLinearly compares the shortest of ten runs with n and 4n. Other processes may delay each run by the slack, so a run with 4n
// that takes less than the slack is enough.
func growsLinearly(t *testing.T, name string, n int, prepare func(length int) func()) {
	t.Helper()
	const slack = 100 * time.Millisecond
	const runs = 10
	long := shortestRun(prepare(4*n), runs, slack)
	if long < slack {
		return
	}
	short := shortestRun(prepare(n), runs, 0)
	if long > 12*short+slack {
		t.Errorf("%s: %v for n and %v for 4n", name, short, long)
	}
}

// shortestRun stops early after a run that takes less than enough.
func shortestRun(work func(), runs int, enough time.Duration) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for run := 0; run < runs && shortest >= enough; run++ {
		start := time.Now()
		work()
		if elapsed := time.Since(start); elapsed < shortest {
			shortest = elapsed
		}
	}
	return shortest
}
