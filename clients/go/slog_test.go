//go:build go1.22

package datacat

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/slogtest"
	"time"
)

func TestTheLogHandlerKeepsTheContractOfSlog(t *testing.T) {
	noTime := time.UnixMilli(1)
	var session *Session
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		session = testSession(t)
		session.clock = func() time.Time { return noTime }
		return NewLogHandler(session, LogOptions{})
	}, func(t *testing.T) map[string]any {
		op := last(t, session)
		result := map[string]any{"level": op["category"], "msg": op["message"]}
		if op["at"] != json.Number("1") { // the time of the clock: the record has none
			result["time"] = op["at"]
		}
		data, _ := op["data"].(map[string]any)
		for key, value := range data {
			result[key] = value
		}
		return result
	})
}

func TestLevelsBecomeCategoriesAndErrorsExceptions(t *testing.T) {
	s := testSession(t)
	logger := slog.New(NewLogHandler(s, LogOptions{Group: "app", Level: slog.Level(-8)}))
	for level, category := range map[slog.Level]string{-8: "debug", -4: "debug", 0: "info", 2: "info", 4: "warning", 8: "error", 12: "critical"} {
		logger.Log(context.Background(), level, "hello")
		if got := last(t, s); got["category"] != category || got["group"] != "app" || got["message"] != "hello" {
			t.Errorf("level %d: %v", level, got)
		}
	}
	logger.Error("failed", "err", errors.New("no space"), "password", "hunter2")
	got := last(t, s)
	if got["exception_type"] != "errors.errorString" || got["exception_msg"] != "no space" || got["source_line"] == nil {
		t.Errorf("the error is missing: %v", got)
	}
	if data := got["data"].(map[string]any); data["password"] != "[redacted]" || data["err"] != "no space" {
		t.Errorf("data: %v", data)
	}
}
