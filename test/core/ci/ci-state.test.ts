import { expect, test } from "vitest";
import { ciOf, webAddress } from "../../../src/core/ci/ci-state.ts";

test("what a session ran for is read from its state", () => {
  const ci = {
    provider: "github",
    commit: "0123456789abcdef",
    branch: "main",
    pull_request: 12,
    job: "test",
    job_url: "https://github.com/o/r/actions/runs/1",
    run_number: 7,
    run_attempt: 2,
    author_time: 1_790_000_000_000,
    dirty: true,
  };
  expect(ciOf({ ci })).toMatchObject({
    branch: "main",
    pullRequest: "12",
    run: "7, attempt 2",
    jobUrl: "https://github.com/o/r/actions/runs/1",
    authorAt: 1_790_000_000_000,
    isDirty: true,
    tag: "",
  });
});

test.each([[{}], [{ ci: 3 }], [{ ci: [] }], [{ ci: null }], [{ ci: { commit: {} } }]])(
  "%j is none",
  (state) => expect(ciOf(state)).toBeUndefined(),
);

test.each([
  "javascript:alert(1)",
  "data:text/html,x",
  " https://a",
  "//a",
  "http://",
  "vbscript:x",
  "https:// a",
])("%s is no link", (text) => expect(webAddress(text)).toBe(""));

test("a time that is none, and texts that are too long, are not shown as they are", () => {
  const ci = ciOf({ ci: { branch: "b".repeat(1_000), author_time: -1 } });
  expect(ci).toMatchObject({ authorAt: null });
  expect(ci?.branch).toHaveLength(500);
});
