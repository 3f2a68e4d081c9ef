package datacat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
)

const goldenFolder = "../../test/fixtures/lanes"

type Socket chan int
type Lock func()

func TestEveryCallWritesTheBytesOfTheGoldenLanes(t *testing.T) {
	if _, err := os.Stat(goldenFolder); os.IsNotExist(err) {
		t.Skip("test/fixtures/lanes is missing: this module is not in its repository")
	}
	files, err := filepath.Glob(goldenFolder + "/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d golden files in %s (%v)", len(files), goldenFolder, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) { runGolden(t, file, name) })
	}
}

func runGolden(t *testing.T, file, name string) {
	var golden struct {
		Clock       struct{ Start, Step int64 }
		Environment map[string]string
		Header      struct {
			Lane, Session, Server string
			At                    int64
			MonotonicMs           int64 `json:"monotonic_ms"`
			Writer                map[string]any
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for key, value := range golden.Environment {
		t.Setenv(key, value)
	}

	h := lane.Header{
		Lane: golden.Header.Lane, Session: golden.Header.Session, Server: golden.Header.Server,
		At: golden.Header.At, MonotonicMs: golden.Header.MonotonicMs, Writer: writerOf(golden.Header.Writer),
	}
	folder := t.TempDir()
	next := golden.Clock.Start - golden.Clock.Step
	session := &Session{
		id: h.Session, over: make(chan struct{}), isJoined: os.Getenv("DATACAT_SESSION") != "",
		sink: lane.New(h, partBytes(), func() []string { return []string{folder} }),
		clock: func() time.Time {
			next += golden.Clock.Step
			return time.UnixMilli(next)
		},
	}
	session.opening.Do(func() {})
	for _, call := range callsIn(text) {
		if err := perform(session, call[0].(string), call[1:]); err != nil {
			t.Fatal(err)
		}
	}

	got := map[string]string{}
	written, _ := filepath.Glob(folder + "/*.lane")
	for _, path := range written {
		part := strings.TrimPrefix(filepath.Base(path), h.Lane)
		if len(written) == 1 {
			part = ".lane"
		}
		text, _ := os.ReadFile(path)
		got[part] = string(text)
	}
	for part, want := range wantedParts(t, name) {
		if got[part] != want {
			t.Errorf("%s%s differs\n%s", name, part, firstDifference(got[part], want))
		}
		delete(got, part)
	}
	for part := range got {
		t.Errorf("%s%s should not be there", name, part)
	}
	checkAttachments(t, folder)
}

// checkAttachments compares the files with the content of attachments with the records of the lane.
func checkAttachments(t *testing.T, folder string) {
	t.Helper()
	recorded := map[string]bool{}
	lanes, _ := filepath.Glob(folder + "/*.lane")
	for _, path := range lanes {
		text, _ := os.ReadFile(path)
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			var record struct {
				Op, ID, SHA256 string
				Size           int
			}
			if json.Unmarshal([]byte(line[9:]), &record) != nil || record.Op != "attachment" {
				continue
			}
			content, err := os.ReadFile(filepath.Join(folder, record.ID+".attachment"))
			if err != nil || len(content) != record.Size || fmt.Sprintf("%x", sha256.Sum256(content)) != record.SHA256 {
				t.Errorf("the content of %s has %d bytes, and differs from its record (%v)", record.ID, len(content), err)
			}
			recorded[record.ID+".attachment"] = true
		}
	}
	files, _ := filepath.Glob(folder + "/*.attachment")
	if len(files) != len(recorded) {
		t.Errorf("there are %d files, and %d attachments were recorded", len(files), len(recorded))
	}
}

func wantedParts(t *testing.T, name string) map[string]string {
	want := map[string]string{}
	for _, pattern := range []string{".lane", ".lane.gz", ".??????.lane"} {
		paths, _ := filepath.Glob(goldenFolder + "/" + name + pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err == nil && strings.HasSuffix(path, ".gz") {
				var gz *gzip.Reader
				if gz, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
					text, err = io.ReadAll(gz)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			want[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), name), ".gz")] = string(text)
		}
	}
	return want
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := 0; i < len(g) || i < len(w); i++ {
		a, b := "(nothing)", "(nothing)"
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "line " + strconv.Itoa(i+1) + "\n got " + beginning(a) + "\nwant " + beginning(b)
		}
	}
	return "nowhere"
}

func beginning(text string) string {
	if len(text) > 400 {
		return text[:400] + "…"
	}
	return text
}

