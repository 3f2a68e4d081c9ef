package datacat

import (
	"math"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

// The ops, with their members in the order of src/core/wire.ts.

func writeStart(r *lane.Record, options *Options) {
	r.Begin(lane.KindStart, `"start"`)
	r.Name("start.product", `,"product":`, options.Product)
	r.Name("start.version", `,"version":`, options.Version)
	r.Labels("start.tags", `,"tags":`, options.Tags)
	before := len(r.Buf)
	r.Data(`,"state":`, "state", options.State)
	if size := len(r.Buf) - before - len(`,"state":`); size > limits.MaxStateBytes {
		r.Buf = r.Buf[:before]
		r.LoseSize("state", size)
	}
	r.Finish()
}

// writeTags returns false if there are none.
func writeTags(r *lane.Record, tags []string) bool {
	r.Begin(lane.KindState, `"tags"`)
	r.Labels("tags.tags", `,"tags":`, tags)
	r.Finish()
	return len(tags) > 0
}

// writeState returns false for a patch over the limit: the server would refuse the whole batch.
func writeState(r *lane.Record, patch any) bool {
	r.Begin(lane.KindState, `"state","patch":`)
	before := len(r.Buf)
	r.Object("state", patch)
	if size := len(r.Buf) - before; size > limits.MaxStateBytes {
		r.LoseSize("state", size)
		return false
	}
	r.Finish()
	return true
}

func writeEvent(r *lane.Record, e *Event) {
	r.Begin(lane.KindEvent, `"event","name":`)
	r.NameValue("event.name", e.Name)
	r.Name("event.category", `,"category":`, string(e.Category))
	r.Name("event.group", `,"group":`, e.Group)
	r.Labels("event.labels", `,"labels":`, e.Tags)
	r.Long(`,"message":`, e.Message)
	r.Data(`,"data":`, "data", e.Data)
	if e.Exception != nil {
		writeException(r, e.Exception)
		r.Name("event.fingerprint", `,"fingerprint":`, e.Fingerprint)
	}
	if e.Test != nil && len(e.Test.ID) > 0 {
		writeTest(r, e.Test)
	}
	r.Finish()

	if size := len(r.Op()); size > limits.MaxOpBytes {
		name, _ := encode.CutText(e.Name, limits.MaxName)
		r.LoseSize(name, size)
		r.Cut()
	}
}

func writeException(r *lane.Record, x *Exception) {
	writeCause(r, &x.Cause)
	r.Text(`,"source_file":`, x.File)
	if x.Line != 0 {
		r.Whole(`,"source_line":`, x.Line)
	}
	r.Text(`,"source_function":`, x.Function)
	writeDetails(r, &x.Cause)
	if len(x.Causes) > 0 {
		r.Buf = append(r.Buf, `,"causes":[`...)
		for i := range x.Causes {
			if i > 0 {
				r.Buf = append(r.Buf, ',')
			}
			start := len(r.Buf)
			writeCause(r, &x.Causes[i])
			writeDetails(r, &x.Causes[i])
			r.Text(`,"kind":`, string(x.Causes[i].Kind))
			if parent := x.Causes[i].Parent; parent != nil {
				r.Whole(`,"parent":`, *parent)
			}
			if len(r.Buf) == start {
				r.Buf = append(r.Buf, '{')
			}
			r.Buf[start] = '{' // in place of the first comma
			r.Buf = append(r.Buf, '}')
		}
		r.Buf = append(r.Buf, ']')
	}
	if x.CausesLeftOut > 0 {
		r.Whole(`,"causes_left_out":`, x.CausesLeftOut)
	}
	writeSources(r, x.Sources)
	switch x.Handled {
	case Handled:
		r.Buf = append(r.Buf, `,"handled":true`...)
	case Unhandled:
		r.Buf = append(r.Buf, `,"handled":false`...)
	}
}

func writeCause(r *lane.Record, c *Cause) {
	r.Text(`,"exception_type":`, c.Type)
	r.Long(`,"exception_msg":`, c.Message)
	if len(c.Stack) > 0 {
		r.Buf = encode.AppendTexts(append(r.Buf, `,"stacktrace":`...), c.Stack)
	}
}

// writeDetails writes the attributes without losses: their values are plain.
func writeDetails(r *lane.Record, c *Cause) {
	losses := len(r.Losses)
	r.Data(`,"attributes":`, "attributes", c.Attributes)
	r.Losses = r.Losses[:losses]
	if len(c.Notes) > 0 {
		r.Buf = encode.AppendTexts(append(r.Buf, `,"notes":`...), c.Notes)
	}
}

func writeSources(r *lane.Record, sources []Excerpt) {
	for i, excerpt := range sources {
		if i == 0 {
			r.Buf = append(r.Buf, `,"sources":[`...)
		} else {
			r.Buf = append(r.Buf, ',')
		}
		r.Buf = encode.AppendString(append(r.Buf, `{"file":`...), secrets.Clean(excerpt.File))
		r.Whole(`,"first":`, excerpt.First)
		r.Buf = encode.AppendTexts(append(r.Buf, `,"lines":`...), excerpt.Lines)
		r.Buf = append(r.Buf, '}')
	}
	if len(sources) > 0 {
		r.Buf = append(r.Buf, ']')
	}
}

// writeMetric returns false for a value that is not finite: the server would refuse the whole batch.
func writeMetric(r *lane.Record, op, key, name string, value float64, details []Detail) bool {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		cut, _ := encode.CutText(name, limits.MaxName)
		quoted := encode.AppendFloat(nil, value, 64)
		r.Lose("not_finite", cut+": "+string(quoted[1:len(quoted)-1]))
		return false
	}
	r.Begin(lane.KindMetric, op)
	r.NameValue("metric.name", name)
	if len(details) == 0 {
		r.Buf = encode.AppendNumber(append(r.Buf, key...), value, 64)
		r.Finish()
		return true
	}

	d := mergeDetails(details)
	r.Name("metric.unit", `,"unit":`, d.unit)
	r.Labels("metric.tags", `,"tags":`, d.tags)
	r.Data(`,"metadata":`, "metadata", d.metadata)
	r.Buf = encode.AppendNumber(append(r.Buf, key...), value, 64)
	if d.count > 0 {
		r.Whole(`,"count":`, d.count)
	}
	writeBuckets(r, d.buckets)
	r.Finish()
	return true
}

