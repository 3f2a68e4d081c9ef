import { createHash } from "node:crypto";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import { expectAccessible, hasBrowser, World, soon } from "./browser.ts";
import { png } from "./png.ts";

type Op = Batch["ops"][number];

/** A program that runs while the test looks. */
class Running {
  readonly #world: World;
  readonly #id: string;
  #sequence = 0;

  constructor(world: World, id: string) {
    this.#world = world;
    this.#id = id;
  }

  async does(...ops: Op[]): Promise<void> {
    const first = this.#sequence + 1;
    this.#sequence += ops.length;
    await this.#world.record([
      {
        session: this.#id,
        lane: `${this.#id}-lane`,
        first,
        last: this.#sequence,
        ops,
        lease_ms: 60_000,
      },
    ]);
  }
}

describe.skipIf(!hasBrowser)("the page of a running session", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(() => world.close());

  async function start(id: string): Promise<Running> {
    const program = new Running(world, id);
    const now = Date.now();
    await program.does(
      { op: "start", at: now - 5_000, product: "game", version: "2", state: { level: 1 } },
      { op: "event", at: now - 4_000, name: "hello", message: "first message" },
      { op: "metric", at: now - 4_000, type: "gauge", name: "fps", value: 60 },
      { op: "metric", at: now - 2_000, type: "gauge", name: "fps", value: 61 },
    );
    return program;
  }

  test("shows a screenshot when it arrives: in the list, on the axis and at the cursor, also without script", async () => {
    const program = await start("pictured");
    const { page, complaints } = await world.look("/sessions/pictured");
    expect(await page.locator("#attachments").isVisible()).toBe(false);

    const image = new Uint8Array(png(160, 90, [200, 30, 30]));
    const sha256 = createHash("sha256").update(image).digest("hex");
    const at = Date.now();
    const announced = { op: "attachment" as const, at, type: "image/png", size: image.length };
    await program.does(
      { ...announced, id: "a.1", name: "screen <b>.png", sha256 },
      { ...announced, id: "a.2", name: "core.dump", type: "text/html", size: 1e9, sha256 },
    );
    const list = page.locator("#attachments");
    await soon(() => list.textContent()).toContain("Arriving: 0 B of");
    await soon(() => list.textContent()).toContain("Refused: it is larger than");
    const missing = page.locator("#record-figures").getByText("has not arrived");
    await soon(() => missing.count()).toBe(1);

    const path = "/api/sessions/pictured/attachments/a.1/chunks/0";
    expect((await world.send(path, { method: "PUT", body: image })).status).toBe(200);
    const isDrawn = (images: Locator) =>
      images.first().evaluate((one) => (one as HTMLImageElement).naturalWidth);
    const drawn = async (opened: Page) => {
      for (const place of ["#attachments img", "#timeline .on-axis img", "#moment-image img"]) {
        await opened.locator(place).first().waitFor({ state: "attached" });
        await opened.locator(place).first().scrollIntoViewIfNeeded();
        await soon(() => isDrawn(opened.locator(place))).toBe(160);
      }
      const box = await opened.locator("#attachments img").boundingBox();
      expect([box?.width, box?.height]).toEqual([96, 64]);
    };
    await drawn(page);
    expect(await list.textContent()).toContain("screen <b>.png");
    await soon(() => missing.count()).toBe(0);
    await page.locator("#moment-image figcaption a").waitFor();
    expect(complaints).toEqual([]);
    await expectAccessible(page);

    const bare = await world.look("/sessions/pictured", { javaScriptEnabled: false });
    await drawn(bare.page);
    // Before it was made there was no image.
    const earlier = await world.look(`/sessions/pictured?t=${at - 1}`, {
      javaScriptEnabled: false,
    });
    expect(await earlier.page.locator("#moment-image").count()).toBe(0);
  });

  test("shows state, events, output, metrics and exceptions as they happen", async () => {
    const program = await start("alive");
    const { page, complaints } = await world.look("/sessions/alive");
    expect(await page.locator("#verdict").getAttribute("data-status")).toBe("active");
    expect(await page.locator("#state").textContent()).toContain("1");

    await program.does(
      { op: "state", at: Date.now(), patch: { level: 2, boss: "the index" } },
      { op: "event", at: Date.now(), name: "level_up", message: "now at two" },
      { op: "event", at: Date.now(), name: "output", group: "stdout", message: "printed just now" },
      { op: "metric", at: Date.now(), type: "gauge", name: "fps", value: 12.5 },
    );
    await soon(() => page.locator("#state").textContent()).toContain("the index");
    await soon(() => page.locator("#event-list").textContent()).toContain("now at two");
    await soon(() => page.locator("#terminal").textContent()).toContain("printed just now");
    await soon(() => page.locator(".chart [data-reading]").first().textContent()).toBe("12.5");

    await program.does({
      op: "event",
      at: Date.now(),
      name: "exception",
      exception_type: "Oops",
      exception_msg: "it broke",
      stacktrace: ["at x (/a/b.js:3:4)"],
    });
    await soon(() => page.locator("#exceptions").textContent()).toContain("it broke");
    expect(complaints).toEqual([]);
  });

  test("shows what happens before its socket is open", async () => {
    const program = await start("early");
    const { page } = await world.look("/sessions", {});
    await page.route("**/session.js", async (route) => {
      await program.does({ op: "state", at: Date.now(), patch: { level: 7 } });
      await route.continue();
    });
    await page.goto("/sessions/early");
    await soon(() => page.locator("#state").textContent()).toContain("7");
  });

  test("is live even if the script of its socket loads late", async () => {
    const program = await start("late");
    const { page } = await world.look("/sessions", {});
    await page.route("**/hx-ws-*.js", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    await page.goto("/sessions/late");
    await page.locator(".following").waitFor();
    await program.does({ op: "state", at: Date.now(), patch: { level: 8 } });
    await soon(() => page.locator("#state").textContent()).toContain("8");
  });

  test("requests nothing while nothing changes", async () => {
    const program = await start("quiet");
    const { page } = await world.look("/sessions/quiet");
    const asked: string[] = [];
    // The charts and the icon may still be on their way on a busy machine.
    await page.waitForLoadState("networkidle");
    page.on("request", (request) => asked.push(request.url()));
    await page.waitForTimeout(4_000);
    expect(asked).toEqual([]);
    await program.does({ op: "event", at: Date.now(), name: "again" });
    await soon(() => page.locator("#event-list").textContent()).toContain("again");
  });

  test("a cursor that is set stays", async () => {
    const program = await start("looked-at");
    const { page } = await world.look("/sessions/looked-at");
    const box = await page.locator("#timeline [data-kind=events] .row-plot").boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 4);
    await page.locator(".cursor-offset", { hasText: "after the start" }).waitFor();
    await program.does({ op: "state", at: Date.now(), patch: { level: 9 } });
    await page.waitForTimeout(1_500);
    expect(await page.locator("#state .value").first().textContent()).toBe("1");
    await page.keyboard.press("f");
    await soon(() => page.locator("#state").textContent()).toContain("9");
  });

  test("its counts and statistics update, and what is open stays open", async () => {
    const program = await start("counted");
    const { page, complaints } = await world.look("/sessions/counted");
    const fps = page.locator(".chart", { hasText: "fps" });
    await fps.locator(".statistics > summary").click();
    await soon(() => fps.locator(".brief").textContent()).toContain("2 points");
    await page.locator("#chart-list[data-series='1']").waitFor();

    await program.does(
      { op: "event", at: Date.now(), name: "one" },
      { op: "event", at: Date.now(), name: "two" },
      { op: "metric", at: Date.now(), type: "gauge", name: "fps", value: 100 },
      { op: "metric", at: Date.now(), type: "gauge", name: "newcomer", value: 1 },
    );
    await soon(() => page.locator("#events-count").textContent()).toBe("3");
    await soon(() => page.locator("#metrics-count").textContent()).toBe("2 series, 4 points");
    await soon(() => fps.locator(".brief").textContent()).toContain("3 points");
    await soon(() => page.locator("#record-figures").textContent()).toContain("8 of 8 recorded");
    expect(await fps.locator("dd", { hasText: "100" }).count()).toBeGreaterThan(0);
    await page.locator(".chart", { hasText: "newcomer" }).waitFor();
    expect(await fps.locator(".statistics").getAttribute("open")).not.toBeNull();
    expect(complaints).toEqual([]);
  });

  test("a zoom stops the axis, and the panel goes on with the latest moment", async () => {
    const program = await start("zoomed");
    const { page, complaints } = await world.look("/sessions/zoomed");
    await page.locator(".following").waitFor();
    await page.locator("#recorder").press("+");
    await page.locator(".cursor-offset", { hasText: "at the latest moment" }).waitFor();
    await program.does({ op: "state", at: Date.now(), patch: { level: 9 } });
    await soon(() => page.locator("#state").textContent()).toContain("9");
    await soon(() => page.locator(".cursor").isHidden()).toBe(true);
    await page.locator(".cursor-offset").getByText("Follow").click();
    await page.locator(".following").waitFor();
    await soon(() => page.locator(".cursor").isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("the tab shows the end at once", async () => {
    const program = await start("mortal");
    const { page, complaints } = await world.look("/sessions/mortal");
    expect(await page.title()).toMatch(/^● game 2 running/);
    await program.does({ op: "crash", at: Date.now(), signal: "SIGKILL", reason: "killed" });
    await soon(() => page.title()).toMatch(/^▲ game 2 crashed/);
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("/icon/crashed.svg");
    await page.getByRole("heading", { level: 1, name: /Crashed/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("a hang counts on, and so do its bar and its row in the list", async () => {
    const program = await start("stuck");
    const at = Date.now() - 5_000;
    await program.does(
      { op: "heartbeat", at: at - 6_000, timeout_ms: 1_000 },
      { op: "hang", at, last_heartbeat_at: at - 6_000, process_state: "blocked" },
    );
    const { page } = await world.look("/sessions/stuck");
    const age = page.locator(".verdict-age [data-elapsed]");
    const shown = await age.textContent();
    const end = await page.locator("#timeline").getAttribute("data-to");
    await soon(() => age.textContent()).not.toBe(shown);
    await soon(() => page.locator("#timeline").getAttribute("data-to")).not.toBe(end);
    const bar = page.locator('#timeline .band[data-status="hung"]');
    expect(Number.parseFloat((await bar.getAttribute("width")) ?? "")).toBeGreaterThan(40);

    await world.listed("stuck");
    await page.goto("/sessions?status=hung");
    const row = page.locator("tr", { hasText: "Hung" }).first();
    const counting = row.locator("td [data-elapsed]");
    const ran = await counting.textContent();
    await soon(() => counting.textContent()).not.toBe(ran);
    await row.locator("th", { hasText: /for \d/ }).waitFor();
    await page.goto("/");
    await page.locator("#running .card-text", { hasText: /no heartbeat for \d/ }).waitFor();
  });

  test.each(["running", "ended"])("the page of a %s session shows its deletion", async (kind) => {
    const program = await start(`deleted-${kind}`);
    if (kind === "ended") await program.does({ op: "end", at: Date.now(), exit_code: 0 });
    await world.listed(`deleted-${kind}`);
    const { page } = await world.look(`/sessions/deleted-${kind}`);
    // The socket is open once a change arrives over it.
    await program.does({ op: "event", at: Date.now(), name: "watched" });
    await soon(() => page.locator("#event-list").textContent()).toContain("watched");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.method()));
    await world.send(`/api/sessions/deleted-${kind}`, { method: "DELETE" });
    await page.locator("#deleted", { hasText: "This session was deleted" }).waitFor();
    expect(asked).toHaveLength(1); // the socket announced it, and one request confirmed it
  });

  test("comes back by itself after the server was away, with what it missed", async () => {
    const program = await start("away");
    const { page } = await world.look("/sessions/away");
    await world.restart();
    await program.does({
      op: "event",
      at: Date.now(),
      name: "missed",
      message: "while you were away",
    });
    const list = page.locator("#event-list");
    await soon(() => list.textContent()).toContain("while you were away");
  });
});
