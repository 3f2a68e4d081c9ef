import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, game, SPICE } from "../pages/world.ts";
import { atRest, expectAccessible, hasBrowser, World, soon } from "./browser.ts";

const NOW = Date.now();
const HOUR = 3_600_000;

describe.skipIf(!hasBrowser)("the pages across sessions", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.record(
      game({ id: "broken", at: NOW - 2 * HOUR, seconds: 60 }),
      game({
        id: "well",
        at: NOW - 3 * HOUR,
        seconds: 40,
        ending: "end",
        version: "1.4.1",
        host: "attic",
      }),
      game({ id: "spicy", at: NOW - 4 * HOUR, seconds: 20, spice: SPICE }),
      game({ id: "running", at: NOW - 20_000, seconds: 20, ending: "running", version: "1.5.0" }),
      command({ id: "check", at: NOW - HOUR }),
    );
    await world.listed("broken", "well", "spicy", "running", "check");
  });
  afterAll(() => world.close());

  test("home shows products, what runs, what crashed and why", async () => {
    const { page, complaints } = await world.look("/");
    await page.locator("#running").getByText("1.5.0").waitFor();
    const row = page
      .locator(".versions tr", { has: page.getByRole("rowheader", { name: "1.4.2" }) })
      .first();
    expect(await row.textContent()).toContain("0.0 %");
    await page.locator("#crashes a", { hasText: "MemoryError" }).first().click();
    await page.locator("#verdict[data-status=crashed]").waitFor();
    expect(complaints).toEqual([]);
  });

  test("home updates as a whole while it is open", async () => {
    const alive = await World.open();
    try {
      const at = Date.now();
      await alive.record(game({ id: "one", at: at - 5_000, seconds: 5, ending: "running" }));
      await alive.listed("one");
      const { page, complaints } = await alive.look("/");
      await page.locator("#running .count", { hasText: "1" }).waitFor();
      await alive.record(
        game({ id: "two", at: Date.now() - 5_000, seconds: 5, ending: "running" }),
        game({ id: "broken", at: at - 90_000, seconds: 20 }),
      );
      await page.locator("#crashes a", { hasText: "MemoryError" }).waitFor();
      await page.locator("#groups a", { hasText: "MemoryError" }).waitFor();
      await soon(() => page.locator("#running .card").count()).toBe(2);
      const row = page.locator(".versions tbody tr").first();
      expect(await row.locator("td").nth(1).textContent()).toBe("2");
      expect(await page.locator("#running .count").first().textContent()).toBe("2");
      expect(complaints).toEqual([]);
    } finally {
      await alive.close();
    }
  });

  test("an empty server shows how to record, with its own address", async () => {
    const empty = await World.open();
    try {
      const { page, complaints } = await empty.look("/");
      await page.getByText("No sessions yet").waitFor();
      expect(await page.locator("#start-run").textContent()).toContain(
        `DATACAT_URL=${empty.server.url} datacat run`,
      );
      await page.locator("#start-python [data-copy]").click();
      expect(await page.evaluate<string>("navigator.clipboard.readText()")).toContain(
        "import datacat",
      );
      await expectAccessible(page);
      await empty.record(command({ id: "first", at: Date.now() - 60_000 }));
      await page.locator("#home .product", { hasText: "npm run check" }).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await empty.close();
    }
  });

  test("the search box takes a query, completes it, and marks what it does not understand", async () => {
    const { page, complaints } = await world.look("/sessions");
    const rows = page.locator(".sessions tbody tr");
    const box = page.getByLabel("Search sessions");
    await box.fill("version:>=1.4.2 -is:act");
    await page
      .locator('#suggested-text option[value="version:>=1.4.2 -is:active"]')
      .waitFor({ state: "attached" });
    await page.locator(".empty mark", { hasText: "act" }).waitFor();
    await expectAccessible(page);
    await box.fill("version:>=1.4.2 -is:active");
    await soon(() => rows.count()).toBe(2);
    await page.reload();
    expect(await box.inputValue()).toBe("version:>=1.4.2 -is:active");
    expect(await rows.count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test("the list follows text and filters as they are typed, and the address has them", async () => {
    const { page, complaints } = await world.look("/sessions");
    const rows = page.locator(".sessions tbody tr");
    expect(await rows.count()).toBe(5);
    await page.getByLabel("Search sessions").fill("attic");
    await soon(() => rows.count()).toBe(1);
    await soon(() => page.url()).toContain("text=attic");
    // The address has no unset fields, and the title has the filters.
    expect(new URL(page.url()).search).toBe("?text=attic");
    expect(await page.title()).toBe("Sessions attic · Datacat");
    await page.getByLabel("Search sessions").fill("");
    await page.getByText("Crashed", { exact: true }).click();
    await soon(() => rows.count()).toBe(2);
    expect(await page.locator("#count-ended").textContent()).toBe("2");
    await page.locator("select[name=product]").selectOption("npm run check");
    await soon(() => page.locator("#count-ended").textContent()).toBe("1");
    await page.locator("select[name=product]").selectOption("");
    await soon(() => rows.count()).toBe(2);
    await page.reload();
    expect(await rows.count()).toBe(2);
    await page.goBack();
    expect(complaints).toEqual([]);
  });

  test("a range of time is typed in the zone of the page, by the rules of that day", async () => {
    const { page } = await world.look("/sessions", { timezoneId: "Asia/Tokyo" });
    const after = page.getByLabel("Started after");
    await page.getByText("Time, machine, state, events, metric column").click();
    // Half an hour before `broken` began, as a clock in Tokyo (UTC+9) showed it.
    const shown = (hours: number) =>
      new Date(NOW - 2.5 * HOUR + hours * HOUR).toISOString().slice(0, 19);
    await after.fill(shown(9));
    await soon(() => page.locator(".sessions tbody tr").count()).toBe(3);
    const from = new URL(page.url()).searchParams.get("from");
    expect(from).toBe(String(Date.parse(`${shown(0)}Z`)));
    await page.getByRole("button", { name: "UTC" }).click();
    expect(await after.inputValue()).toBe(shown(0));
    await page.getByRole("button", { name: "Local" }).click();
    await page.reload();
    expect(await after.inputValue()).toBe(shown(9));
    expect(await page.locator(".sessions tbody tr").count()).toBe(3);

    // In Berlin July is UTC+2 and January UTC+1, whenever it is asked.
    const berlin = await world.look("/sessions");
    await berlin.page.getByText("Time, machine, state, events, metric column").click();
    for (const [typed, meant] of [
      ["2026-07-01T12:00:00", "2026-07-01T10:00:00Z"],
      ["2026-01-01T12:00:00", "2026-01-01T11:00:00Z"],
    ] as const) {
      await berlin.page.getByLabel("Started after").fill(typed);
      await soon(() => new URL(berlin.page.url()).searchParams.get("from")).toBe(
        String(Date.parse(meant)),
      );
    }
  });

  test("past state values are suggested while one types, and find sessions", async () => {
    const { page, complaints } = await world.look("/sessions");
    await page.getByText("Time, machine, state, events, metric column").click();
    await page.getByLabel("State path").fill("renderer.b");
    await soon(() => page.locator("#state-paths-list option").count()).toBeGreaterThan(0);
    await page.getByLabel("State path").fill("command.folder");
    await page.getByLabel("State value").fill("/home/ada/game");
    await soon(() => page.locator(".sessions tbody th").count()).toBe(1);
    await page.getByLabel("Show metric").fill("cpu");
    await page.locator(".sparkline").waitFor();
    expect(complaints).toEqual([]);
  });

  test("exceptions are searched by conditions, which are completed, and explained if they are wrong", async () => {
    const { page, complaints } = await world.look("/exceptions");
    const box = page.getByLabel("Search exceptions");
    await box.pressSequentially("type:Mem");
    const offered = page.locator("#suggested-text option");
    await soon(() =>
      offered.evaluateAll((all) => all.map((one) => one.getAttribute("value"))),
    ).toEqual(["type:MemoryError"]);
    await box.fill("type:MemoryError product:archive-game sessions:>=1");
    const groups = page.locator(".group-row");
    await soon(() => groups.locator(".exception-type").allTextContents()).toEqual(["MemoryError"]);
    await box.fill("sesions:1");
    await page.locator("#list").getByText("Did you mean sessions?").waitFor();
    await expectAccessible(page);
    await box.fill("is:resolved");
    await page.locator("#list").getByText("No exceptions match these filters").waitFor();
    await soon(() => page.url()).toContain("text=is%3Aresolved");
    expect(complaints).toEqual([]);
  });

  test("a view is saved under a name, and deleted", async () => {
    const { page } = await world.look("/sessions?status=crashed");
    await page.locator(".views > summary").click();
    await page.getByLabel("Name of this view").fill("The broken");
    await page.getByRole("button", { name: "Save view" }).click();
    await page.getByRole("link", { name: "The broken" }).click();
    expect(page.url()).toContain("status=crashed");
    await page.getByLabel("Delete the view The broken").click();
    await page.getByRole("link", { name: "The broken" }).waitFor({ state: "detached" });
  });

  test("the search box and the fields beside it edit the same", async () => {
    for (const path of ["/sessions", "/metrics"]) {
      const { page, complaints } = await world.look(`${path}?text=product:archive-game lich`);
      const box = page.getByLabel("Search sessions");
      const product = page.locator("select[name=product]");
      expect([await box.inputValue(), await product.inputValue()]).toEqual([
        "lich",
        "archive-game",
      ]);
      await box.fill('product:"npm run check"');
      await soon(() => product.inputValue()).toBe("npm run check");
      await product.selectOption("archive-game");
      await soon(() => box.inputValue()).toBe("");
      await box.fill("product:archive-game");
      await soon(() => page.url()).toContain("text=product");
      await box.fill("");
      await soon(() => product.inputValue()).toBe("");
      expect(page.url()).not.toMatch(/product|text/);
      expect(complaints).toEqual([]);
    }
  });

  test("two selected sessions are compared", async () => {
    const { page, complaints } = await world.look(
      "/sessions?product=archive-game&status=crashed,ended",
    );
    const compare = page.locator("[data-compare]");
    expect(await compare.isDisabled()).toBe(true);
    expect(await compare.textContent()).toBe("Compare: select 2 to 5");
    for (const box of await page.locator("input[name=ids]").all()) await box.check();
    await page.getByRole("button", { name: "Compare 2" }).click();
    await page.getByText("Differences in the last state").waitFor();
    expect(await page.locator(".overlay").count()).toBe(7);
    await page.locator("select[name=align]").selectOption("end");
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.locator(".plot-x text", { hasText: "−" }).first().waitFor();
    expect(complaints).toEqual([]);
  });

  test("columns are chosen beside the search, sort by their headings, and fit a phone", async () => {
    const { page, complaints } = await world.look("/sessions?product=archive-game");
    await page.locator("summary", { hasText: "Columns" }).click();
    await page.getByLabel("Points", { exact: true }).uncheck();
    await page.getByLabel("Metrics, events, state, tags").fill("metric.fps.p95");
    await page.getByRole("link", { name: "fps, p95" }).click();
    await page.locator("[aria-sort=descending]", { hasText: "fps, p95" }).waitFor();
    // Each value is below its heading. All are measured at once, since a duration that goes on may become wider.
    const [values, headings] = await page.locator(".sessions").evaluate((table) =>
      ["tbody tr:first-child", "thead tr"].map((row) => {
        const cells = Array.from(table.querySelectorAll(`${row} > *`));
        return cells.map((cell) => Math.round(cell.getBoundingClientRect().right));
      }),
    );
    expect(headings?.length).toBeGreaterThan(5);
    expect(values).toEqual(headings);
    expect(await page.locator(".sessions thead a", { hasText: "Points" }).count()).toBe(0);
    const figures = await page.locator('td[data-label="fps, p95"]').allTextContents();
    const numbers = figures.map(Number).filter((figure) => !Number.isNaN(figure));
    expect(numbers.length).toBeGreaterThan(1);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    expect(complaints).toEqual([]);
  });

  test("a selection outlives searches and pages, and has at most five sessions", async () => {
    const { page } = await world.look("/sessions?product=archive-game&sort=points");
    const compare = page.locator("[data-compare]");
    await page.locator("input[value=broken]").check();
    await page.locator("input[value=well]").check();
    await page.locator("select[name=product]").selectOption("npm run check");
    await soon(() => page.locator(".sessions tbody tr").count()).toBe(1);
    await page.locator("input[value=check]").check();
    expect(await compare.textContent()).toBe("Compare 3");
    await page.getByRole("link", { name: "Started" }).click();
    await page.locator("[aria-sort=descending]").waitFor();
    await soon(() => page.locator("input[value=check]").isChecked()).toBe(true);
    await page.evaluate("sessionStorage.setItem('ticked', JSON.stringify('abcdef'.split('')))");
    await page.reload();
    expect(await compare.textContent()).toBe("Compare: at most 5, 6 selected");
    expect(await compare.isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Clear selection" }).click();
    expect(await compare.textContent()).toBe("Compare: select 2 to 5");
  });

  test("column headers sort the list, and its filters are removed one by one or all at once", async () => {
    const { page, complaints } = await world.look("/sessions?text=workshop&status=crashed");
    await page.locator(".chips", { hasText: "2 sessions" }).waitFor();
    await page.getByRole("link", { name: "Ran for" }).click();
    const first = () => page.locator(".sessions tbody tr").first().locator("th a");
    expect(await first().getAttribute("href")).toBe("/sessions/broken");
    expect(await page.locator("[aria-sort=descending]").textContent()).toBe("Ran for");
    await page.getByRole("link", { name: "Ran for" }).click();
    expect(await first().getAttribute("href")).toBe("/sessions/spicy");
    await page.getByRole("link", { name: "Remove: Crashed" }).click();
    await soon(() => page.locator(".sessions tbody tr").count()).toBe(4);
    expect(await page.locator(".chip").count()).toBe(1);
    await page.goto("/sessions?product=archive-game&status=crashed&text=SIGKILL&order=asc");
    await page.getByRole("link", { name: "Clear all" }).click();
    expect(new URL(page.url()).search).toBe("?order=asc");
    expect(complaints).toEqual([]);
  });

  test("the value of each line is shown at the pointer and by the keyboard, in all plots at once", async () => {
    const { page, complaints } = await world.look("/compare?ids=broken&ids=well");
    const fps = page.locator(".plot[aria-label^=fps]");
    await fps.locator(".plot-series").hover();
    const read = fps.locator(".plot-read");
    expect(await read.locator("span").count()).toBe(2);
    expect(await read.textContent()).toMatch(
      /^30\.\d s\d+\.?\d* A, mean of 500 ms\d+\.?\d* B, mean of 333 ms$/,
    );
    // `well` ran for 40 s, so it has no value at 50 s.
    const box = await fps.locator(".plot-series").boundingBox();
    if (!box) throw new Error("the plot is not drawn");
    await page.mouse.move(box.x + (box.width * 50) / 60, box.y + 20);
    expect(await read.textContent()).toMatch(/^50\.\d s\d+\.?\d* A, mean of 500 ms$/);
    expect(await page.locator(".plot-cross").count()).toBe(7);
    await page.mouse.move(5, 5);
    await soon(() => page.locator(".plot-read").count()).toBe(0);

    await fps.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await read.textContent()).toMatch(/^2\.0 s/);
    await page.keyboard.press("Escape");
    expect(await read.count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("clock times of a plot follow the zone", async () => {
    const { page } = await world.look("/metrics?metric=fps&axis=clock", {
      timezoneId: "Asia/Tokyo",
    });
    const first = page.locator(".plot-x text").first();
    const at = Number(await first.getAttribute("data-at"));
    const shown = (offset: number) =>
      new Date(at + offset).toISOString().slice(0, 16).replace("T", " ");
    expect(await first.textContent()).toBe(`${shown(9 * HOUR)} UTC+9`);
    await page.getByRole("button", { name: "UTC" }).click();
    expect(await first.textContent()).toBe(`${shown(0)} UTC`);
  });

  test("an exception is resolved and leaves the open list", async () => {
    const { page, complaints } = await world.look("/exceptions?product=archive-game");
    await page.getByRole("link", { name: /MemoryError/ }).click();
    await page.locator("#example .frame").first().waitFor();
    const version = page.getByLabel("Resolved in version");
    expect(await version.inputValue()).toBe("");
    await version.fill("1.4.3");
    await page.getByRole("button", { name: "Mark resolved" }).click();
    await page.getByText("resolved in 1.4.3").waitFor();
    await page.goto("/exceptions?product=archive-game");
    expect(await page.getByRole("link", { name: /MemoryError/ }).count()).toBe(0);
    await page.getByLabel("Decision").selectOption("resolved");
    await page.getByRole("link", { name: /MemoryError/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("a metric is picked and grouped", async () => {
    const { page, complaints } = await world.look("/metrics");
    const overview = page.getByRole("group", { name: "Most recorded" });
    await overview.getByRole("link", { name: "fps" }).click();
    await page.locator("#over-time .plot-line").first().waitFor();
    await atRest(page); // until then a changed field asks for nothing
    await page.getByLabel("Group by").fill("machine");
    await page.locator("#table").getByText("attic").waitFor();
    expect(page.url()).toContain("by=machine");
    expect(await page.title()).toBe("fps by machine · Datacat");
    expect(page.url()).not.toContain("axis=");
    await page.getByLabel("Metric", { exact: true }).fill("assets_loaded");
    await page.locator("#over-time", { hasText: "rate per session" }).waitFor();
    await soon(() => page.locator("#aggregate").inputValue()).toBe("rate");
    expect(complaints).toEqual([]);
  });

  test("a key is created, shown once, and revoked", async () => {
    const { page, complaints } = await world.look("/settings");
    await page.getByLabel("Label").fill("workshop daemon");
    await page.getByRole("button", { name: "Create key" }).click();
    expect(await page.locator(".new-secret code").textContent()).toMatch(/^dc_ingest_/);
    await page.goto("/settings");
    expect(await page.locator(".new-secret").count()).toBe(0);
    const key = page
      .getByRole("group", { name: "Keys" })
      .getByRole("row", { name: /workshop daemon/ });
    await key.getByRole("button", { name: "Revoke" }).click();
    await key.getByText("revoked").waitFor();
    expect(complaints).toEqual([]);
  });

  test("everyone can sign in, and read that a server is locked", async () => {
    const settings: Record<string, string>[] = [
      { LOCAL: "0", ADMIN_SECRET: "correct horse battery staple" },
      { LOCAL: "0", ADMIN_SECRET: "" }, // not the token of npm start
    ];
    for (const bindings of settings) {
      const deployed = await World.open(bindings);
      try {
        const { page } = await deployed.look("/");
        await page
          .getByText(bindings["ADMIN_SECRET"] ? "Sign in" : "ADMIN_SECRET")
          .first()
          .waitFor();
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await expectAccessible(page);
        }
        if (!bindings.ADMIN_SECRET) continue;
        const button = page.getByRole("button", { name: "Sign in" });
        const [left, right] = await button.evaluate((element) => {
          const around = element.getBoundingClientRect();
          const range = element.ownerDocument.createRange();
          range.selectNodeContents(element);
          const inside = range.getBoundingClientRect();
          return [inside.left - around.left, around.right - inside.right];
        });
        expect(left).toBeCloseTo(right ?? 0, 0);
        await page.getByLabel("Admin secret").fill("wrong");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("alert").waitFor();
        await expectAccessible(page);
        await page.getByLabel("Admin secret").fill(bindings.ADMIN_SECRET);
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByText("No sessions yet").waitFor();
      } finally {
        await deployed.close();
      }
    }
  });

  const PAGES = [
    "/",
    "/sessions?metric=fps&path=player.hp",
    "/exceptions?status=all",
    "/metrics",
    "/metrics?metric=fps",
    "/metrics?metric=fps&aggregate=p99&event=autosave",
    "/compare?ids=broken&ids=well&ids=spicy",
    "/settings",
    "/docs",
    "/docs/python",
    "/docs/lanes",
    "/docs/api",
    "/docs/grafana",
    "/sessions/broken/delete",
    "/sessions/unknown",
  ];
  for (const path of PAGES) {
    test(`everyone can use ${path}: light, dark, and on a phone`, async () => {
      const { page } = await world.look(path, { colorScheme: "light" });
      await expectAccessible(page);
      await page.emulateMedia({ colorScheme: "dark" });
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 780 });
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
      await expectAccessible(page);
    });
  }

  test("a very long name does not widen a page or heighten a row", async () => {
    const endless = await World.open();
    try {
      const spice = "-name-without-end".repeat(12);
      await endless.record(
        game({ id: "endless", at: NOW - 2 * HOUR, seconds: 20, spice }),
        game({ id: "short", at: NOW - 3 * HOUR, seconds: 20 }),
      );
      await endless.listed("endless", "short");
      const { page } = await endless.look("/");
      for (const [path, row] of [
        ["/", ".versions tbody tr, .entry"],
        ["/sessions", ".sessions tbody tr"],
        ["/exceptions", ".group-row"],
        ["/metrics?metric=fps", ".statistics tbody tr, .legend li"],
        ["/compare?ids=endless&ids=short", ".compared thead tr, .legend li, .overlay h3"],
      ] as const) {
        await page.goto(path);
        for (const width of [1_440, 360]) {
          await page.setViewportSize({ width, height: 900 });
          expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
          const heights = await page
            .locator(row)
            .evaluateAll((rows) => rows.map((each) => each.getBoundingClientRect().height));
          expect({ path, width, highest: Math.max(...heights) < 160 }).toEqual({
            path,
            width,
            highest: true,
          });
        }
      }
    } finally {
      await endless.close();
    }
  });

  test("on a very wide screen the text grows and lists do not", async () => {
    const { page } = await world.look("/sessions", { viewport: { width: 3_840, height: 2_160 } });
    const [letters, list] = await page.evaluate<[number, number]>(
      "[parseFloat(getComputedStyle(document.body).fontSize), document.getElementById('list').clientWidth]",
    );
    expect(letters).toBeGreaterThanOrEqual(18);
    expect(list).toBeLessThan(2_400);
  });

  test("the steps of a guide are numbered, and an address in its tables is in one line", async () => {
    const { page } = await world.look("/docs/grafana");
    const markers = page.locator(".guide ol");
    expect(await markers.evaluate((list) => getComputedStyle(list).listStyleType)).toBe("decimal");
    const lines = await page
      .locator(".guide td:first-child code")
      .evaluateAll((all) => all.map((code) => code.getClientRects().length));
    expect(lines.length).toBeGreaterThan(10);
    expect(new Set(lines)).toEqual(new Set([1]));
  });

  test("on a phone, the navigation and a row need no horizontal scrolling", async () => {
    const { page } = await world.look("/sessions?metric=fps", {
      viewport: { width: 360, height: 780 },
    });
    for (const part of ["nav[aria-label=Pages]", "#list .scroller"]) {
      const hidden = await page
        .locator(part)
        .evaluate((element) => element.scrollWidth - element.clientWidth);
      expect({ part, hidden }).toEqual({ part, hidden: 0 });
    }
    for (const text of ["Crashed: MemoryError", "archive-game", "1 min"]) {
      await page.locator("#list tr", { hasText: text }).first().waitFor();
    }
  });
});
