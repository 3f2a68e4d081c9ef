package datacat

import (
	"math"
	"strconv"
)

// record is one op being written: its text from `"op":` to the closing brace, behind room for what only the sink knows
// (checksum, sequence, time). Keys come in the order of src/core/wire.ts; what is empty counts as not given.
type record struct {
	encoder
	kind kind
}

// kind is what sort of op it is: a full queue gives up metrics first.
type kind uint8

const (
	kindStart kind = iota
	kindState
	kindEvent
	kindMetric
	kindHeartbeat
	kindDropped
	kindEnd
)

func (r *record) begin(k kind, op string) {
	r.kind = k
	r.buf = append(append(r.buf[:room], `"op":`...), op...)
}

func (r *record) finish() { r.buf = append(r.buf, '}') }

func (r *record) start(o *Options, product, version string) {
	r.begin(kindStart, `"start"`)
	r.name("start.product", `,"product":`, product)
	r.name("start.version", `,"version":`, version)
	r.labels("start.tags", `,"tags":`, o.Tags)
	before := len(r.buf)
	r.free(`,"state":`, "state", o.State)
	if size := len(r.buf) - before - len(`,"state":`); size > maxStateBytes {
		r.buf = r.buf[:before]
		r.tooLarge("state", size)
	}
	r.finish()
}

// state says no when the patch is over the limit: the server would refuse it, and everything beside it.
func (r *record) state(patch any) bool {
	r.begin(kindState, `"state","patch":`)
	before := len(r.buf)
	r.object("state", patch)
	if size := len(r.buf) - before; size > maxStateBytes {
		r.tooLarge("state", size)
		return false
	}
	r.finish()
	return true
}

func (r *record) event(e *Event) {
	r.begin(kindEvent, `"event","name":`)
	r.buf = appendString(r.buf, r.cutName("event.name", e.Name))
	r.name("event.category", `,"category":`, string(e.Category))
	r.name("event.group", `,"group":`, e.Group)
	r.labels("event.labels", `,"labels":`, e.Labels)
	r.text(`,"message":`, e.Message)
	r.free(`,"data":`, "data", e.Data)
	if e.Exception != nil {
		r.exception(e.Exception)
	}
	r.finish()

	if size := len(r.buf) - room; size > maxOpBytes {
		name, _ := cutText(e.Name, maxName)
		r.tooLarge(name, size)
		r.buf = cutStrings(r.buf, maxOpBytes)
	}
}

func (r *record) exception(x *Exception) {
	r.cause(&x.Cause)
	r.text(`,"source_file":`, x.File)
	if x.Line != 0 {
		r.whole(`,"source_line":`, x.Line)
	}
	r.text(`,"source_function":`, x.Function)
	if len(x.Causes) > 0 {
		r.buf = append(r.buf, `,"causes":[`...)
		for i := range x.Causes {
			if i > 0 {
				r.buf = append(r.buf, ',')
			}
			start := len(r.buf)
			r.cause(&x.Causes[i])
			if len(r.buf) == start {
				r.buf = append(r.buf, '{')
			}
			r.buf[start] = '{' // in place of its first comma
			r.buf = append(r.buf, '}')
		}
		r.buf = append(r.buf, ']')
	}
	switch x.Handled {
	case Handled:
		r.buf = append(r.buf, `,"handled":true`...)
	case Unhandled:
		r.buf = append(r.buf, `,"handled":false`...)
	}
}

func (r *record) cause(c *Cause) {
	r.text(`,"exception_type":`, c.Type)
	r.text(`,"exception_msg":`, c.Message)
	if len(c.Stack) > 0 {
		r.buf = appendStrings(append(r.buf, `,"stacktrace":`...), c.Stack)
	}
}

// metric says no when there is no finite number to record.
func (r *record) metric(op, key, name string, value float64, details []Detail) bool {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		cut, _ := cutText(name, maxName)
		quoted := appendFloat(nil, value, 64)
		r.losses = append(r.losses, loss{"not_finite", cut + ": " + string(quoted[1:len(quoted)-1])})
		return false
	}
	r.begin(kindMetric, op)
	r.buf = appendString(r.buf, r.cutName("metric.name", name))
	if len(details) == 0 {
		r.buf = appendNumber(append(r.buf, key...), value, 64)
		r.finish()
		return true
	}

	d := merged(details)
	r.name("metric.unit", `,"unit":`, d.unit)
	r.labels("metric.tags", `,"tags":`, d.tags)
	r.free(`,"metadata":`, "metadata", d.metadata)
	r.buf = appendNumber(append(r.buf, key...), value, 64)
	if d.count > 0 {
		r.whole(`,"count":`, d.count)
	}
	r.buckets(d.buckets)
	r.finish()
	return true
}

