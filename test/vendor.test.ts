import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { COPIES, folder, GENERATED } from "../src/pages/vendor.mjs";

test("vendored scripts are exactly those of the pinned packages (npm run vendor)", () => {
  expect(readdirSync(folder).toSorted()).toEqual(COPIES.map(({ to }) => basename(to)).toSorted());
  for (const { from, to } of COPIES) {
    expect(readFileSync(to).equals(readFileSync(from)), to).toBe(true);
  }
});

test.each(GENERATED.map((file) => [basename(file.to), file] as const))(
  "%s is generated from src/core (npm run vendor)",
  (_, file) => {
    expect(readFileSync(file.to, "utf8")).toBe(file.text());
  },
);

test("pages load the vendored scripts by their current names", () => {
  const asked = ["layout.tsx", "session.tsx"].flatMap((page) =>
    [...readFileSync(`src/pages/${page}`, "utf8").matchAll(/[\w-]+-[\d.]+\.min\.js/g)].map(
      ([name]) => name,
    ),
  );
  expect([...new Set(asked)].toSorted()).toEqual(readdirSync(folder).toSorted());
});
