package limits_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func TestDirectModeHasTheNumbersOfAllClients(t *testing.T) {
	text, err := os.ReadFile("../../../../test/fixtures/direct-policy.json")
	if os.IsNotExist(err) {
		t.Skip("test/fixtures/direct-policy.json is missing: this module is not in its repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	var policy map[string]any
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]int64{
		"queue_ops":            limits.QueueOps,
		"queue_bytes":          limits.QueueBytes,
		"queue_freed_percent":  limits.QueueFreedPercent,
		"batch_ops":            limits.BatchOps,
		"batch_bytes":          limits.BatchBytes,
		"gather_ms":            limits.Gather.Milliseconds(),
		"watched_gather_ms":    limits.WatchedGather.Milliseconds(),
		"lease_ms":             limits.Lease.Milliseconds(),
		"lease_renewal_ms":     limits.LeaseRenewal.Milliseconds(),
		"timeout_ms":           limits.RequestTimeout.Milliseconds(),
		"retry_first_ms":       limits.RetryFirst.Milliseconds(),
		"retry_longest_ms":     limits.RetryLongest.Milliseconds(),
		"retry_jitter_percent": limits.RetryJitterPercent,
		"refused_pause_ms":     limits.RefusedPause.Milliseconds(),
		"end_wait_ms":          limits.EndWait.Milliseconds(),
		"causes_kept":          limits.MaxCauses,
	}
	for name, want := range policy {
		got, isNumber := numbers[name]
		if name == "urgent_ops" { // the test of the queue checks these
			continue
		}
		if !isNumber || !reflect.DeepEqual(float64(got), want) {
			t.Errorf("%s is %d, and %v in the policy", name, got, want)
		}
	}
}

func TestAttachmentsHaveTheNumbersOfAllClients(t *testing.T) {
	text, err := os.ReadFile("../../../../test/fixtures/attachments.json")
	if os.IsNotExist(err) {
		t.Skip("test/fixtures/attachments.json is missing: this module is not in its repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	ours, _ := json.Marshal(map[string]any{
		"max_bytes": limits.MaxAttachmentBytes, "block_bytes": limits.BlockBytes, "chunk_bytes": limits.ChunkBytes,
		"waiting_bytes": limits.WaitingBytes, "type_length": limits.MaxMediaType,
		"unknown_answers": limits.UnknownAnswers, "default_type": limits.DefaultMediaType, "types": limits.MediaTypes,
	})
	if err := json.Unmarshal(ours, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v (%v)", got, want, err)
	}
}
