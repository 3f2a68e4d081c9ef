/** Session files with the real command: read without a server, and moved from one server to another. */
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SessionRow } from "../../src/core/answers/session-row.ts";
import type { Summary } from "../../src/core/answers/summary.ts";
import { type Ran, World } from "./world.ts";

/** A command that attaches a file, prints, and fails. */
const COMMAND = `for i in 1 2 3; do echo "step $i"; done; dd if=/dev/urandom of=shot.bin bs=1000 count=1500 2>/dev/null; exit 3`;

async function recorded(world: World): Promise<string> {
  await world.startServer();
  const run = ["run", "--product", "moved", "--attach", "shot.bin", "--", "sh", "-c", COMMAND];
  await world.run(run);
  const isWhole = async ({ id, product, status }: SessionRow) =>
    product === "moved" &&
    status === "ended" &&
    (await world.summary(id)).ledger.attachments?.arrived === 1;
  for (;;) {
    const row = await world.findSession(
      ({ product, status }) => product === "moved" && status === "ended",
    );
    if (await isWhole(row)) return row.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("a file shows what the server shows, without one, and another server gets the same session", async () => {
  await using one = await World.make();
  await using other = await World.make();
  const id = await recorded(one);
  const file = join(one.folder, "moved.datacat");
  expect(await one.run(["export", id, "-o", file])).toMatchObject({ code: 0 });

  const offline = (...args: string[]) =>
    one.run(args, { env: { DATACAT_URL: "http://localhost:1" } });
  const place = new RegExp(`^.*(${one.url}|moved\\.datacat).*$`, "m");
  const shown = ({ stdout, stderr, code }: Ran) => ({
    code,
    stderr,
    text: stdout.replace(place, "PLACE"),
  });
  for (const args of [
    ["show"],
    ["why"],
    ["why", "FILE", "-n", "3"],
    ["tail"],
    ["tail", "FILE", "message:step*"],
    ["attachments"],
    ["show", "FILE", "--at", "-10ms"],
    ["export"],
    ["export", "FILE", "--format", "json"],
    ["export", "FILE", "--table", "metrics_wide"],
  ]) {
    const [command = "", , ...rest] = args;
    const [there, here] = [
      await one.run([command, id, ...rest]),
      await offline(command, file, ...rest),
    ];
    expect(here.code, here.stderr).toBe(0);
    // What a server's storage takes is not what a file takes, and a file is as of its export.
    const same = (text: string) =>
      text.replace(/"(bytes|rows_written|status_ms|last_at)":\d+/g, "").replace(/-\d+ ms/g, "");
    expect(same(shown(here).text), args.join(" ")).toBe(same(shown(there).text));
  }
  expect((await offline("show", file)).stdout).toMatch(/moved\.datacat, exported \d{4}-/);
  expect((await offline("show", file)).stdout).toMatch(
    /^Timeline .*\n(?:.*\n)?events +[ ▁-█]+ \d+$/m,
  );

  const folder = join(one.folder, "attached");
  await offline("attachments", file, "--download", folder);
  const [name = ""] = readdirSync(folder);
  expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(one.folder, "shot.bin")));

  await other.startServer();
  const first = await other.run(["import", file]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain(`datacat: ${other.url}/sessions/${id}`);
  const own = ({ bytes: _b, rows_written: _r, status_ms: _s, ...rest }: Summary) => rest;
  expect(own(await other.summary(id))).toEqual(own(await one.summary(id)));
  expect(await other.state(id)).toEqual(await one.state(id));
  expect(await other.series(id)).toEqual(await one.series(id));
  expect((await other.run(["export", id, "--format", "csv"])).stdout).toBe(
    (await one.run(["export", id, "--format", "csv"])).stdout,
  );

  expect((await other.run(["import", file])).stdout).toContain("is on the server already");
  const renamed = await other.run(["import", file, "--as-new-id", "--json"]);
  const [line] = JSON.parse(renamed.stdout) as [{ session: string; imported: boolean }];
  expect(line).toMatchObject({ imported: true, session: expect.not.stringMatching(id) });
  expect((await other.summary(line.session)).counts).toEqual((await one.summary(id)).counts);

  await fetch(`${other.url}/api/sessions/${id}`, { method: "DELETE" });
  expect(await other.run(["import", file])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("was deleted"),
  });
});

test("what is left of a file that was cut off or damaged is shown, and named as incomplete", async () => {
  await using world = await World.make();
  const id = await recorded(world);
  const file = join(world.folder, "whole.datacat");
  await world.run(["export", id, "-o", file]);
  const whole = readFileSync(file);
  const cut = join(world.folder, "cut.datacat");
  writeFileSync(cut, whole);

  truncateSync(cut, Math.floor(whole.length * 0.6));
  const shown = await world.run(["why", cut]);
  expect(shown.code, shown.stderr).toBe(0);
  expect(shown.stdout).toMatch(
    /The file is not complete: it can be read up to .+ of .+, and its end is missing\./,
  );
  expect(shown.stdout).toContain("exit code 3");
  expect(shown.stdout).toContain("step 3");
  expect((await world.run(["show", cut])).stdout).toContain("shot.bin");
  const folder = join(world.folder, "attached");
  expect(await world.run(["attachments", cut, "-d", folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("a part of it is missing in the file"),
  });
  expect(readdirSync(folder)).toEqual([]);
  expect(await world.run(["import", cut])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /The file is damaged or no session file, so nothing is imported: it ends after/,
    ),
  });

  // A byte of the content.
  const damaged = Buffer.from(whole);
  damaged[whole.length - 5_000] = (damaged[whole.length - 5_000] ?? 0) ^ 1;
  writeFileSync(cut, damaged);
  expect((await world.run(["why", cut])).stdout).toContain("1 part of the file cannot be read");

  // Only the header is left.
  writeFileSync(cut, whole.subarray(0, 400));
  expect(await world.run(["show", cut])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/No records can be read in .*It is of session .*exit code 3/),
  });
  writeFileSync(cut, "no session file");
  expect(await world.run(["show", cut])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is no session file"),
  });
  expect(await world.run(["show", join(world.folder, "none.datacat")])).toMatchObject({ code: 4 });
  expect(await world.run(["tail", "-f", file])).toMatchObject({ code: 2 });
  expect(await world.run(["export", file, "-o", cut])).toMatchObject({ code: 2 });
  expect(await world.run(["export", id, "--format", "datacat"])).toMatchObject({ code: 2 });
  expect(await world.run(["import", "--as-new-id", "x", file, file])).toMatchObject({ code: 2 });
  expect(statSync(file).size).toBe(whole.length);
});
