/** A project for each runner, with one test of each kind, written for these tests. */

export const VITEST = {
  "vitest.config.mjs": `export default { test: { reporters: ["default", [process.env.REPORTER, { product: "sums" }]] } };`,
  "src/all.test.js": `
    import { describe, expect, test } from "vitest";
    describe("sums", () => {
      test("adds", () => { console.log("quiet"); expect(1 + 1).toBe(2); });
      test("rounds", () => { console.log("printed"); expect.soft(3).toBe(2); expect({ a: 1 }).toEqual({ a: 2 }); });
      test.skip("later", () => {});
      test("noted", (context) => context.skip("no database"));
      test.todo("someday");
      test.fails("is wrong", () => expect(1).toBe(2));
      test.fails("is right", () => {});
    });
    describe.each(["a", "b"])("letter %s", (letter) => {
      test.each([1, 2])("number %i", () => {});
      test("same", () => {});
      test("same", () => { if (letter === "b") throw new TypeError("the second"); });
    });
    let tries = 0;
    test("flaky", { retry: 3 }, () => { if (++tries < 3) throw new RangeError("try " + tries); });
    test("never works", { retry: 1 }, () => { throw new Error("no"); });
    let turns = 0;
    test("repeated", { repeats: 2 }, () => { if (++turns === 2) throw new Error("turn 2"); });
    test("a text", () => { throw "text"; });
    test("undefined", () => { throw undefined; });
    test("an object", () => { throw { code: 7 }; });
    test("a class", () => {
      class DiskError extends Error { code = "E9"; }
      throw new DiskError("disk", { cause: new Error("inner") });
    });
    describe.concurrent("at once", () => {
      for (const i of [1, 2]) test("c" + i, async () => { await new Promise((r) => setTimeout(r, 5)); if (i === 2) throw new Error("c2"); });
    });`,
  "src/hooks.test.js": `
    import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
    describe("before", () => { beforeAll(() => { throw new Error("no server"); }); test("never", () => {}); });
    describe("after", () => { afterAll(() => { throw new Error("cannot stop"); }); test("runs", () => {}); });
    describe("each", () => { afterEach(() => { throw new Error("after each"); }); test("two", () => { throw new Error("body"); }); });`,
  "src/broken.test.js": `import "./nothing.js";`,
  "src/late.test.js": `
    import { test } from "vitest";
    test("late", () => { setTimeout(() => { throw new Error("late one"); }, 1); });
    test("waits", () => new Promise((resolve) => setTimeout(resolve, 50)));
    test("rejects", () => { Promise.reject(new Error("unhandled one")); });`,
};

/** What every version of vitest records of it; up to 2, times and order differ. */
export const VITEST_ENDS = [
  "src/all.test.js > sums > adds | passed",
  "src/all.test.js > sums > rounds | failed | AssertionError: expected 3 to be 2 // Object.is equality + member AssertionError: expected { a: 1 } to deeply equal { a: 2 }",
  "src/all.test.js > sums > later | skipped",
  "src/all.test.js > sums > noted | skipped | (no database)",
  "src/all.test.js > sums > someday | skipped | (todo)",
  "src/all.test.js > sums > is wrong | expected_failure",
  "src/all.test.js > sums > is right | failed | Error: Expect test to fail",
  ...["a", "b"].flatMap((letter) => [
    `src/all.test.js > letter ${letter} > number 1 | passed`,
    `src/all.test.js > letter ${letter} > number 2 | passed`,
    `src/all.test.js > letter ${letter} > same | passed`,
    `src/all.test.js > letter ${letter} > same > #2 | ${letter === "a" ? "passed" : "failed | TypeError: the second"}`,
  ]),
  "src/all.test.js > flaky | failed | RangeError: try 1",
  "src/all.test.js > flaky | failed | attempt 2 | RangeError: try 2",
  "src/all.test.js > flaky | passed | attempt 3",
  "src/all.test.js > never works | failed | Error: no",
  "src/all.test.js > never works | failed | attempt 2 | Error: no",
  "src/all.test.js > repeated | failed | Error: turn 2",
  "src/all.test.js > a text | failed | thrown value: text",
  "src/all.test.js > undefined | failed | undefined: undefined",
  "src/all.test.js > an object | failed | thrown value: { code: 7 }",
  "src/all.test.js > a class | failed | DiskError: disk + cause Error: inner",
  "src/all.test.js > at once > c1 | passed",
  "src/all.test.js > at once > c2 | failed | Error: c2",
  "src/hooks.test.js > before > never | skipped",
  "src/hooks.test.js > before | error | suite | setup | Error: no server",
  "src/hooks.test.js > after > runs | passed",
  "src/hooks.test.js > after | error | suite | teardown | Error: cannot stop",
  "src/hooks.test.js > each > two | failed | Error: body + member Error: after each",
  "src/late.test.js > late | passed",
  "src/late.test.js > waits | passed",
  "src/late.test.js > rejects | passed",
  "src/late.test.js > Error: late one | error | suite | Error: late one",
  "src/late.test.js > Error: unhandled one | error | suite | Error: unhandled one",
];

