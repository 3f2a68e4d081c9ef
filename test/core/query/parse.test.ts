import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_QUERY_LENGTH } from "../../../src/core/limits.ts";
import { parseQuery } from "../../../src/core/query/parse.ts";
import type { Match, Query } from "../../../src/core/query/tree.ts";
import { refusalOf } from "../../../src/core/refusal.ts";

const NOW = Date.UTC(2026, 10, 29, 15, 30);
const DAY = 86_400_000;
const context = { now: NOW, kinds: ["active", "crashed", "ended", "failed"] };
const parse = (text: string) => parseQuery(text, context);

/** The tree as a short text, to compare structure. */
function shape(query: Query): string {
  switch (query.kind) {
    case "and":
    case "or":
      return `(${query.of.map(shape).join(query.kind === "and" ? " & " : " | ")})`;
    case "not":
      return `-${shape(query.of)}`;
    case "phrase":
      return JSON.stringify(query.text);
    case "term": {
      const { field } = query;
      const name =
        field.kind === "plain"
          ? field.name
          : field.kind === "state"
            ? `${field.when}${JSON.stringify(field.path)}`
            : field.kind === "tag"
              ? `tag<${field.key}>`
              : `${field.metric}<${field.statistic}>`;
      return `${name}${query.isNot ? "≠" : "="}${query.any.map(matchText).join("|")}`;
    }
  }
}

function matchText(match: Match): string {
  switch (match.kind) {
    case "any":
      return "*";
    case "is":
      return match.isQuoted ? JSON.stringify(match.text) : match.text;
    case "like":
      return [match.start, match.middle, match.end].join("*");
    case "range": {
      const low = match.from ? `${match.from.isIncluded ? "[" : "("}${match.from.value}` : "(";
      const high = match.to ? `${match.to.value}${match.to.isIncluded ? "]" : ")"}` : ")";
      return `${low},${high}`;
    }
  }
}

test.each([
  ["", "()"],
  ["  ", "()"],
  ["door", '"door"'],
  ["a b", '("a" & "b")'],
  ["a AND b", '("a" & "b")'],
  ["a and b", '("a" & "and" & "b")'],
  ["a b OR c d", '(("a" & "b") | ("c" & "d"))'],
  ["a (b OR c)", '("a" & ("b" | "c"))'],
  ["-a NOT b", '(-"a" & -"b")'],
  ["-(a OR -b)", '-("a" | -"b")'],
  ["a-b - c", '("a-b" & "-" & "c")'],
  ["x,y", '"x,y"'],
  ['"old door" x', '("old door" & "x")'],
  ['"a \\" b"', '"a \\" b"'],
  [":x", '":x"'],
  ["product:game", "product=game"],
  ["PRODUCT:game", "product=game"],
  ["product:game,editor", "product=game|editor"],
  ["product:!game,editor", "product≠game|editor"],
  ['product:"my game",x', 'product="my game"|x'],
  ["version:1.2.3", "version=1.2.3"],
  ["version:>=1.2", "version=[1.2,)"],
  ["version:1.2..2.0", "version=[1.2,2.0]"],
  ["event:door_*", "event=door_**"],
  ["event:*door", "event=**door"],
  ["event:*door*", "event=*door*"],
  ['event:"*"', 'event="*"'],
  ["tag.branch:main", "tag<branch>=main"],
  ["-tag.nightly", "-tag<nightly>=*"],
  ["state.level:>3", 'state["level"]=(3,)'],
  ["ever.window.active:menu", 'ever["window","active"]=menu'],
  ['at_end."a b".c:"1"', 'at_end["a b","c"]="1"'],
  ["state.v1\\.2.a:x", 'state["v1.2","a"]=x'],
  ["state.level:3..*", 'state["level"]=[3,)'],
  ["state.range:a..b", 'state["range"]=a..b'],
  ["metric.frame.time.mean:<30", "frame.time<mean>=(,30)"],
  ["metric.fps.p95:<30", "fps<p95>=(,30)"],
  ["exit_code:!0", "exit_code≠[0,0]"],
  ["exit_code:-1,>=128", "exit_code=[-1,-1]|[128,)"],
  ["ran:>5m", "ran=(300000,)"],
  ["stored:<=1.5kB", "stored=(,1500]"],
  ["stored:>2MiB", "stored=(2097152,)"],
  ["status:Crashed", "status=crashed"],
  ["is:failed has:event", "(is=failed & has=event)"],
  ["started:<7d", `started=(${NOW - 7 * DAY},)`],
  ["started:>=7d", `started=(,${NOW - 7 * DAY}]`],
  ["started:7d", `started=[${NOW - 7 * DAY},)`],
  ["started:2026-01-31", `started=[${Date.UTC(2026, 0, 31)},${Date.UTC(2026, 1, 1)})`],
  ["started:>2026-01-31", `started=[${Date.UTC(2026, 1, 1)},)`],
  ["started:<2026-01-31", `started=(,${Date.UTC(2026, 0, 31)})`],
  ["started:<=2026-01-31", `started=(,${Date.UTC(2026, 1, 1)})`],
  ["started:2026-01-30..2026-01-31", `started=[${Date.UTC(2026, 0, 30)},${Date.UTC(2026, 1, 1)})`],
  ["started:>=2026-01-31T12:00+01:00", `started=[${Date.UTC(2026, 0, 31, 11)},)`],
  ["started:today", `started=[${Date.UTC(2026, 10, 29)},${Date.UTC(2026, 10, 30)})`],
  ["started:yesterday..now", `started=[${Date.UTC(2026, 10, 28)},${NOW + 1})`],
])("%s", (text, expected) => {
  expect(shape(parse(text))).toBe(expected);
});

