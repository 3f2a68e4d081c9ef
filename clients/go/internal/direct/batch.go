package direct

import (
	"bytes"
	"strconv"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

// op is one op without its sequence: `{"at":…,"op":…}`.
type op struct {
	sequence int64
	kind     lane.Kind
	text     []byte
}

// batch is a range of the lane's sequences in one request. Sequences without an op were dropped from the full queue, or
// refused.
type batch struct {
	first, last int64
	ops         []op
	refused     int // ops that the server refused, and that are not in ops any more
}

// after is the rest of a batch once the server has applied all up to a sequence.
func (b batch) after(sequence int64) batch {
	rest := batch{first: sequence + 1, last: b.last, refused: b.refused}
	for _, op := range b.ops {
		if op.sequence > sequence {
			rest.ops = append(rest.ops, op)
		}
	}
	return rest
}

// until is the batch of the first ops.
func (b batch) until(count int) batch {
	return batch{first: b.first, last: b.ops[count-1].sequence, ops: b.ops[:count]}
}

// appendDropped appends the counts of the sequences that have no op.
func (b batch) appendDropped(j []byte) []byte {
	missing := b.last - b.first + 1 - int64(len(b.ops))
	full := missing - int64(b.refused)
	if missing <= 0 {
		return j
	}
	j = append(j, `,"dropped":{`...)
	if full > 0 {
		j = strconv.AppendInt(append(j, `"queue_full":`...), full, 10)
	}
	if b.refused > 0 {
		if full > 0 {
			j = append(j, ',')
		}
		j = strconv.AppendInt(append(j, `"refused":`...), int64(b.refused), 10)
	}
	return append(j, '}')
}

// isUrgent reports whether an op is sent without gathering others. An event with an exception is found by its member; an
// event whose data has a member of that name is sent early as well.
func isUrgent(kind lane.Kind, text []byte) bool {
	return kind == lane.KindStart || kind == lane.KindEnd ||
		kind == lane.KindEvent && bytes.Contains(text, []byte(`"exception_type":`))
}
