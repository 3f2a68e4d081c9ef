/** The home's folder, and the last resort where other users may write, too. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openHome } from "../../daemon/home.ts";
import { asRoot, SECOND_UID } from "../second-user.ts";

let shared: string;
const spare = () => join(shared, `datacat-${process.getuid?.()}`);
const open = () => openHome({ HOME: "/proc/nope", TMPDIR: shared }, "linux").folder;

beforeEach(() => {
  shared = mkdtempSync(join(tmpdir(), "datacat-homes-"));
});
afterEach(() => {
  rmSync(shared, { recursive: true, force: true });
});

const onUnix = test.skipIf(process.platform === "win32");

onUnix("a home that cannot be made is replaced by a private one in the temporary folder", () => {
  expect(open()).toBe(spare());
  expect(statSync(spare()).mode & 0o777).toBe(0o700);
  expect(open(), "the second time").toBe(spare());
});

onUnix.each<[what: string, make: () => void]>([
  [
    "a link to a folder of this user",
    () => {
      mkdirSync(join(shared, "own"));
      symlinkSync(join(shared, "own"), spare());
    },
  ],
  ["a link to nothing", () => symlinkSync(join(shared, "later"), spare())],
  [
    "a folder into which others may write",
    () => {
      mkdirSync(spare());
      chmodSync(spare(), 0o777);
    },
  ],
])("%s in the place of the last resort is not used", (_, make) => {
  make();
  expect(open).toThrow("Set DATACAT_HOME");
});

asRoot()("a folder of another user is not used, neither as the last resort nor as the home", () => {
  mkdirSync(spare(), { mode: 0o700 });
  chownSync(spare(), SECOND_UID, SECOND_UID);
  expect(open).toThrow("Set DATACAT_HOME");
  rmSync(spare(), { recursive: true });
  const foreign = join(shared, "foreign");
  mkdirSync(foreign);
  chownSync(foreign, SECOND_UID, SECOND_UID);
  expect(openHome({ DATACAT_HOME: foreign, TMPDIR: shared }, "linux").folder).toBe(spare());
});

onUnix("a home that is open to others is closed to them", () => {
  const home = join(shared, "home");
  mkdirSync(home);
  chmodSync(home, 0o755);
  expect(openHome({ DATACAT_HOME: home }, "linux").folder).toBe(home);
  expect(statSync(home).mode & 0o777).toBe(0o700);
});
