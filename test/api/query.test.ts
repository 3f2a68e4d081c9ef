/** Queries over the API and the page: what they find, and how they are refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { deployed, newKey } from "../access/world.ts";
import { open, post, server } from "./server.ts";

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

test("found=true names what was found, as a program logged it, and when", async () => {
  const at = Date.now() - 60_000;
  const event = (n: number, more: object) => ({ op: "event", at: at + n, name: "log", ...more });
  const ops = [
    { op: "start", at, product: "logging" },
    event(1, { message: "Lich wakes in crypt VII", data: { weapon: { name: "Frostmourne" } } }),
    ...Array.from({ length: 600 }, (_, n) => event(n + 2, { message: `tick ${n} of the clock` })),
    { op: "end", at: at + 1_000 },
  ];
  const batch = { session: "logging", lane: "l", first: 1, last: ops.length, ops };
  expect((await ask("/api/ingest", post({ batches: [batch] }))).status).toBe(200);
  const [one] = await rowsOf("product:logging frostmourne", "&found=true");
  expect(one?.found).toEqual([
    {
      kind: "data",
      name: "data.weapon.name",
      at: at + 1,
      before: "",
      match: "Frostmourne",
      after: "",
    },
  ]);
  // The message is only in its log, and the product stands in the row.
  const [other] = await rowsOf('"lich wakes" logging', "&found=true");
  expect(other).toMatchObject({ id: "logging", found: [], found_in_log: ["lich wakes"] });
  expect(await rowsOf("product:logging dragon", "&found=true")).toEqual([]);
  const [without] = await rowsOf("product:logging frostmourne");
  expect(without).not.toHaveProperty("found");
});

async function rowsOf(query: string, more = "") {
  const response = await ask(`/api/sessions?q=${encodeURIComponent(query)}${more}`);
  return ((await response.json()) as { items: { found?: unknown }[] }).items;
}

test("sessions are found by what they have attached", async () => {
  const attach = (session: string, sizes: number[]) => {
    const op = { op: "attachment", name: "a.bin", sha256: "0".repeat(64) };
    const ops = [
      { op: "start", at: Date.now(), product: "attaching", version: String(sizes.length) },
      ...sizes.map((size, i) => ({ ...op, id: `l.${i}`, at: Date.now(), size })),
      { op: "end", at: Date.now() },
    ];
    return { session, lane: `${session}-lane`, first: 1, last: ops.length, ops };
  };
  const batches = [
    attach("attached-none", []),
    attach("attached-one", [5]),
    attach("attached-two", [5, 6]),
    attach("attached-refused", [5, 6, 2 ** 30]), // the last one is too large
  ];
  expect((await ask("/api/ingest", post({ batches }))).status).toBe(200);
  const listed = (query: string) =>
    expect.poll(() => found(`product:attaching ${query}`), { timeout: 10_000 });
  await listed("").toEqual(["0", "1", "2", "3"]);
  await listed("has:attachment").toEqual(["1", "2", "3"]);
  await listed("-has:attachment").toEqual(["0"]);
  await listed("attachments:>1").toEqual(["2", "3"]);
  await listed("attachments:2").toEqual(["2", "3"]);
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
  const moved = await ask("/sessions?text=product:boxed%20is:active&version=7.7.7");
  const address = moved.headers.get("location") ?? "";
  expect(address).toBe("/sessions?product=boxed&version=7.7.7&status=active");
  const page = await (await ask(address)).text();
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

test("suggestions complete tags, exceptions, tests and all else that recent sessions have", async () => {
  const at = Date.now();
  const ops = [
    {
      op: "start",
      at,
      product: "suggested",
      tags: ["lane:fast one", "lane:slow", "my key:1", "plain"],
    },
    { op: "event", at, name: "e", exception_type: "SuggestedError", exception_msg: "m" },
    { op: "state", at, patch: { "a b": { "c.d": "x y" } } },
    { op: "event", at, name: "test", test: { id: ["a.py", "door opens"], result: "passed" } },
    { op: "attachment", at, id: "l.1", name: "shot.png", sha256: "0".repeat(64), size: 5 },
    { op: "end", at: at + 1, signal: "SIGTERM" },
  ];
  const writer = {
    program: "p",
    os: "plan9 mips",
    language: "ada 2022",
    pid: 1,
    hostname: "suggester",
  };
  const batch = { session: "suggested", lane: "l", first: 1, last: ops.length, ops, writer };
  expect((await ask("/api/ingest", post({ batches: [batch] }))).status).toBe(200);
  expect((await ask("/api/reindex", post({ sessions: ["suggested"] }))).status).toBe(200);
  const options = async (text: string) => {
    const html = await (await ask(`/suggest/query?text=${encodeURIComponent(text)}`)).text();
    return [...html.matchAll(/value="([^"]*)"/g)].map(([, value = ""]) =>
      value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
    );
  };
  expect(await options("lich tag.la")).toEqual(["lich tag.lane:"]);
  expect(await options('tag."my')).toEqual(['tag."my key":']);
  expect(await options("tag.lane:")).toEqual(['tag.lane:"fast one"', "tag.lane:slow"]);
  expect(await options('-tag."my key":')).toEqual(['-tag."my key":1']);
  expect(await options('state."a')).toEqual(['state."a b"."c.d":']);
  expect(await options('state."a b"."c.d":')).toEqual(['state."a b"."c.d":"x y"']);
  expect(await options("tag:pl")).toEqual(["tag:plain"]);
  expect(await options("exception:Sugg")).toEqual(["exception:SuggestedError"]);
  expect(await options("test:d")).toEqual(['test:"door opens"']);
  expect(await options("attachment:sh")).toEqual(["attachment:shot.png"]);
  expect(await options("machine:sugg")).toEqual(["machine:suggester"]);
  expect(await options("os:plan")).toEqual(['os:"plan9 mips"']);
  expect(await options("language:ada")).toEqual(['language:"ada 2022"']);
  expect(await options("signal:SIGT")).toEqual(["signal:SIGTERM"]);
  expect(await options("started:t")).toEqual(["started:today"]);
  expect(await options("verdict:S")).toEqual([]);
  // Each is a query that finds the session.
  for (const query of [
    'tag."my key":1',
    'tag.lane:"fast one"',
    'test:"door opens"',
    'os:"plan9 mips"',
  ])
    expect(await rowsOf(`product:suggested ${query}`), query).toMatchObject([{ id: "suggested" }]);
});

/** The largest queries of each kind, and conditions that no session meets, or all do. */
const EXTREMES: { [name: string]: string } = {
  "a list of statuses": `status:${Array(200).fill("crashed").join()}`,
  "a negated list of choices": `-has:${Array(99).fill("event").join()}`,
  "many ranges": `exit_code:${Array(100).fill("1..2").join()}`,
  "many patterns": `event:${Array(100).fill("a*b").join()}`,
  "many ranges of versions": `version:${Array(99).fill(">1").join()}`,
  "as many patterns as there may be": `test:${Array(20).fill("a*b*c").join()}`,
  "a long text": `"${"lorem ipsum dolor ".repeat(100)}"`,
  "many texts": Array.from({ length: 16 }, (_, n) => `"the door ${n} of the hall"`).join(" OR "),
  "texts that no session has, and their contrary": "-zzz (zzz OR -zzz) zzzz",
  "many tests": `test:${Array(99).fill('"merge deep"').join()} -attachment:*.png`,
  "many values of the state": `ever.a:${Array(100).fill("1").join()}`,
  "a path of many indexes": `state.${Array(900).fill("1").join(".")}:5`,
  "many paths of many indexes": Array(15)
    .fill(`-ever.${Array(60).fill("1").join(".")}:5`)
    .join(" "),
  "negations within each other": `${"NOT ".repeat(20)}event:!a*,b`,
  "alternatives within each other": `${"(a OR (b c) OR ".repeat(5)}d${")".repeat(5)}`,
  "many conditions on lists": Array(16).fill("event:!a*b,c*d,e,f").join(" OR "),
  "the largest list of texts": `id:${Array(99).fill("abcdefghijklmnopq").join()}`,
  "a version that there is not": "version:>999",
  "no version": "version:<0,<0",
  "nothing at all": "-status:* -has:* -events:*",
  "no status at all": "-status:*",
  everything: "status:* OR has:* OR events:*",
};

