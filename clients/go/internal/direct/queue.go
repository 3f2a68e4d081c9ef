// Package direct sends records to the server from this process: for programs without a file system. Its policy is that of
// all clients (clients/README.md, "Direct mode").
package direct

import (
	"context"
	"errors"
	"math/rand"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Queue is a bounded list of ops in memory, and one goroutine that sends them. A batch names the sequences that it holds
// and is sent unchanged until the server has answered for it, so each op is applied once.
type Queue struct {
	sender sender
	random *rand.Rand // before Go 1.20 the common one has the same seed in every process

	mu         sync.Mutex
	ops        []op
	bytes      int
	sequence   int64         // of the last op
	applied    int64         // the last sequence that the server has answered for
	sending    int64         // the last sequence of the present batch
	unanswered int           // ops in the present batch
	full       int           // ops dropped because the queue was full
	gather     time.Duration // between two requests that are not urgent
	sent       time.Time     // when the last batch was taken
	isClosed   bool
	isStopped  bool // the sender has ended
	isFailing  bool // the last request had no answer that helps
	isUrgent   bool // send without gathering
	uploads    uploads
	changed    chan struct{} // closed and replaced when applied, isFailing or uploads change
	wake       chan struct{}
	done       chan struct{} // closed when the sender has ended
}

// New starts a queue and its sender, which ends with the session or with ctx.
func New(ctx context.Context, header lane.Header, url, key string) *Queue {
	q := &Queue{
		sender:  newSender(header, url, key),
		random:  rand.New(rand.NewSource(time.Now().UnixNano())),
		gather:  limits.Gather,
		changed: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	go q.run(ctx)
	return q
}

// Write adds one record to the queue.
func (q *Queue) Write(r *lane.Record, at int64) lane.Outcome {
	text := r.Timed(at)

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed {
		return lane.Closed
	}
	if q.isStopped {
		return lane.Lost
	}
	q.sequence++
	q.ops = append(q.ops, op{q.sequence, r.Kind, text})
	q.bytes += len(text)
	if len(q.ops) > limits.QueueOps || q.bytes > limits.QueueBytes {
		q.dropOldest()
	}
	if r.Kind == lane.KindEnd {
		q.isClosed = true
	}
	if isUrgent(r.Kind, text) || len(q.ops) >= limits.BatchOps || q.bytes >= limits.BatchBytes {
		q.isUrgent = true
	}
	q.wakeSender()
	return lane.Kept
}

// dropOldest drops the oldest metrics, and if these are not enough the oldest ops except start and end. It frees a share of
// the queue, so that a full queue is not searched for each record.
func (q *Queue) dropOldest() {
	const keptShare = 100 - limits.QueueFreedPercent
	for _, mayDrop := range []func(lane.Kind) bool{
		func(k lane.Kind) bool { return k == lane.KindMetric },
		func(k lane.Kind) bool { return k != lane.KindStart && k != lane.KindEnd },
	} {
		kept := q.ops[:0]
		left := len(q.ops)
		for _, op := range q.ops {
			isFull := left > limits.QueueOps*keptShare/100 || q.bytes > limits.QueueBytes*keptShare/100
			if isFull && mayDrop(op.kind) {
				q.bytes -= len(op.text)
				q.full++
				left--
			} else {
				kept = append(kept, op)
			}
		}
		for i := len(kept); i < len(q.ops); i++ {
			q.ops[i].text = nil
		}
		q.ops = kept
	}
}

// LossCause is the cause that a lost record is counted under.
func (q *Queue) LossCause() string { return "queue_full" }

// Counts are the ops that wait for the server, and those that were dropped.
func (q *Queue) Counts() (waiting, full int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ops) + q.unanswered + len(q.uploads.waiting), q.full
}

// Done is closed when the sender has ended.
func (q *Queue) Done() <-chan struct{} { return q.done }

// ErrStopped is Flush's error after the sender has ended.
var ErrStopped = errors.New("datacat: the session's context is done, so its sender has stopped")

// Flush waits until the server has answered for all ops written before the call, and for all attachments.
func (q *Queue) Flush(ctx context.Context) error {
	return q.flush(ctx, false)
}

// Close sends the rest and ends the sender. It waits for a bounded time, and only while the server answers.
func (q *Queue) Close() {
	q.mu.Lock()
	q.isClosed = true
	q.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), limits.EndWait)
	defer cancel()
	q.flush(ctx, true) //nolint:errcheck // what is not sent by now is lost with the process
	q.sender.stop()
}

func (q *Queue) flush(ctx context.Context, onlyWhileAnswered bool) error {
	q.mu.Lock()
	target := q.sequence
	q.isUrgent = true
	q.mu.Unlock()
	q.wakeSender()
	for {
		q.mu.Lock()
		isSent := q.applied >= target && len(q.uploads.waiting) == 0
		isFailing, changed := q.isFailing, q.changed
		q.mu.Unlock()
		if isSent || onlyWhileAnswered && isFailing {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-q.done:
			return ErrStopped
		}
	}
}

