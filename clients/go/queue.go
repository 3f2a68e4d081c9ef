package datacat

import (
	"bytes"
	"context"
	"math/rand"
	"sync"
	"time"
)

// queue is direct mode's sink: a bounded list in memory, and one goroutine that sends it to `POST /api/ingest`. Exactly
// once in effect: a batch names the lane's sequences, and is sent unchanged until the server answers for them.
type queue struct {
	sender sender
	random *rand.Rand // before Go 1.20 the common one is the same in every process

	mu       sync.Mutex
	ops      []queued
	bytes    int
	sequence int64 // the last given out
	acked    int64 // the last that the server answered for
	sent     int64 // the last that was taken to be sent
	onTheWay int   // ops taken and not answered for
	full     int   // dropped because the queue was full
	closed   bool
	stopped  bool // nobody will send any more
	urgent   bool
	changed  chan struct{} // closed and replaced when acked grows
	wake     chan struct{}
	done     chan struct{} // closed when the sender has stopped
}

// queued is one op without its sequence: `{"at":…,"op":…}`.
type queued struct {
	sequence int64
	kind     kind
	text     []byte
}

func newQueue(ctx context.Context, h header, url, key string) *queue {
	q := &queue{
		sender:  newSender(h, url, key),
		random:  rand.New(rand.NewSource(time.Now().UnixNano())),
		changed: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	go q.run(ctx)
	return q
}

func (q *queue) write(r *record, at int64) outcome {
	start := before(r.buf, room, ",")
	start = digitsBefore(r.buf, start, at)
	start = before(r.buf, start, `{"at":`)
	text := append([]byte(nil), r.buf[start:]...)

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return late
	}
	if q.stopped {
		return lost
	}
	q.sequence++
	q.ops = append(q.ops, queued{q.sequence, r.kind, text})
	q.bytes += len(text)
	if len(q.ops) > queueOps || q.bytes > queueBytes {
		q.makeRoom()
	}
	if r.kind == kindEnd {
		q.closed = true
	}
	if r.kind == kindStart || r.kind == kindEnd || r.kind == kindEvent && isException(text) || len(q.ops) >= batchOps || q.bytes >= batchBytes {
		q.urgent = true
	}
	q.nudge()
	return kept
}

// makeRoom drops the oldest metrics, and only if that is not enough the oldest of all but start and end. It frees a tenth at
// once, so that a full queue does not do this for each record.
func (q *queue) makeRoom() {
	for _, expendable := range []func(kind) bool{
		func(k kind) bool { return k == kindMetric },
		func(k kind) bool { return k != kindStart && k != kindEnd },
	} {
		kept := q.ops[:0]
		left := len(q.ops)
		for _, op := range q.ops {
			if (left > queueOps*9/10 || q.bytes > queueBytes*9/10) && expendable(op.kind) {
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

func (q *queue) lossCause() string { return "queue_full" }

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) counts() (waiting, full int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ops) + q.onTheWay, q.full
}

// flush waits until the server has answered for all that was written before.
func (q *queue) flush(ctx context.Context) error {
	q.mu.Lock()
	target := q.sequence
	q.urgent = true
	q.mu.Unlock()
	q.nudge()
	for {
		q.mu.Lock()
		acked, changed := q.acked, q.changed
		q.mu.Unlock()
		if acked >= target {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-q.done:
			return errStopped
		}
	}
}

const errStopped = constantError("datacat: the session's context is done, so nothing is sent any more")

// close sends the rest, for a bounded time, and stops the sender.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	q.flush(ctx) //nolint:errcheck // what could not be sent by now is lost with the process
	q.sender.stop()
}

// batch is a run of the lane's sequences on its way.
type batch struct {
	first, last int64
	ops         []queued
	refused     int // ops that the server would not have, and that are no longer in it
}

// take moves what is next to be sent out of the queue.
func (q *queue) take() batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	size, count := 0, 0
	for count < len(q.ops) && count < batchOps && (count == 0 || size+len(q.ops[count].text) <= batchBytes) {
		size += len(q.ops[count].text)
		count++
	}
	b := batch{first: q.acked + 1, last: q.sequence, ops: append([]queued(nil), q.ops[:count]...)}
	more := count < len(q.ops)
	if more {
		b.last = b.ops[count-1].sequence
	}
	rest := copy(q.ops, q.ops[count:])
	for i := rest; i < len(q.ops); i++ {
		q.ops[i].text = nil
	}
	q.ops = q.ops[:rest]
	q.bytes -= size
	q.urgent = more
	q.sent, q.onTheWay = b.last, count
	return b
}