export const NODE_TEST = {
  "a.test.mjs": `
    import assert from "node:assert";
    import { after, before, describe, it, test } from "node:test";
    test("adds", () => assert.equal(1 + 1, 2));
    test("wrong", () => assert.deepEqual({ a: 1 }, { a: 2 }));
    test("skipped", { skip: "no database" }, () => {});
    test("todo", { todo: "soon" }, () => {});
    test("todo fails", { todo: true }, () => { throw new Error("x"); });
    test("a text", () => { throw "text"; });
    test("parent", async (t) => {
      t.diagnostic("a note");
      await t.test("good", () => {});
      await t.test("bad", () => { throw new TypeError("bad"); });
      await t.test("same", () => {});
      await t.test("same", () => {});
    });
    describe("suite", () => { it("in it", () => {}); describe("deep", () => it("deeper", () => assert.equal(1, 2))); });
    describe("before", () => { before(() => { throw new Error("no server"); }); it("never", () => {}); });
    describe("after", () => { after(() => { throw new Error("cannot stop"); }); it("runs", () => {}); });
    describe("at once", { concurrency: 2 }, () => {
      for (const i of [1, 2]) describe("s" + i, () => it("t", () => new Promise((r) => setTimeout(r, 20))));
    });
    test("slow", { timeout: 10 }, () => new Promise((r) => setTimeout(r, 100)));`,
  "b.test.mjs": `throw new RangeError("cannot load");`,
  "c.test.mjs": `console.log("no tests");`,
  "d.test.mjs": `
    import { test } from "node:test";
    test("late", () => { setTimeout(() => { throw new Error("late one"); }, 1); });
    test("waits", () => new Promise((r) => setTimeout(r, 50)));`,
};

export const NODE_TEST_ENDS = [
  "a.test.mjs > adds | passed",
  "a.test.mjs > wrong | failed | AssertionError: Expected values to be loosely deep-equal:",
  "a.test.mjs > skipped | skipped | (no database)",
  "a.test.mjs > todo | skipped | (soon)",
  "a.test.mjs > todo fails | expected_failure | (todo) | Error: x",
  "a.test.mjs > a text | failed | thrown value: text",
  "a.test.mjs > parent > good | passed",
  "a.test.mjs > parent > bad | failed | TypeError: bad",
  "a.test.mjs > parent > same | passed",
  "a.test.mjs > parent > same > #2 | passed",
  "a.test.mjs > parent | failed | subtestsFailed: 1 subtest failed",
  "a.test.mjs > suite > in it | passed",
  "a.test.mjs > suite > deep > deeper | failed | AssertionError: 1 == 2",
  "a.test.mjs > before > never | failed | cancelledByParent: test did not finish before its parent and was cancelled",
  "a.test.mjs > before | error | suite | Error: no server",
  "a.test.mjs > after > runs | passed",
  "a.test.mjs > after | error | suite | Error: cannot stop",
  "a.test.mjs > at once > s1 > t | passed",
  "a.test.mjs > at once > s2 > t | passed",
  "a.test.mjs > slow | failed | testTimeoutFailure: test timed out after 10ms",
  "b.test.mjs | failed | collect | RangeError: cannot load",
  "c.test.mjs | passed",
  "d.test.mjs > late | passed",
  "d.test.mjs > waits | passed",
  'd.test.mjs | failed | collect | Error: Test "late" at d.test.mjs:3:5 generated asynchronous activity after the test ended. This activity created the error "Error: late one" and would have caused the test to fail, but instead triggered an uncaughtException event.',
];

export const JEST = {
  "jest.config.cjs": `module.exports = { rootDir: "src", reporters: ["default", ["@datacat/client/jest", { product: "sums" }]] };`,
  "src/a.test.cjs": `
    jest.retryTimes(2);
    let tries = 0;
    describe("sums", () => {
      test("adds", () => expect(1 + 1).toBe(2));
      test("rounds", () => expect({ a: 1 }).toEqual({ a: 2 }));
      test.skip("later", () => {});
      test.todo("someday");
      test.failing("is wrong", () => expect(1).toBe(2));
      test.failing("is right", () => {});
    });
    test("flaky", () => { if (++tries < 3) throw new RangeError("try " + tries); });`,
  "src/b.test.cjs": `
    describe.each(["a", "b"])("letter %s", (letter) => {
      test("same", () => {});
      test("same", () => { if (letter === "b") throw new TypeError("the second"); });
    });
    test("a text", () => { throw "text"; });
    test("an object", () => { throw { code: 7 }; });
    describe("before", () => { beforeAll(() => { throw new Error("no server"); }); test("never", () => {}); });
    describe("after", () => { afterAll(() => { throw new Error("cannot stop"); }); test("runs", () => {}); });
    describe("each", () => { afterEach(() => { throw new Error("after each"); }); test("two", () => expect("a").toBe("b")); });`,
  "src/c.test.cjs": `require("./nothing.cjs"); test("x", () => {});`,
};