test.each([
  ["prodct:game", 0, /Did you mean product\?/],
  ["a foo:bar", 2, /no field foo\. Did you mean tag\.foo or state\.foo\?.*in quotes/],
  ["config.renderer:gl", 0, /Did you mean tag\.config\.renderer or state\.config\.renderer\?/],
  ["sate.level:3", 0, /Did you mean state\.level\?/],
  ["state:3", 0, /^A name follows state and a dot\..*state\.level:>3/],
  ["tag.:x", 0, /^A name follows tag and a dot\./],
  ["metric.:3", 0, /^A name follows metric and a dot\./],
  ["metric.fps:>3", 0, /one of its figures/],
  ["status:crahsed", 7, /^status:crahsed is unknown\. Did you mean crashed\? Known are active, /],
  ["is:running", 3, /Did you mean active\?/],
  ["events:10..", 7, /^10\.\. is no range: .*a number, or \* for any/],
  ["metric.fps.median:<30", 0, /mean, min, max/],
  ["product:", 8, /value is missing/],
  ["product:a,", 10, /value is missing/],
  ["product:>a", 8, /no order/],
  ["state.level:>high", 12, /not a number/],
  ["exit_code:abc", 10, /not a number/],
  ["started:soon", 8, /not a time/],
  ["ran:fast", 4, /not a duration/],
  ["stored:much", 7, /not a size/],
  ["event:*a*b*", 6, /two \*/],
  ["(a", 0, /has no \)/],
  ["a)", 1, /\) without a \(/],
  ["a OR", 4, /missing/],
  ["NOT", 3, /missing/],
  ['note "x', 5, /has no second one/],
])("%s is refused at character %d", (text, position, message) => {
  const refusal = refused(text);
  expect(refusal?.code).toBe("invalid_query");
  expect(refusal?.details["position"]).toBe(position);
  expect(refusal?.message).toMatch(message);
});

test("length, terms and depth are bounded", () => {
  expect(refused("a".repeat(MAX_QUERY_LENGTH + 1))?.message).toMatch(/2000 characters/);
  expect(refused("a ".repeat(17))?.message).toMatch(/16 conditions and texts/);
  expect(refused(`${"(".repeat(500)}a`)?.message).toMatch(/20 deep/);
  expect(refused(`${"-".repeat(500)}a`)?.message).toMatch(/20 deep/);
});

test("every text is a query, or is refused with a position within it", () => {
  const piece = fc.constantFrom(
    ..."()\"'\\:,.*-!<>= \t".split(""),
    "AND",
    "OR",
    "NOT",
    "product",
    "state.a",
    "tag.",
    "metric.x.mean",
    "started",
    "..",
    "7d",
  );
  const text = fc.oneof(
    fc
      .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 })
      .map((all) => all.join("")),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  fc.assert(
    fc.property(text, (written) => {
      const refusal = refused(written);
      if (!refusal) return;
      expect(refusal.code).toBe("invalid_query");
      expect(refusal.details["position"]).toBeGreaterThanOrEqual(0);
      expect(refusal.details["position"]).toBeLessThanOrEqual(written.length);
    }),
    { numRuns: 2_000 },
  );
});

function refused(text: string) {
  try {
    parse(text);
    return undefined;
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    if (!refusal) throw thrown;
    return refusal;
  }
}
