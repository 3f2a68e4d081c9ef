/** The fields of a form whose conditions may stand in its query, too. */
import { expect, test } from "vitest";
import { readFilter, readTyped, searchQuery } from "../../src/pages/search.ts";

const NOW = Date.UTC(2026, 10, 29);
const parameters = (query: string) => new URLSearchParams(query);
/** The parameters that a search has, decoded. */
const shown = (search: ReturnType<typeof readFilter>) =>
  Object.fromEntries(Object.entries(searchQuery(search)).filter(([, value]) => value));

test.each([
  ["text=product:game lich", { product: "game", text: "lich" }],
  [
    "text=lich AND product:game AND status:crashed,failed",
    { product: "game", text: "lich", status: "crashed,failed" },
  ],
  ["text=is:crashed&status=ended", { status: "crashed" }],
  ["text=version:1.2&version=1.1&product=game", { version: "1.2", product: "game" }],
  ["q=product:game", { product: "game" }],
  // Only the box can have these, and a field beside them would contradict it.
  ["text=version:>=1.2&version=1.1", { text: "version:>=1.2" }],
  ["text=product:a,b&product=a", { text: "product:a,b" }],
  ["text=product:a product:b", { text: "product:a product:b" }],
  ["text=-product:a&product=b", { text: "-product:a", product: "b" }],
  ["text=product:a OR lich&product=b", { text: "product:a OR lich", product: "b" }],
  ["text=product:a (&product=b", { text: "product:a (", product: "b" }],
])("%s is shown as %j", (query, expected) => {
  expect(shown(readFilter(parameters(query), NOW))).toEqual(expected);
});

test("a page with a field for one status leaves several in the box", () => {
  const read = (query: string) => shown(readFilter(parameters(query), NOW, { oneStatus: true }));
  expect(read("text=is:crashed")).toEqual({ status: "crashed" });
  expect(read("text=is:crashed,failed&status=ended")).toEqual({ text: "is:crashed,failed" });
});

test.each([
  // The box was edited: the fields follow it.
  ["text=product:game", "", { product: "game", text: "product:game" }, ["product"]],
  [
    "text=product:game l&product=game",
    "text=product:game&product=game",
    { product: "game", text: "product:game l" },
    [],
  ],
  ["text=l&product=game", "text=product:game l&product=game", { text: "l" }, ["product"]],
  ["text=product:b&product=a", "product=a", { product: "b", text: "product:b" }, ["product"]],
  ["text=version:>2&version=1", "version=1", { text: "version:>2" }, ["version"]],
  // A field was edited: the box follows it.
  [
    "text=product:game l&product=editor",
    "text=product:game l&product=game",
    { product: "editor", text: "l" },
    ["query"],
  ],
  ["text=product:game l", "text=product:game l&product=game", { text: "l" }, ["query"]],
  [
    "text=is:crashed&status=crashed&status=ended",
    "text=is:crashed&status=crashed",
    { status: "crashed,ended" },
    ["query"],
  ],
  ["text=lich&product=b", "text=lich&product=a", { product: "b", text: "lich" }, []],
  // While it is no query, nothing follows.
  [
    "text=product:b (&product=a",
    "text=product:a&product=a",
    { product: "a", text: "product:b (" },
    [],
  ],
])("%s after %s is %j", (query, before, expected, changes) => {
  const { search, changed } = readTyped(parameters(query), parameters(before), NOW);
  expect(shown(search)).toEqual(expected);
  expect([...changed]).toEqual(changes);
});