export const JEST_ENDS = [
  "a.test.cjs > sums > adds | passed",
  ...["", " | attempt 2", " | attempt 3"].map(
    (attempt) =>
      `a.test.cjs > sums > rounds | failed${attempt} | Error: expect(received).toEqual(expected) // deep equality`,
  ),
  "a.test.cjs > sums > later | skipped",
  "a.test.cjs > sums > someday | skipped | (todo)",
  "a.test.cjs > sums > is wrong | expected_failure",
  ...["", " | attempt 2", " | attempt 3"].map(
    (attempt) =>
      `a.test.cjs > sums > is right | failed${attempt} | Error: Failing test passed even though it was supposed to fail. Remove \`.failing\` to remove error.`,
  ),
  "a.test.cjs > flaky | failed | RangeError: try 1",
  "a.test.cjs > flaky | failed | attempt 2 | RangeError: try 2",
  "a.test.cjs > flaky | passed | attempt 3",
  "b.test.cjs > letter a > same | passed",
  "b.test.cjs > letter a > same > #2 | passed",
  "b.test.cjs > letter b > same | passed",
  "b.test.cjs > letter b > same > #2 | failed | TypeError: the second",
  'b.test.cjs > a text | failed | thrown value: "text"',
  "b.test.cjs > an object | failed | thrown value: Object {",
  "b.test.cjs > before > never | failed | Error: no server",
  "b.test.cjs > after > runs | passed",
  "b.test.cjs > each > two | failed | Error: expect(received).toBe(expected) // Object.is equality + member Error: after each",
  "b.test.cjs | error | suite | collect | Error: cannot stop",
  "c.test.cjs | error | suite | collect | Error: Cannot find module './nothing.cjs' from 'c.test.cjs'",
];

/** Written for this test: no package of the registry has tests of Playwright in it. They need no browser. */
export const PLAYWRIGHT = {
  "playwright.config.mjs": `export default {
    testDir: "e2e", workers: 1, retries: 1,
    reporter: [["line"], ["json", { outputFile: "playwright.json" }], ["@datacat/client/playwright", { product: "sums" }]],
    projects: [{ name: "one" }, { name: "two", grep: /adds/ }],
  };`,
  "e2e/a.spec.mjs": `
    import { expect, test } from "@playwright/test";
    test.describe("sums", () => {
      test("adds", async () => {
        await test.step("first", async () => { await test.step("inner", async () => {}); });
        expect(1 + 1).toBe(2);
      });
      test("rounds", async ({}, info) => {
        await info.attach("shot.txt", { body: "what was seen", contentType: "text/plain" });
        console.log("printed");
        expect.soft(3).toBe(2);
        expect({ a: 1 }).toEqual({ a: 2 });
      });
    });
    test("later", async () => test.skip(true, "no database"));
    test("is wrong", async () => { test.fail(true, "bug 7"); expect(1).toBe(2); });
    test("flaky", async ({}, info) => { if (info.retry === 0) throw new RangeError("first try"); });
    test.describe("hooks", () => {
      test.beforeAll(() => { throw new Error("no server"); });
      test("never", async () => {});
      test("nor this", async () => {});
    });`,
  "e2e/b.spec.mjs": `import "./nothing.mjs";`,
};

export const PLAYWRIGHT_ENDS = [
  "one > a.spec.mjs > sums > adds | passed",
  ...["", " | attempt 2"].map(
    (attempt) =>
      `one > a.spec.mjs > sums > rounds | failed${attempt} | Error: expect(received).toBe(expected) // Object.is equality + member Error: expect(received).toEqual(expected) // deep equality`,
  ),
  "one > a.spec.mjs > later | skipped | (no database)",
  "one > a.spec.mjs > is wrong | expected_failure | (bug 7) | Error: expect(received).toBe(expected) // Object.is equality",
  "one > a.spec.mjs > flaky | failed | RangeError: first try",
  "one > a.spec.mjs > flaky | passed | attempt 2",
  "one > a.spec.mjs > hooks > never | failed | Error: no server",
  "one > a.spec.mjs > hooks > never | failed | attempt 2 | Error: no server",
  "one > a.spec.mjs > hooks > nor this | skipped | (did not run)",
  "one > a.spec.mjs > hooks > nor this | skipped | attempt 2 | (did not run)",
  "two > a.spec.mjs > sums > adds | passed",
];
