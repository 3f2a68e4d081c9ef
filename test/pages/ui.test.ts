import {
  formatBytes,
  formatDuration,
  formatQuantity,
  formatTick,
} from "../../src/core/text/format.ts";
import { expect, test } from "vitest";
import { readFilter, searchQuery } from "../../src/pages/search.ts";
import { Sparkline } from "../../src/pages/ui/sparkline.tsx";
import { scaleOf, timeTicks } from "../../src/core/text/scale.ts";

test("numbers come with their units, in few digits", () => {
  expect(formatQuantity(431_951_872, "bytes")).toBe("412 MiB");
  expect(formatQuantity(0.00125, "seconds")).toBe("1.25 ms");
  expect(formatQuantity(87.4321, "percent")).toBe("87.43 %");
  expect(formatQuantity(41.5, "celsius")).toBe("41.5 °C");
  expect(formatTick(41.5, "celsius")).toBe("41.5 °C");
  expect(formatQuantity(1_204)).toBe("1,204");
  expect(formatBytes(0)).toBe("0 B");
});

test("an axis has ticks at round numbers, from below the least to above the most", () => {
  expect(scaleOf(11.2, 59.7, "").ticks).toEqual([0, 20, 40, 60]);
  expect(scaleOf(0.12, 0.49, "").ticks).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
  expect(scaleOf(-3, 4, "").ticks).toEqual([-4, -2, 0, 2, 4]);
  const mebibyte = 2 ** 20;
  expect(scaleOf(300 * mebibyte, 1_000 * mebibyte, "bytes").ticks).toEqual(
    [256, 512, 768, 1_024].map((each) => each * mebibyte),
  );
  expect(scaleOf(116, 116, "").ticks).toEqual([116]);
});

test("an axis of time has ticks at whole seconds, minutes, hours and days", () => {
  expect(timeTicks(-205, 134_000).map(formatDuration)).toEqual([
    "0 ms",
    "30 s",
    "1 min",
    "1 min 30 s",
    "2 min",
  ]);
  expect(timeTicks(0, 400)).toEqual([0, 100, 200, 300, 400]);
  const noon = Date.UTC(2026, 10, 23, 12);
  expect(timeTicks(noon, noon + 9 * 86_400_000).map((at) => at % 86_400_000)).toEqual([0, 0, 0, 0]);
});

test("a sparkline has a bounded size, and keeps a spike of one bucket", async () => {
  const buckets = Array.from({ length: 120 }, (_, index) => index);
  const values = buckets.map((index) => 50 + 10 * Math.sin(index) + (index === 77 ? 900 : 0));
  const rollup = { count: buckets.map(() => 1), sum: values, min: values, max: values };
  const drawn = (await Sparkline({ rollup, name: "fps", unit: "" }))?.toString() ?? "";
  expect(drawn.length).toBeLessThan(1_300);
  expect(drawn).toContain("fps between 40 and 960");
  expect(drawn).toMatch(/ 38 1 39 /); // bucket 77 is in column 38, and reaches the top
});

test("durations have their two largest units", () => {
  expect([80, 1_250, 23_720, 134_000, 3_600_000, 90_061_000, -1_500].map(formatDuration)).toEqual([
    "80 ms",
    "1.25 s",
    "23.7 s",
    "2 min 14 s",
    "1 h",
    "1 d 1 h",
    "−1.5 s",
  ]);
});

const NOW = Date.UTC(2026, 10, 26, 12);

test("the last hour is relative to the time of the request, also in the address", () => {
  const asked = readFilter(new URLSearchParams("within=hour&from=5"), NOW);
  expect(asked.filter.from).toBe(NOW - 3_600_000);
  expect(searchQuery(asked)).toMatchObject({ within: "hour", from: undefined });
});

test("a search survives its own address, with times in UTC", () => {
  const asked = readFilter(
    new URLSearchParams(
      "product=game&status=crashed&status=hung&path=player.hp&value=0&from=2026-11-23T10:00%2B01:00&sort=events&order=asc&metric=fps",
    ),
    NOW,
  );
  expect(asked.filter).toMatchObject({
    product: "game",
    status: ["hung", "crashed"],
    state: { path: ["player", "hp"], value: "0" },
  });
  expect(asked.filter.from).toBe(Date.UTC(2026, 10, 23, 9));
  const again = readFilter(
    new URLSearchParams(
      Object.entries(searchQuery(asked)).flatMap(([k, v]) =>
        v === undefined ? [] : [[k, String(v)]],
      ),
    ),
    NOW,
  );
  expect(again).toMatchObject({
    filter: asked.filter,
    sort: "events",
    order: "asc",
    metric: "fps",
  });
});

test("any address yields a valid search", () => {
  const { filter, sort, order } = readFilter(
    new URLSearchParams("status=broken&sort=__proto__&order=up&from=soon&value=1&within=valueOf"),
    NOW,
  );
  expect({ filter, sort, order }).toEqual({ filter: {}, sort: "created_at", order: "desc" });
});