func (q *queue) acknowledge(sequence int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if sequence > q.acked {
		q.acked = sequence
		if sequence >= q.sent {
			q.onTheWay = 0
		}
		close(q.changed)
		q.changed = make(chan struct{})
	}
}

// abandon gives up all that waits.
func (q *queue) abandon() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.full += len(q.ops) + q.onTheWay
	q.ops, q.bytes, q.onTheWay = nil, 0, 0
}

// run sends until the session has ended or ctx is done.
func (q *queue) run(ctx context.Context) {
	defer func() {
		q.mu.Lock()
		q.stopped = true
		q.mu.Unlock()
		q.abandon() // what still waits waits for nobody
		close(q.done)
		q.sender.stop() // and its connection with it
	}()
	stopping := q.sender.stopping
	for {
		if !q.wait(ctx, stopping) {
			if ctx.Err() != nil {
				if b := q.take(); b.last >= b.first {
					q.deliver(b, func(time.Duration) bool { return false }) // one last try
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

// wait returns when there is something to send: at once if it is urgent, else gathered for a moment; or nothing, but the
// server must hear that this process lives. It says no when the sender is to stop.
func (q *queue) wait(ctx context.Context, stopping <-chan struct{}) bool {
	idle := time.NewTimer(leaseFor / 3)
	defer idle.Stop()
	var gathered <-chan time.Time
	for {
		q.mu.Lock()
		waiting, urgent := q.sequence > q.acked, q.urgent
		q.mu.Unlock()
		if waiting && urgent {
			return true
		}
		if waiting && gathered == nil {
			timer := time.NewTimer(gatherFor)
			defer timer.Stop()
			gathered = timer.C
		}
		select {
		case <-q.wake:
		case <-gathered:
			return true
		case <-idle.C:
			return true
		case <-ctx.Done():
			return false
		case <-stopping:
			return false
		}
	}
}

// deliver sends a batch until the server answers for it, whatever is in the way. pause says no when there is no time for another try.
func (q *queue) deliver(b batch, pause func(time.Duration) bool) bool {
	delay := retryFirst
	for {
		verdict := q.sender.send(b)
		switch verdict.kind {
		case applied:
			q.acknowledge(verdict.applied)
			if verdict.applied >= b.last {
				return verdict.slowDown == 0 || pause(verdict.slowDown)
			}
			moved := verdict.applied >= b.first
			b = b.after(verdict.applied)
			if moved {
				continue
			}
		case gone: // the session was deleted: nobody will want any of it
			q.abandon()
			return false
		case refused:
			if !pause(refusedPause) {
				return false
			}
			if len(b.ops) > 1 { // some of it may be good, or less of it small enough
				half := b.until(len(b.ops) / 2)
				if !q.deliver(half, pause) {
					return false
				}
				b = b.after(half.last)
				continue
			}
			if len(b.ops) == 1 { // nobody will ever take it: its place goes empty, and is counted
				b.ops, b.refused = nil, 1
				continue
			}
			q.acknowledge(b.last)
			return true
		}
		if !pause(q.jitter(delay, verdict.retryAfter)) {
			return false
		}
		if delay *= 2; delay > retryLongest {
			delay = retryLongest
		}
	}
}

// after is what is left of a batch once the server has all up to a sequence.
func (b batch) after(sequence int64) batch {
	rest := batch{first: sequence + 1, last: b.last, refused: b.refused}
	for _, op := range b.ops {
		if op.sequence > sequence {
			rest.ops = append(rest.ops, op)
		}
	}
	return rest
}

// until is the batch of the first few ops.
func (b batch) until(count int) batch {
	return batch{first: b.first, last: b.ops[count-1].sequence, ops: b.ops[:count]}
}

// jitter keeps many programs from asking a server that came back all at once.
func (q *queue) jitter(delay, atLeast time.Duration) time.Duration {
	delay = delay/2 + time.Duration(q.random.Int63n(int64(delay)))
	if delay < atLeast {
		return atLeast
	}
	return delay
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

// isException looks for what only an event with an exception has before its free-form values… or within them, in which case
// the event is sent a moment sooner than it need be.
func isException(op []byte) bool { return bytes.Contains(op, []byte(`"exception_type":`)) }
