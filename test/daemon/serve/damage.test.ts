/** Sessions whose database file is damaged: each is there, and is deleted like any other. Damage of single rows: test/session/storage/damage.test.ts. */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { objectsIn } from "../../../daemon/serve/databases.ts";
import { serve } from "../../../daemon/serve/serve.ts";

const PAGE = 4_096;
const ROUTES = [
  "summary",
  "state",
  "state?at=9",
  "state/history",
  "state/history?path=a",
  "state/diff?from=1&to=2",
  "events",
  "events?text=x",
  "events/counts",
  "metrics",
  "timeline",
  "export",
  "",
];
const PAGES = ["", "/moment", "/verdict", "/timeline", "/events", "/delete"];

function batchOf(session: string, count: number): object {
  const at = Date.now();
  const message = () => Math.random().toString(36).repeat(40);
  const ops = Array.from({ length: count }, (_, n) =>
    n === 0
      ? { op: "start", at, product: "game", state: { a: 1 } }
      : { op: "event", at, name: `e${n}`, message: message() },
  );
  return { session, lane: "l", first: 1, last: count, ops };
}

/** Overwrites one page of a database file that no server has open. */
function harm(path: string, page: number, fill: number): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const pages = statSync(path).size / PAGE;
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(PAGE, fill), 0, PAGE, (page % pages) * PAGE);
  closeSync(file);
}

test(
  "whatever page of a session's file is damaged, every route answers, the damage is named, and it can be deleted",
  { timeout: 240_000 },
  async () => {
    const data = mkdtempSync(join(tmpdir(), "datacat-damage-"));
    const options = { data, onLog: () => {}, onNotice: () => {} };
    const cases = Array.from({ length: 11 }, (_, page) => ({
      id: `damaged-${page}`,
      page,
      fill: page % 2 ? 0xa5 : 0,
    }));
    let server = await serve(options);
    try {
      const files = new Map<string, string>();
      for (const { id } of cases) {
        const before = new Set(objectsIn(data));
        const body = JSON.stringify({ batches: [batchOf(id, 40)] });
        await fetch(`${server.url}/api/ingest`, { method: "POST", body });
        await fetch(`${server.url}/api/reindex`, {
          method: "POST",
          body: JSON.stringify({ sessions: [id] }),
        });
        const [object = ""] = objectsIn(data).filter((each) => !before.has(each));
        files.set(id, join(data, "do/datacat-Session", `${object}.sqlite`));
      }
      await server.stop();
      for (const { id, page, fill } of cases) harm(files.get(id) ?? "", page, fill);
      server = await serve(options);

      const ask = async (path: string, init?: RequestInit) => {
        const response = await fetch(`${server.url}${path}`, init);
        return { status: response.status, text: await response.text() };
      };
      for (const { id, page } of cases) {
        for (const route of ROUTES) {
          const { status, text } = await ask(`/api/sessions/${id}/${route}`);
          expect([status, route, page], text).toEqual([200, route, page]);
        }
        for (const route of PAGES) {
          const { status, text } = await ask(`/sessions/${id}${route}`);
          expect([status, route, page], text).toEqual([200, route, page]);
        }
        const summary = JSON.parse((await ask(`/api/sessions/${id}/summary`)).text);
        expect(summary, `page ${page}`).toMatchObject({
          id,
          product: "game",
          damaged: expect.any(Array),
        });
        expect((await ask(`/sessions/${id}`)).text, `page ${page}`).toContain('id="damage"');
        const more = JSON.stringify({
          batches: [
            { session: id, lane: "l", first: 41, last: 41, ops: [{ op: "end", at: Date.now() }] },
          ],
        });
        const { results } = JSON.parse(
          (await ask("/api/ingest", { method: "POST", body: more })).text,
        );
        // Written after the damage, or kept by the sender.
        expect([undefined, "unavailable"], `page ${page}`).toContain(results[0].error?.code);
      }
      const listed = JSON.parse((await ask("/api/sessions?limit=100")).text) as {
        items: { id: string; damaged: number }[];
      };
      expect(listed.items.map(({ id }) => id).toSorted()).toEqual(
        cases.map(({ id }) => id).toSorted(),
      );
      for (const { id, page } of cases) {
        const deleted = await ask(`/api/sessions/${id}`, { method: "DELETE" });
        expect([deleted.status, page]).toEqual([200, page]);
        // Of a file that could not be opened the answer has the name.
        const { storage_left } = JSON.parse(deleted.text) as { storage_left?: string };
        if (storage_left !== undefined)
          expect(files.get(id)).toBe(join(data, "do/datacat-Session", `${storage_left}.sqlite`));
        else expect(page).not.toBe(0);
        expect([(await ask(`/api/sessions/${id}/summary`)).status, page]).toEqual([410, page]);
      }
      expect(JSON.parse((await ask("/api/sessions")).text)).toMatchObject({
        items: [],
        partial: false,
      });
    } finally {
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    }
  },
);
