package direct

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// idleQueue is a queue whose sender has stopped.
func idleQueue() *Queue {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q := New(ctx, lane.Header{Lane: "l"}, "http://127.0.0.1:1", "")
	<-q.Done()
	return q
}

func TestOpsAreGatheredForLessTimeWhileTheSessionIsWatched(t *testing.T) {
	q := idleQueue()
	for _, c := range []struct {
		answer string
		want   time.Duration
	}{
		{`{"results":[{"lane":"l","applied":1,"watched":true}]}`, limits.WatchedGather},
		{`{"results":[{"lane":"l","applied":1,"error":{"code":"unavailable"}}]}`, limits.WatchedGather},
		{`{"results":[{"lane":"l","applied":2}]}`, limits.Gather},
	} {
		if q.note(q.sender.read([]byte(c.answer))); q.gather != c.want {
			t.Errorf("%v after %s", q.gather, c.answer)
		}
	}
}

func TestTheFirstOpAfterARestIsSentSoon(t *testing.T) {
	q := idleQueue()
	now := time.Now()
	for _, c := range []struct {
		rested, want time.Duration
	}{
		{0, limits.Gather},
		{limits.Gather / 2, limits.Gather / 2},
		{limits.Gather, limits.WatchedGather},
		{time.Hour, limits.WatchedGather},
	} {
		q.sent = now.Add(-c.rested)
		if got := q.gatherTime(now); got != c.want {
			t.Errorf("an op %v after the last request waits %v, not %v", c.rested, got, c.want)
		}
	}
}

func TestTheOpsOfThePolicyAreUrgent(t *testing.T) {
	text, err := os.ReadFile("../../../../test/fixtures/direct-policy.json")
	if os.IsNotExist(err) {
		t.Skip("test/fixtures/direct-policy.json is missing: this module is not in its repository")
	}
	var policy struct {
		Urgent []string `json:"urgent_ops"`
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, op := range []struct {
		name string
		kind lane.Kind
		text string
	}{
		{"start", lane.KindStart, `"op":"start"`},
		{"end", lane.KindEnd, `"op":"end"`},
		{"crash", lane.KindEnd, `"op":"crash"`},
		{"exception", lane.KindEvent, `"op":"event","name":"e","exception_type":"t"`},
		{"event", lane.KindEvent, `"op":"event","name":"e"`},
		{"state", lane.KindState, `"op":"state"`},
		{"metric", lane.KindMetric, `"op":"metric"`},
		{"heartbeat", lane.KindHeartbeat, `"op":"heartbeat"`},
	} {
		if isUrgent(op.kind, []byte(op.text)) {
			got = append(got, op.name)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(policy.Urgent) {
		t.Errorf("%v are urgent, and %v in the policy", got, policy.Urgent)
	}
}

func TestARetryPauseIsBetweenHalfAndAllOfItsLengthAndNoShorterThanAsked(t *testing.T) {
	q := idleQueue()
	for i := 0; i < 1_000; i++ {
		if pause := retryPause(q.random, time.Second, 0); pause < time.Second/2 || pause > time.Second {
			t.Fatal(pause)
		}
		if pause := retryPause(q.random, time.Second, time.Minute); pause != time.Minute {
			t.Fatal(pause)
		}
	}
}
