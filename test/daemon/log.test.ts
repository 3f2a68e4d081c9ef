import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Trouble } from "../../daemon/cli/trouble.ts";
import { Log } from "../../daemon/log.ts";
import { World } from "./world.ts";

const KEY = "dc_ingest_a1b2c3d4e5f6.A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0abc";

test("no key, and no password of an address, is in the log or in an error of a command", async () => {
  await using world = await World.make();
  const log = new Log(world.home.log, () => 0);
  const message = `sending to https://ada:hunter22@example.org/api/ingest?key=${KEY} with Bearer ${KEY}`;
  log.write(message);
  log.failed(message, message);
  log.worked(message);
  const texts = [readFileSync(world.home.log, "utf8"), new Trouble("failed", message).message];
  for (const text of texts) {
    expect(text).toContain("example.org");
    expect(text).not.toMatch(/hunter22|A1b2C3d4/);
  }
});
