/** `datacat import` with the real server: reports become sessions with their times, and importing again changes nothing. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Page } from "../../src/core/answers/page.ts";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import { eventually, World } from "./world.ts";

const REPORTS = join(import.meta.dirname, "../fixtures/reports");

test("a folder is one session whatever else is in it, and importing it again changes nothing", async () => {
  await using world = await World.make();
  await world.startServer();
  const results = join(world.folder, "results");
  mkdirSync(join(results, "more"), { recursive: true });
  for (const name of ["surefire.xml", "nextest.xml"])
    copyFileSync(join(REPORTS, name), join(results, name));
  copyFileSync(join(REPORTS, "perl.tap"), join(results, "more/perl.tap"));
  writeFileSync(join(results, "pom.xml"), "<project/>");

  const first = await world.run(["import", "--product", "app", results]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("15 tests in 3 files: ");
  const [, id = ""] = /\/sessions\/(\S+)\n$/.exec(first.stdout) ?? [];
  await world.findSession((row) => row.id === id && row.status === "ended");
  const { tests } = await world.summary(id);
  const counts = { passed: 6, failed: 4, errors: 1, skipped: 2, expected_failures: 1, flaky: 2 };
  expect(tests).toMatchObject({ ...counts, unexpected_passes: 1, not_run: 0, tests: 15 });

  const lanes = join(world.folder, "home/lanes");
  const isSent = () =>
    readdirSync(lanes).some((name) => name.endsWith(".lane")) ? undefined : true;
  await eventually(isSent);
  const again = await world.run(["import", "--product", "app", results]);
  expect(again.stdout).toBe(first.stdout);
  await eventually(isSent);
  expect((await world.summary(id)).tests).toEqual(tests);
  expect((await world.get<Page<SessionRow>>("/api/sessions")).items).toHaveLength(1);
});

test("a damaged file is named with its line, the others are recorded, and the exit code is 1", async () => {
  await using world = await World.make();
  const env = { DATACAT_DAEMON: "off" };
  const damaged = join(world.folder, "damaged.xml");
  writeFileSync(damaged, '<testsuite name="s">\n<testcase name="a"></testsuite>');
  const good = join(REPORTS, "gradle.xml");
  const ran = await world.run(["import", damaged, good], { env });
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("2 tests in 1 file: 1 passed, 1 failed\n");
  expect(ran.stderr).toBe(
    `datacat: ${damaged}:2: Unexpected close tag\ndatacat: 1 file could not be read.\n`,
  );
  const [line] = JSON.parse(
    (await world.run(["import", "--json", good], { env })).stdout,
  ) as object[];
  expect(line).toMatchObject({ files: 1, tests: 2, counts: { passed: 1, failed: 1 } });

  const missing = await world.run(["import", "no-such-*.xml"], { env });
  expect(missing).toMatchObject({ code: 4, stderr: "datacat: There is no file no-such-*.xml.\n" });
  const empty = join(world.folder, "empty");
  mkdirSync(empty);
  expect((await world.run(["import", empty], { env })).code).toBe(4);
  // A disk on which no lane can be written.
  const nowhere = { ...env, DATACAT_HOME: "/dev/null/home", TMPDIR: "/dev/null" };
  const lost = await world.run(["import", good], { env: nowhere });
  expect(lost.code).toBe(1);
  expect(lost.stderr).toContain("The reports are not recorded: ");
});