// buckets writes the finite bounds: the last bucket has none in any case.
func (r *record) buckets(bounds []float64) {
	written := 0
	for _, bound := range bounds {
		if math.IsNaN(bound) || math.IsInf(bound, 0) {
			continue
		}
		if written == maxBuckets {
			r.losses = append(r.losses, loss{"too_large", "metric.buckets"})
			break
		}
		if written == 0 {
			r.buf = append(r.buf, `,"buckets":[`...)
		} else {
			r.buf = append(r.buf, ',')
		}
		r.buf = appendNumber(r.buf, bound, 64)
		written++
	}
	if written > 0 {
		r.buf = append(r.buf, ']')
	}
}

func (r *record) heartbeat(timeoutMs float64) {
	r.begin(kindHeartbeat, `"heartbeat"`)
	if timeoutMs >= 1 && !math.IsInf(timeoutMs, 0) {
		r.buf = appendNumber(append(r.buf, `,"timeout_ms":`...), timeoutMs, 64)
	}
	r.finish()
}

func (r *record) end(exit *exit) {
	r.begin(kindEnd, `"end"`)
	if exit != nil {
		r.whole(`,"exit_code":`, exit.code)
		r.name("", `,"signal":`, exit.signal)
	}
	r.finish()
}

// exit is how a program goes, if it said so.
type exit struct {
	code   int
	signal string
}

func (r *record) crash(reason string, exitCode int) {
	r.begin(kindEnd, `"crash"`)
	r.text(`,"reason":`, reason)
	r.whole(`,"exit_code":`, exitCode)
	r.finish()
}

func (r *record) dropped(cause string, count int, detail string) {
	r.begin(kindDropped, `"dropped","cause":`)
	r.buf = appendString(r.buf, cause)
	r.whole(`,"count":`, count)
	r.text(`,"detail":`, detail)
	r.finish()
}

func (r *record) text(key, value string) {
	if value != "" {
		r.buf = appendString(append(r.buf, key...), value)
	}
}

func (r *record) whole(key string, value int) {
	r.buf = strconv.AppendInt(append(r.buf, key...), int64(value), 10)
}

// free writes a free-form object, unless it is empty.
func (r *record) free(key, root string, value any) {
	if value == nil {
		return
	}
	before := len(r.buf)
	r.buf = append(r.buf, key...)
	r.object(root, value)
	if string(r.buf[before+len(key):]) == "{}" {
		r.buf = r.buf[:before]
	}
}

func (r *record) name(field, key, value string) {
	if value != "" {
		r.buf = appendString(append(r.buf, key...), r.cutName(field, value))
	}
}

func (r *record) cutName(field, name string) string {
	kept, isCut := cutText(name, maxName)
	if isCut && field != "" {
		r.losses = append(r.losses, loss{"too_large", field})
	}
	return kept
}

func (r *record) labels(field, key string, labels []string) {
	if len(labels) == 0 {
		return
	}
	isCut := len(labels) > maxLabels
	if isCut {
		labels = labels[:maxLabels]
	}
	r.buf = append(append(r.buf, key...), '[')
	for i, label := range labels {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		kept, short := cutText(label, maxLabel)
		isCut = isCut || short
		r.buf = appendString(r.buf, kept)
	}
	r.buf = append(r.buf, ']')
	if isCut {
		r.losses = append(r.losses, loss{"too_large", field})
	}
}

func (r *record) tooLarge(what string, size int) {
	r.losses = append(r.losses, loss{"too_large", what + ": " + strconv.Itoa(size) + " bytes"})
}

// cutText cuts at a whole character so that at most so many UTF-16 units are left, which is how the server counts.
func cutText(s string, units int) (kept string, isCut bool) {
	if len(s) <= units {
		return s, false
	}
	for i, character := range s {
		units--
		if character >= 0x10000 {
			units--
		}
		if units < 0 {
			return s[:i], true
		}
	}
	return s, false
}

// merged is what several details say together; of two that say the same thing, the last.
func merged(details []Detail) Detail {
	d := details[0]
	for _, next := range details[1:] {
		if next.unit != "" {
			d.unit = next.unit
		}
		if next.tags != nil {
			d.tags = next.tags
		}
		if next.metadata != nil {
			d.metadata = next.metadata
		}
		if next.buckets != nil {
			d.buckets = next.buckets
		}
		if next.count != 0 {
			d.count = next.count
		}
	}
	return d
}
