/** A session whose fields all have one text. */

export const START = Date.now() - 600_000;
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A session in which every field that takes text has this one. `address`: of its CI job. */
export function sessionWith(id: string, text: string, address = text) {
  const series = { name: text, unit: text, tags: [text], metadata: { [text]: text } };
  const thrown = {
    exception_type: text,
    exception_msg: text,
    stacktrace: [text, `  File "${text}", line 3, in ${text}`, `    at ${text} (${text}.js:1:2)`],
    source_file: text,
    source_line: 3,
    source_function: text,
  };
  const ops = [
    {
      op: "start",
      product: text,
      version: text,
      tags: [text],
      state: {
        [text]: { [text]: [text] },
        tests: { runner: text, planned: 4, counts: { [text]: 1 } },
        ci: {
          provider: text,
          commit: text,
          branch: text,
          job: text,
          job_url: address,
          subject: text,
        },
      },
    },
    { op: "state", patch: { [text]: { [text]: [text, 1], other: text } } },
    {
      op: "event",
      name: text,
      category: text,
      group: text,
      labels: [text],
      message: text,
      data: { [text]: text },
    },
    { op: "event", name: "output", group: text, message: text },
    {
      op: "event",
      name: text,
      ...thrown,
      attributes: { [text]: text },
      notes: [text],
      causes: [thrown, { ...thrown, attributes: { [text]: text }, notes: [text], kind: "member" }],
      sources: [{ file: text, first: 1, lines: [text] }],
      handled: false,
      data: { [text]: { [text]: text } },
    },
    { op: "event", name: text, exception_type: "E", exception_msg: text, source_file: text },
    { op: "event", name: "test_started", test: { id: [text, "b", text] } },
    {
      op: "event",
      name: "test",
      category: "error",
      message: text,
      ...thrown,
      test: {
        id: [text, "a", text],
        result: "failed",
        worker: text,
        reason: text,
        output: text,
        diff: { expected: text, actual: `${text}\n`, text },
      },
    },
    {
      op: "event",
      name: "test",
      message: text,
      test: { id: [text], result: "skipped", reason: text },
    },
    { op: "metric", type: "gauge", ...series, value: 1, legacy_type: text },
    { op: "metric", type: "gauge", ...series, value: 2 },
    { op: "metric", type: "counter", ...series, delta: 1 },
    { op: "metric", type: "timer", ...series, value: 1 },
    { op: "metric", type: "histogram", ...series, value: 1 },
    { op: "heartbeat", timeout_ms: 5_000 },
    {
      op: "stacks",
      when: "hung",
      threads: [{ name: text, state: text, frames: [text, `  File "${text}", line 3`] }],
    },
    {
      op: "attachment",
      id: "lane.1",
      name: text,
      type: text.slice(0, 100),
      size: 0,
      sha256: EMPTY_SHA256,
      group: text,
    },
    { op: "dropped", cause: text, count: 2, detail: text },
    { op: "crash", reason: text, signal: text, message: text },
  ].map((op, index) => ({ ...op, at: START + index * 1_000 }));
  const writer = {
    program: text,
    arguments: [text],
    language: text,
    client: text,
    machine_id: text,
    hostname: text,
    os: text,
    user: text,
  };
  return { session: id, lane: `${id}-lane`, first: 1, last: ops.length, ops, writer };
}