func (q *Queue) wakeSender() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run sends until the session has ended or ctx is done.
func (q *Queue) run(ctx context.Context) {
	defer func() {
		q.mu.Lock()
		q.isStopped = true
		q.mu.Unlock()
		q.dropAll()
		close(q.done)
		q.sender.stop()
	}()
	stopping := q.sender.stopping
	for {
		if !q.wait(ctx, stopping) {
			if ctx.Err() != nil {
				if b := q.take(); b.last >= b.first {
					q.deliver(b, func(time.Duration) bool { return false }) // one request, not repeated
				}
			}
			return
		}
		b := q.take()
		if !q.deliver(b, func(pause time.Duration) bool { return sleep(ctx, stopping, pause) }) {
			return
		}
	}
}

// wait returns true when a batch is due: at once if it is urgent, else after the time of gathering; without ops, when the
// lease is to be renewed. It returns false when the sender is to end.
func (q *Queue) wait(ctx context.Context, stopping <-chan struct{}) bool {
	renewal := time.NewTimer(limits.LeaseRenewal)
	defer renewal.Stop()
	var gathered <-chan time.Time
	for {
		q.mu.Lock()
		isWaiting, isUrgent, gather := q.sequence > q.applied, q.isUrgent, q.gatherTime(time.Now())
		q.mu.Unlock()
		if isWaiting && isUrgent {
			return true
		}
		if isWaiting && gathered == nil {
			timer := time.NewTimer(gather)
			defer timer.Stop()
			gathered = timer.C
		}
		select {
		case <-q.wake:
		case <-gathered:
			return true
		case <-renewal.C:
			return true
		case <-ctx.Done():
			return false
		case <-stopping:
			return false
		}
	}
}

// gatherTime returns how long an op of now waits for others. The first one after a rest waits for a short time only: its answer
// shows whether a page of the session has been opened meanwhile.
func (q *Queue) gatherTime(now time.Time) time.Duration {
	if left := q.sent.Add(q.gather).Sub(now); left > limits.WatchedGather {
		return left
	}
	return limits.WatchedGather
}

// take moves the next batch out of the queue.
func (q *Queue) take() batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = time.Now()
	size, count := 0, 0
	for count < len(q.ops) && count < limits.BatchOps && (count == 0 || size+len(q.ops[count].text) <= limits.BatchBytes) {
		size += len(q.ops[count].text)
		count++
	}
	b := batch{first: q.applied + 1, last: q.sequence, ops: append([]op(nil), q.ops[:count]...)}
	hasMore := count < len(q.ops)
	if hasMore {
		b.last = b.ops[count-1].sequence
	}
	rest := copy(q.ops, q.ops[count:])
	for i := rest; i < len(q.ops); i++ {
		q.ops[i].text = nil
	}
	q.ops = q.ops[:rest]
	q.bytes -= size
	q.isUrgent = hasMore
	q.sending, q.unanswered = b.last, count
	return b
}

// deliver sends a batch until the server has answered for all its sequences. pause returns false when the sender is to end.
func (q *Queue) deliver(b batch, pause func(time.Duration) bool) bool {
	delay := limits.RetryFirst
	for {
		result := q.sender.send(b)
		q.note(result)
		switch result.kind {
		case applied:
			if result.applied >= b.last {
				return result.slowDown == 0 || pause(result.slowDown)
			}
			hasMoved := result.applied >= b.first
			b = b.after(result.applied)
			if hasMoved {
				continue
			}
		case gone:
			q.dropAll()
			return false
		case refused:
			if !pause(limits.RefusedPause) {
				return false
			}
			if len(b.ops) > 1 { // only some of the ops may be at fault, or half of them may be short enough
				half := b.until(len(b.ops) / 2)
				if !q.deliver(half, pause) {
					return false
				}
				b = b.after(half.last)
				continue
			}
			if len(b.ops) == 1 { // its sequence is sent without it, and counted
				b.ops, b.refused = nil, 1
				continue
			}
			q.acknowledge(b.last)
			return true
		}
		if !pause(retryPause(q.random, delay, result.retryAfter)) {
			return false
		}
		if delay *= 2; delay > limits.RetryLongest {
			delay = limits.RetryLongest
		}
	}
}

// note keeps the progress of the lane and the condition of the server from a result.
func (q *Queue) note(result result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if result.kind == applied {
		q.gather = limits.Gather
		if result.isWatched {
			q.gather = limits.WatchedGather
		}
		q.advance(result.applied)
	}
	if isFailing := result.kind == unanswered; isFailing != q.isFailing {
		q.isFailing = isFailing
		q.announce()
	}
}

// acknowledge marks all up to a sequence as answered for.
func (q *Queue) acknowledge(sequence int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(sequence)
}

func (q *Queue) advance(sequence int64) {
	if sequence <= q.applied {
		return
	}
	q.applied = sequence
	if sequence >= q.sending {
		q.unanswered = 0
	}
	q.announce()
}

// announce ends the waits for a change.
func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// dropAll drops all ops, because they will not be sent.
func (q *Queue) dropAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.full += len(q.ops) + q.unanswered
	q.ops, q.bytes, q.unanswered = nil, 0, 0
	q.uploads = uploads{isRunning: q.uploads.isRunning}
}

// retryPause makes a part of a pause random, so that many programs do not return to a server at the same moment.
func retryPause(generator *rand.Rand, longest, atLeast time.Duration) time.Duration {
	random := time.Duration(generator.Int63n(int64(longest) * limits.RetryJitterPercent / 100))
	if pause := longest - random; pause > atLeast {
		return pause
	}
	return atLeast
}

func sleep(ctx context.Context, stopping <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-stopping:
		return false
	}
}
