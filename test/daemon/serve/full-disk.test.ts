/** A server whose disk is full reports that, and goes on when there is room again. Needs root, to mount a small disk. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "../../../daemon/serve/serve.ts";

/** A disk of 12 MB; undefined where none can be mounted. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "datacat-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

const disk = smallDisk();

test.skipIf(disk === undefined)(
  "a full disk is named by the API, the pages and /health, and nothing is lost when there is room again",
  { timeout: 120_000 },
  async () => {
    const folder = disk ?? "";
    const server = await serve({ data: join(folder, "data"), onLog: () => {}, onNotice: () => {} });
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(`${server.url}${path}`, { redirect: "manual", ...init });
      return { status: response.status, text: await response.text() };
    };
    const post = (path: string, body: object) =>
      ask(path, { method: "POST", body: JSON.stringify(body) });
    const batch = (session: string, first: number) => ({
      batches: [
        {
          session,
          lane: "l",
          first,
          last: first + 99,
          ops: Array.from({ length: 100 }, (_, n) => ({
            op: "event",
            at: Date.now(),
            name: "e",
            message: `${n}`.repeat(2_000),
          })),
        },
      ],
    });
    try {
      expect((await post("/api/ingest", batch("before", 1))).text).toContain('"applied":100');
      const ballast = join(folder, "ballast");
      for (let size = 12 << 20; size >= 1_024; size /= 2)
        for (let n = 0; ; n++)
          try {
            writeFileSync(`${ballast}-${size}-${n}`, Buffer.alloc(size));
          } catch {
            rmSync(`${ballast}-${size}-${n}`, { force: true });
            break;
          }

      const refused = await post("/api/ingest", batch("before", 101));
      expect(refused).toMatchObject({
        status: 200,
        text: expect.stringContaining("disk of the server is full"),
      });
      // Every client keeps a batch with this code.
      expect(refused.text).toContain('"code":"unavailable"');
      for (const { status, text } of [
        await post("/api/sessions", { product: "game" }),
        await post("/api/keys", { kind: "read", label: "x".repeat(200) }),
      ]) {
        expect(status, text).toBe(507);
        expect(JSON.parse(text)).toMatchObject({ error: { code: "storage_full" } });
      }
      const query = `text=${"z".repeat(1_900)}&machine=${"z".repeat(1_900)}`;
      const view = new URLSearchParams({ name: "View", query });
      const page = await ask("/views", { method: "POST", body: view });
      expect(page).toMatchObject({ status: 507, text: expect.stringContaining("Storage full") });
      await expect.poll(async () => (await ask("/health")).status, { timeout: 10_000 }).toBe(507);
      expect((await ask("/health")).text).toContain("The disk is full");

      execFileSync("sh", ["-c", `rm -f ${ballast}-*`]);
      expect((await post("/api/ingest", batch("before", 101))).text).toContain('"applied":200');
      expect(JSON.parse((await ask("/api/sessions/before/summary")).text)).toMatchObject({
        counts: { events: 200 },
        ledger: { accepted: 200, stored: 200, dropped: {} },
      });
      await expect
        .poll(async () => JSON.parse((await ask("/health")).text).status, { timeout: 10_000 })
        .toBe("healthy");
    } finally {
      await server.stop();
      execFileSync("umount", [folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