func writerOf(fields map[string]any) lane.Writer {
	text := func(key string) string { s, _ := fields[key].(string); return s }
	whole := func(key string) int { n, _ := fields[key].(float64); return int(n) }
	w := lane.Writer{
		Program: text("program"), Language: text("language"), Client: text("client"), PID: whole("pid"),
		PIDStarted: text("pid_started"), ParentPID: whole("parent_pid"), MachineID: text("machine_id"),
		BootID: text("boot_id"), Hostname: text("hostname"), OS: text("os"), User: text("user"),
	}
	if arguments, ok := fields["arguments"].([]any); ok {
		w.Arguments = texts(arguments)
	}
	return w
}

// callsIn are the calls of a golden file with their arguments as Go values.
func callsIn(text []byte) (calls [][]any) {
	var golden struct{ Calls []json.RawMessage }
	if err := json.Unmarshal(text, &golden); err != nil {
		panic(err)
	}
	for _, raw := range golden.Calls {
		call, err := encode.Decode(raw)
		if err != nil {
			panic(err)
		}
		calls = append(calls, (&builder{}).build(call).([]any))
	}
	return calls
}

func optionsIn(options Data) Options {
	text := func(key string) string { s, _ := options[key].(string); return s }
	return Options{Product: text("product"), Version: text("version"), Tags: tagsIn(options["tags"]), State: options["state"]}
}

// tagsIn are the tags of a list or of a map.
func tagsIn(value any) []string {
	if values, ok := value.(Data); ok {
		return TagsOf(values)
	}
	return texts(value)
}

func perform(s *Session, call string, arguments []any) error {
	options := Data{}
	if len(arguments) > 0 {
		if last, ok := arguments[len(arguments)-1].(Data); ok {
			options = last
		}
	}
	text := func(key string) string { s, _ := options[key].(string); return s }
	name := func() string { return arguments[0].(string) }
	details := func() []Detail {
		d := Detail{unit: text("unit"), tags: tagsIn(options["tags"])}
		if metadata, ok := options["metadata"]; ok {
			d.metadata = metadata
		}
		for _, bound := range list(options["buckets"]) {
			d.buckets = append(d.buckets, float(bound))
		}
		if count, ok := options["count"].(int64); ok {
			d.count = int(count)
		}
		if len(options) == 0 {
			return nil
		}
		return []Detail{d}
	}
	event := func() Event {
		return Event{
			Category: Category(text("category")), Group: text("group"), Tags: tagsIn(options["tags"]),
			Message: text("message"), Data: options["data"], Test: testIn(options["test"]),
		}
	}
	switch call {
	case "open":
		s.options = optionsIn(options)
		s.recordStart()
	case "add_tags":
		s.AddTags(tagsIn(arguments[0])...)
	case "update_state":
		s.UpdateState(arguments[0])
	case "log_event":
		e := event()
		e.Name = name()
		s.Log(e)
	case "log_exception":
		e := event()
		e.Name = firstOf(text("name"), "exception")
		e.Exception = &Exception{
			Cause: causeIn(options), File: text("source_file"), Function: text("source_function"),
		}
		if line, ok := options["source_line"].(int64); ok {
			e.Exception.Line = int(line)
		}
		for _, cause := range list(options["causes"]) {
			e.Exception.Causes = append(e.Exception.Causes, causeIn(cause.(Data)))
		}
		if left, ok := options["causes_left_out"].(int64); ok {
			e.Exception.CausesLeftOut = int(left)
		}
		for _, each := range list(options["sources"]) {
			excerpt := each.(Data)
			e.Exception.Sources = append(e.Exception.Sources, Excerpt{
				File: excerpt["file"].(string), First: int(excerpt["first"].(int64)), Lines: texts(excerpt["lines"]),
			})
		}
		e.Fingerprint, _ = options["fingerprint"].(string)
		if handled, ok := options["handled"].(bool); ok {
			e.Exception.Handled = map[bool]Handling{true: Handled, false: Unhandled}[handled]
		}
		s.Log(e)
	case "gauge":
		s.Gauge(name(), float(arguments[1]), details()...)
	case "counter":
		s.Counter(name(), float(arguments[1]), details()...)
	case "histogram":
		s.Histogram(name(), float(arguments[1]), details()...)
	case "timer":
		s.timed(name(), float(arguments[1]), details())
	case "heartbeat":
		if timeout, ok := options["timeout_ms"].(int64); ok {
			s.StartHeartbeatMonitor(time.Duration(timeout) * time.Millisecond)
		} else {
			s.Heartbeat()
		}
	case "attach":
		s.Attach(name(), Bytes(arguments[1].([]byte)), MediaType(text("type")))
	case "pause":
		s.Pause()
	case "resume":
		s.Resume()
	case "end":
		if code, ok := options["exit_code"].(int64); ok {
			s.EndWith(int(code), text("signal"))
		} else {
			s.End()
		}
	case "crash":
		s.crash(text("reason"), int(options["exit_code"].(int64)))
	default:
		return fmt.Errorf("unknown call %q", call)
	}
	return nil
}