// writeBuckets writes the finite upper bounds. The last bucket never has one.
func writeBuckets(r *lane.Record, bounds []float64) {
	written := 0
	for _, bound := range bounds {
		if math.IsNaN(bound) || math.IsInf(bound, 0) {
			continue
		}
		if written == limits.MaxBuckets {
			r.Lose("too_large", "metric.buckets")
			break
		}
		if written == 0 {
			r.Buf = append(r.Buf, `,"buckets":[`...)
		} else {
			r.Buf = append(r.Buf, ',')
		}
		r.Buf = encode.AppendNumber(r.Buf, bound, 64)
		written++
	}
	if written > 0 {
		r.Buf = append(r.Buf, ']')
	}
}

// writeHeartbeat writes a heartbeat, with the timeout if that is a whole millisecond or more.
func writeHeartbeat(r *lane.Record, timeoutMs float64) {
	r.Begin(lane.KindHeartbeat, `"heartbeat"`)
	if timeoutMs >= 1 && !math.IsInf(timeoutMs, 0) {
		r.Buf = encode.AppendNumber(append(r.Buf, `,"timeout_ms":`...), timeoutMs, 64)
	}
	r.Finish()
}

func writePause(r *lane.Record) {
	r.Begin(lane.KindHeartbeat, `"pause"`)
	r.Finish()
}

func writeResume(r *lane.Record) {
	r.Begin(lane.KindHeartbeat, `"resume"`)
	r.Finish()
}

func writeEnd(r *lane.Record) {
	r.Begin(lane.KindEnd, `"end"`)
	r.Finish()
}

func writeExit(r *lane.Record, exitCode int, signal string) {
	r.Begin(lane.KindEnd, `"end"`)
	r.Whole(`,"exit_code":`, exitCode)
	r.Name("end.signal", `,"signal":`, signal)
	r.Finish()
}

func writeCrash(r *lane.Record, reason string, exitCode int) {
	r.Begin(lane.KindEnd, `"crash"`)
	r.Text(`,"reason":`, reason)
	r.Whole(`,"exit_code":`, exitCode)
	r.Finish()
}