test.each(Object.entries(EXTREMES))("%s is a query that is answered, or refused", async (_, q) => {
  await open(ask, { product: "extreme", version: "1" });
  const asked = `q=${encodeURIComponent(q)}`;
  for (const path of [
    `sessions?${asked}`,
    `sessions?${asked}&product=extreme`,
    `sessions?${asked}&status=failed`,
    `metrics/fps?${asked}&event=door`,
    `distinctions?${asked}`,
  ]) {
    const answer = await ask(`/api/${path}`);
    expect([200, 400], `${path} ${await answer.text()}`).toContain(answer.status);
  }
});

test("a key of one product finds no other one, whatever it asks for", async () => {
  await open(ask, { product: "secret product", version: "7.7" });
  const { key } = await newKey({ label: "bound", kind: "read", product: "extreme" });
  for (const q of ["product:*", "-product:extreme", 'product:"secret product"', "version:>7"]) {
    const init = { headers: { authorization: `Bearer ${key}` } };
    const answer = await deployed(`/api/sessions?q=${encodeURIComponent(q)}`, init);
    expect(await answer.text()).not.toContain("secret product");
    expect(answer.status).toBe(200);
  }
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
    "test:",
    "attachment:",
    "7d",
    "12",
    "a",
    "*",
    "\u0000",
    "\ud800",
    "😀",
    "ﬁ",
    "日本",
    "\n",
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
