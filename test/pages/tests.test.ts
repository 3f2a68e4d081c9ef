/** The tests of a run on its page, and on the pages of their own. */
import { expect, test } from "vitest";
import { testKey } from "../../src/core/tests/id.ts";
import { server } from "../api/server.ts";
import { manyTests, nth, runState, testEnded, testStarted } from "../session/test-run.ts";
import { NOON, World } from "../session/world.ts";

const ask = server();
const at = NOON + 1_000;

async function get(path: string): Promise<string> {
  const answer = await ask(path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}

const two = ["a.py", "TestDeep", "test_two"];

async function failed(): Promise<World> {
  const world = new World();
  await world.send([
    runState(
      { planned: 3 },
      {
        provider: "github",
        commit: "f".repeat(40),
        branch: "main",
        job: "unit",
        job_url: "https://ci.example/1",
        dirty: true,
      },
    ),
    testStarted(at, two),
    { op: "state", at: at + 1, patch: { stage: "merging" } },
    { op: "event", at: at + 2, name: "merged", message: "three items" },
    testEnded(
      at + 5,
      {
        id: two,
        result: "failed",
        output: "connecting",
        diff: { expected: "1\n2", actual: "1\n3" },
      },
      { exception_type: "AssertionError", exception_msg: "1 != 2", handled: true },
    ),
    testEnded(at + 6, { id: ["a.py", "test_skip"], result: "skipped", reason: "needs a disk" }),
    testEnded(at + 7, { id: ["a.py", "test_good"], result: "passed", duration_ms: 40 }),
    { op: "end", at: at + 9, exit_code: 1 },
  ]);
  return world;
}

test("the page of a run shows its failures by name, with their error, difference and output", async () => {
  const { id } = await failed();
  const html = await get(`/sessions/${id}`);
  expect(html).toContain("<h1>1 of 3 tests failed</h1>");
  expect(html).toMatch(/<section id="verdict"[^>]* data-failed=""/);
  for (const text of [
    "a.py::TestDeep::test_two",
    "1 != 2",
    '<span data-sign="-"><span class="hidden">expected </span><i aria-hidden="true">−</i>2',
    '<span data-sign="+"><span class="hidden">actual </span><i aria-hidden="true">+</i>3',
    "connecting",
    "needs a disk",
    'href="https://ci.example/1"',
    "with local changes",
    "pytest 8.4.0",
  ])
    expect(html).toContain(text);
  // A passed test is in the list of the slowest, and among the last events.
  expect(html).not.toContain('test-name">a.py::test_good');
});

test("a failure's message is shown once, with its lines, and the events of passed tests are left out", async () => {
  const world = new World();
  const text = "the basket\n  is different";
  await world.send([
    runState({ planned: 2 }),
    testEnded(at, { id: ["a.py", "test_good"], result: "passed" }),
    testEnded(
      at + 1,
      { id: two, result: "failed" },
      {
        message: "AssertionError: the basket",
        exception_type: "AssertionError",
        exception_msg: text,
        stacktrace: [
          "Traceback (most recent call last):\n",
          '  File "a.py", line 3, in test_two\n    assert basket\n',
          `AssertionError: ${text}\n`,
        ],
      },
    ),
    { op: "event", at: at + 2, name: "of_the_program" },
    { op: "end", at: at + 9, exit_code: 1 },
  ]);
  const html = await get(`/sessions/${world.id}`);
  const failures = html.slice(html.indexOf('class="test-account"'), html.indexOf("suites-title"));
  expect(failures.split("the basket")).toHaveLength(2);
  expect(failures).toContain(text);
  expect(html).not.toContain('id="event-list"');
  for (const path of ["/events/panel?tests=failed", "?tests=failed", "/events?tests=failed"]) {
    const events = await get(`/sessions/${world.id}${path}`);
    const list = events.slice(events.indexOf('id="event-list"'));
    expect(list).toContain("of_the_program");
    expect(list).toContain("test_two");
    expect(list).not.toContain("test_good");
  }
  expect(await get(`/sessions/${world.id}/events?tests=all`)).toContain("test_good");
});

test("a test's own page has the state and the events during it", async () => {
  const { id } = await failed();
  const html = await get(`/sessions/${id}/tests/${testKey(two)}`);
  for (const text of [
    "three items",
    "merging",
    "Show state at its end",
    `/sessions/${id}?t=${at + 5}`,
  ])
    expect(html).toContain(text);
  expect((await ask(`/sessions/${id}/tests/000000000000`)).status).toBe(404);
});

test("the list is searched by text, result and suite, without script", async () => {
  const { id } = await failed();
  const names = async (query: string) => {
    const html = await get(`/sessions/${id}/tests?${query}`);
    const list = html.slice(html.indexOf('id="list"'), html.indexOf("suites-title"));
    return ["test_two", "test_skip", "test_good"].filter((name) => list.includes(name));
  };
  expect(await names("")).toEqual(["test_two", "test_skip", "test_good"]);
  expect(await names("result=bad")).toEqual(["test_two"]);
  expect(await names("text=DISK")).toEqual(["test_skip"]);
  expect(await names(`suite=${encodeURIComponent('["a.py","TestDeep"]')}`)).toEqual(["test_two"]);
  expect(
    await get(`/sessions/${id}/tests/suites?suite=${encodeURIComponent('["a.py"]')}`),
  ).toContain("TestDeep");
  await get(`/sessions/${id}/tests?suite=%5B&sort=x&result=x&cursor=x`);
});

test("a link of a job that is no web address is none", async () => {
  const world = new World();
  const ci = { provider: "git", branch: "main", job: "x", job_url: "javascript:alert(1)" };
  await world.send([runState({}, ci)]);
  const html = await get(`/sessions/${world.id}`);
  expect(html).toContain("Commit and job");
  expect(html).not.toMatch(/="\s*javascript:/);
});

test("the page of 2,000 tests has bounded markup", async () => {
  const world = new World();
  await world.send([runState(), ...manyTests(2_000)]);
  await world.send([{ op: "end", at: at + 9_000, exit_code: 1 }]);
  const html = await get(`/sessions/${world.id}`);
  expect(html).toContain("<h1>20 of 2,000 tests failed</h1>");
  expect(html.length).toBeLessThan(300_000);
  const list = await get(`/sessions/${world.id}/tests?result=passed`);
  expect(list).toContain('rel="next"');
  expect(list).not.toContain(`::${nth(99).at(-1)}<`);
});
