/** Queries over the API and the page: what they find, and how they are refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { open, server } from "./server.ts";

const ask = server();

type Refused = { error: { code: string; message: string; position: number } };

const found = async (query: string) => {
  const response = await ask(`/api/sessions?q=${encodeURIComponent(query)}`);
  const { items } = (await response.json()) as { items: { version: string }[] };
  return items.map(({ version }) => version).toSorted();
};

test("q finds sessions by a query, together with the other parameters", async () => {
  for (const version of ["1.9", "1.10", "2.0"]) await open(ask, { product: "searched", version });
  expect(await found("product:searched version:>=1.10")).toEqual(["1.10", "2.0"]);
  expect(await found("product:searched -(version:1.9 OR version:2.0)")).toEqual(["1.10"]);
  const narrowed = await ask("/api/sessions?product=searched&version=2.0&q=version:<2");
  expect(await narrowed.json()).toMatchObject({ items: [] });
});

test("a query that is not understood is refused with its position", async () => {
  const response = await ask("/api/sessions?q=product:a%20colour:red");
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as Refused;
  expect(error).toMatchObject({ code: "invalid_query", position: 10 });
  const page = await (await ask("/sessions?text=colour:red")).text();
  expect(page).toContain("There is no field colour");
  expect(page).toContain("<mark>colour:red</mark>");
});

test("the search box and the fields of the filter are one filter", async () => {
  await open(ask, { product: "boxed", version: "7.7.7" });
  const page = await (await ask("/sessions?text=product:boxed%20is:active&version=7.7.7")).text();
  expect(page).toContain("7.7.7");
  expect(page).toContain("1 session");
});

test("suggestions complete the last name or value of the query", async () => {
  await open(ask, { product: "offered one", version: "1" });
  const options = async (text: string) => {
    const html = await (await ask(`/suggest/query?text=${encodeURIComponent(text)}`)).text();
    return [...html.matchAll(/value="([^"]*)"/g)].map(([, value = ""]) =>
      value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
    );
  };
  expect(await options("is:crashed ver")).toEqual(["is:crashed version:", "is:crashed verdict:"]);
  expect(await options("-product:off")).toEqual(['-product:"offered one"']);
  expect(await options("status:active,cr")).toEqual(["status:active,crashed"]);
  expect(await options("colour:r")).toEqual([]);
});

test("no query is answered with an error of the server", async () => {
  const piece = fc.constantFrom(
    ..."()\"'\\:,.*-!<> ".split(""),
    "AND",
    "OR",
    "NOT",
    "product:",
    "state.a:",
    "ever.b.0.c:",
    "tag.k:",
    "metric.x.mean:",
    "started:",
    "version:>1",
    "7d",
    "12",
    "a",
    "*",
    "\u0000",
    "\ud800",
    "😀",
  );
  const query = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const response = await ask(`/api/sessions?q=${encodeURIComponent(text.toWellFormed())}`);
      expect([200, 400], text).toContain(response.status);
      await response.text();
    }),
    { numRuns: 150 },
  );
});

test("a query with as many conditions as there may be is answered, or refused", async () => {
  for (const condition of ["ever.a.1.2.b:1,2,3", "event:*a*", "tag.k:*v*", "state.n:>3,<1", "a"]) {
    for (const join of [" ", " OR "]) {
      const text = Array.from({ length: 16 }, () => condition).join(join);
      const response = await ask(`/api/sessions?q=${encodeURIComponent(text)}`);
      expect([200, 400], text).toContain(response.status);
    }
  }
});
