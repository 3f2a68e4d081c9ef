import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CiContext, ciContext, gitContext, versionOf } from "../../../src/core/ci/ci.ts";

type Case = {
  name: string;
  env: { [name: string]: string };
  event?: unknown;
  git?: { log?: string; status?: string };
  context: CiContext | null;
  version: string | null;
};
const cases = JSON.parse(readFileSync("test/fixtures/ci.json", "utf8")) as Case[];

test.each(cases)("$name", ({ env, event, git, context, version }) => {
  const found = ciContext(env, gitContext(git?.log, git?.status), event);
  expect(found ?? null).toEqual(context);
  expect((found && versionOf(found)) ?? null).toBe(version);
});