func testIn(v any) *TestFact {
	options, ok := v.(Data)
	if !ok {
		return nil
	}
	text := func(key string) string { s, _ := options[key].(string); return s }
	whole := func(key string) int { n, _ := options[key].(int64); return int(n) }
	fact := &TestFact{
		ID: texts(options["id"]), File: whole("file"), Result: TestResult(text("result")), Attempt: whole("attempt"), Worker: text("worker"),
		Phase: text("phase"), Reason: text("reason"), Output: text("output"), Kind: text("kind"),
	}
	if ms, ok := options["duration_ms"]; ok {
		duration := time.Duration(float(ms) * float64(time.Millisecond))
		fact.Duration = &duration
	}
	if diff, ok := options["diff"].(Data); ok {
		side := func(key string) string { s, _ := diff[key].(string); return s }
		fact.Diff = &TestDiff{side("expected"), side("actual"), side("text")}
	}
	return fact
}

func causeIn(options Data) Cause {
	text := func(key string) string { s, _ := options[key].(string); return s }
	c := Cause{Type: text("exception_type"), Message: text("exception_msg"), Stack: texts(options["stacktrace"])}
	c.Notes, c.Kind = texts(options["notes"]), Kind(text("kind"))
	if attributes, ok := options["attributes"]; ok {
		c.Attributes = attributes
	}
	if parent, ok := options["parent"].(int64); ok {
		number := int(parent)
		c.Parent = &number
	}
	return c
}

func list(v any) []any {
	items, _ := v.([]any)
	return items
}

func texts(v any) []string {
	var all []string
	for _, item := range list(v) {
		all = append(all, item.(string))
	}
	return all
}

func float(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	}
	panic(v)
}

// builder builds Go values from the golden files' JSON. It keeps the containers around the current value, for cycles.
type builder struct{ above []any }

func (b *builder) build(v any) any {
	switch v := v.(type) {
	case Object:
		if special, ok := get(v, "$special").(string); ok {
			return b.special(special, v)
		}
		made := Data{}
		b.above = append(b.above, made)
		for _, field := range v {
			made[field.Key] = b.build(field.Value)
		}
		b.above = b.above[:len(b.above)-1]
		return made
	case []any:
		made := make([]any, len(v))
		b.above = append(b.above, made)
		for i, item := range v {
			made[i] = b.build(item)
		}
		b.above = b.above[:len(b.above)-1]
		return made
	case json.Number:
		if i, err := v.Int64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	}
	return v
}

func (b *builder) special(special string, v Object) any {
	number := func(key string) int { n, _ := get(v, key).(json.Number).Int64(); return int(n) }
	switch special {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	case "integer":
		i, _ := new(big.Int).SetString(get(v, "digits").(string), 10)
		return i
	case "bytes":
		bytes, _ := base64.StdEncoding.DecodeString(get(v, "base64").(string))
		return bytes
	case "zeros":
		return make([]byte, number("bytes"))
	case "time":
		at, err := time.Parse(time.RFC3339, get(v, "text").(string))
		if err != nil {
			panic(err)
		}
		return at.In(time.FixedZone("somewhere", 3600))
	case "set":
		set := map[any]struct{}{}
		for _, item := range get(v, "items").([]any) {
			set[b.build(item)] = struct{}{}
		}
		return set
	case "map":
		m := map[any]any{}
		for _, entry := range get(v, "entries").([]any) {
			pair := b.build(entry).([]any)
			m[pair[0]] = pair[1]
		}
		return m
	case "cycle":
		return b.above[len(b.above)-number("up")]
	case "deep":
		deep := Data{}
		for i := 1; i < number("levels"); i++ {
			deep = Data{"x": deep}
		}
		return deep
	case "repeat":
		return strings.Repeat(get(v, "text").(string), number("times"))
	case "list":
		items := make([]any, number("times"))
		for i := range items {
			items[i] = b.build(get(v, "item"))
		}
		return items
	case "opaque":
		if get(v, "type") == "Lock" {
			return Lock(func() {})
		}
		return make(Socket)
	}
	panic(special)
}

func get(object Object, key string) any {
	for _, field := range object {
		if field.Key == key {
			return field.Value
		}
	}
	return nil
}
