/** Every kind of text, in every recorded field, on every page and in every answer. */
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import { MAX_NAME_LENGTH } from "../../src/core/limits.ts";
import { asking, nameAsked, segmentOf } from "../../src/core/text/names.ts";
import type { SeriesSummary } from "../../src/core/answers/metrics.ts";
import { testKey } from "../../src/core/tests/id.ts";
import { sessionOf } from "../../src/session/client.ts";
import { server } from "../api/server.ts";
import { sessionWith, START } from "./hostile-session.ts";
import { SPICE } from "./world.ts";

const ask = server();

const CORPUS: Record<string, string> = {
  "a dot": ".",
  "two dots": "..",
  nothing: "",
  commas: "a,b,,c",
  "a key with dots": "a.b..c.",
  blanks: "   ",
  "blanks around": "\t a \u3000",
  "an SGR sequence": "\u001B[1;31mred\u001B[0m",
  "only an SGR sequence": "\u001B[31m",
  "a cursor movement": "\u001B[2J\u001B[10;10Hhere\u009B2K",
  "a title without an end": "\u001B]0;title",
  "a hyperlink": "\u001B]8;;javascript:alert(1)\u0007link\u001B]8;;\u0007",
  "C1 characters": "\u0085\u0090\u009B31mred\u009D0;t\u009C",
  "control characters": "\u0000\u0001\u0008\u000B\u001F\u007F",
  "line breaks": "a\r\nb\nc\u2028d",
  "right to left": "مرحبا بالعالم",
  "an override of direction": "\u202Egnp.exe\u2066",
  "combining characters": `e${"\u0301".repeat(60)}`,
  emoji: "\u{1F469}\u200D\u{1F469}\u200D\u{1F467} \u{1F1E9}\u{1F1EA}",
  "characters without width": "\u200B\uFEFF\u2060",
  "surrogates without their pairs": "a\uD800b\uDC00",
  "a path": "/a//b/../c/",
  "a query and a fragment": "a?b=c&d#e",
  percents: "100% %41 %zz %FF",
  quotes: `"a" 'b' \`c\``,
  "a JSON string": '"a"',
  "the value for no name": "(none)",
  markup: SPICE,
  entities: "&lt;b&gt; &#x0; </title></script><!--",
  "a template": "{{x}} ${x} {x}",
  "names of members": "__proto__",
  "the longest name": "\u{1F600}".repeat(MAX_NAME_LENGTH / 2),
  "a formula": "=1+1;@SUM(A1)",
};

async function record(id: string, text: string): Promise<void> {
  const answer = await ask("/api/ingest", {
    method: "POST",
    body: JSON.stringify({ batches: [sessionWith(id, text)] }),
  });
  const { results } = await answer.json<{ results: { error?: unknown }[] }>();
  expect(results[0]?.error).toBeUndefined();
  await sessionOf(env, SERVER, id).publish();
}

const FILTERS = ["product", "version", "machine", "hostname", "tag", "event", "metric"];

/** The addresses of pages and their parts, of answers, and of files, for a session with this text. */
function addressesOf(id: string, text: string): string[] {
  const at = `/sessions/${id}`;
  const api = `/api/sessions/${id}`;
  const name = encodeURIComponent(asking(text));
  const raw = encodeURIComponent(text);
  const path = encodeURIComponent(JSON.stringify([text, text]));
  const tags = encodeURIComponent(JSON.stringify([text]));
  return [
    at,
    `${at}?t=${START + 3_500}&path=${path}&q=${raw}&text=${raw}&name=${name}&category=${name}&group=${name}&label=${name}&metric=${raw}`,
    ...["verdict", "timeline", "moment", "exceptions", "exceptions/more", "events", "output"].map(
      (part) => `${at}/${part}?path=${path}&name=${name}`,
    ),
    ...["output/lines", "metrics", "state.json", "delete"].map(
      (part) => `${at}/${part}?metric=${raw}`,
    ),
    ...["attachments", "stacks", "changes"].map((part) => `${at}/${part}`),
    `${at}/attachments/lane.1`,
    `${api}/attachments`,
    `${api}/attachments/lane.1`,
    `${api}/stacks`,
    ...["tests/panel", "tests", "tests/suites"].map(
      (part) => `${at}/${part}?text=${raw}&suite=${tags}`,
    ),
    ...[[text, "a", text], [text, "b", text], [text]].flatMap((test) =>
      ["", "/account"].map((part) => `${at}/tests/${testKey(test)}${part}`),
    ),
    `${api}/tests?text=${raw}`,
    `${api}/tests/${testKey([text, "a", text])}`,
    ...["", "/api"].flatMap((tree) => [
      `${tree}/tests?product=${name}&branch=${name}`,
      `${tree}/tests/${testKey([text, "a", text])}?product=${name}`,
    ]),
    ...["history", "branch"].map((part) => `${at}/${part}?path=${path}`),
    ...["figures", "charts", "values"].map((part) => `${at}/${part}?ids=0,1,2,3`),
    `/sessions?${FILTERS.map((filter) => `${filter}=${name}`).join("&")}&text=${raw}&path=${raw}&value=${raw}`,
    `/metrics?metric=${name}`,
    // Groups and quantiles together. Without groups a page has no other text than by version.
    ...["session", "machine", "product"].map(
      (by) => `/metrics?metric=${name}&by=${by}&product=${name}&aggregate=p99`,
    ),
    `/metrics.csv?metric=${name}`,
    `/metrics?product=${name}`,
    `/exceptions?product=${name}&text=${raw}`,
    `/compare?ids=${id}&ids=other&event=${name}&align=event`,
    `/compare?ids=${id}&with=good`,
    ...["state-paths", "state-values", "events", "metrics"].map(
      (what) => `/suggest/${what}?path=${raw}&value=${raw}&event=${raw}&metric=${raw}`,
    ),
    ...[
      "summary",
      "state",
      "state/history",
      "state/diff",
      "events",
      "events/counts",
      "metrics",
      "timeline",
      "export",
    ].map((part) => `${api}/${part}?path=${path}&text=${raw}&name=${name}`),
    `${api}/metrics/${segmentOf(text)}?tags=${tags}`,
    `/api/metrics/${segmentOf(text)}?tags=${tags}`,
    `/api/metrics/${segmentOf(text)}/sessions?format=csv`,
    `/api/metrics?prefix=${raw}`,
    `/api/events?prefix=${raw}`,
    `/api/exceptions?product=${name}&text=${raw}`,
    `/api/sessions/${id}`,
  ];
}

// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const ACTS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

/** What is wrong with the page's markup: code or styles that are not ours, control characters, links without a label. */
async function faultsOf(html: string): Promise<string[]> {
  const faults: string[] = [];
  let label = "";
  const rewriter = new HTMLRewriter()
    .on("*", {
      element({ tagName, attributes }) {
        let source = "";
        for (const [name = "", value = ""] of attributes) {
          if (name === "src") source = value;
          if (/^(on|hx-on|data-hx-on)|^(style|srcdoc)$/.test(name))
            faults.push(`${tagName} ${name}`);
          if (/^\s*(javascript|data):/i.test(value)) faults.push(`${tagName} ${name}=${value}`);
          if (ACTS.test(value) && ["title", "aria-label", "alt", "placeholder"].includes(name))
            faults.push(`${tagName} ${name}: ${JSON.stringify(value)}`);
        }
        if (tagName === "script" && !/^\/[\w./-]+$/.test(source)) faults.push("script");
        if (["style", "iframe", "object", "embed", "base"].includes(tagName)) faults.push(tagName);
      },
    })
    .on("a", {
      element(link) {
        label = link.getAttribute("aria-label") ?? "";
        link.onEndTag(() => {
          if (!/[^\p{Z}\p{C}]/u.test(label))
            faults.push(`a link without a label: ${link.getAttribute("href")}`);
        });
      },
      text({ text }) {
        label += text;
      },
    });
  await rewriter.transform(new Response(html)).text();
  // One pass over all text costs less than a call for each part of it.
  const shown = html.replaceAll(/<[^>]*>/g, "");
  if (ACTS.test(shown)) faults.push(JSON.stringify(ACTS.exec(shown)));
  return faults;
}

/** The links to pages of this server, without those that change something. */
function linksIn(html: string): string[] {
  const found = [...html.matchAll(/<a [^>]*?href="(\/[^"]*)"/g)].map(([, href = ""]) =>
    href.replaceAll("&amp;", "&").replaceAll("&#39;", "'").replaceAll("&quot;", '"'),
  );
  return [...new Set(found.map((href) => href.split("#")[0] ?? ""))];
}

async function visit(path: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask(path, { redirect: "manual", headers });
  // text() warns of an export in vitest's log, which is slow.
  const body = new TextDecoder().decode(await answer.arrayBuffer());
  expect(answer.status, `${path}\n${body.slice(0, 300)}`).toBeLessThan(500);
  if (answer.headers.get("content-type")?.startsWith("text/html"))
    expect(await faultsOf(body), path).toEqual([]);
  return body;
}

async function statusOf(path: string): Promise<number> {
  return (await ask(path, { redirect: "manual" })).status;
}

beforeAll(() => record("other", "other"));

describe.each(Object.entries(CORPUS))("%s", (kind, text) => {
  const id = kind.replaceAll(" ", "-");
  const stored = text.replaceAll(/[\uD800-\uDFFF]/gu, "\uFFFD");
  beforeAll(() => record(id, text));

  test("breaks no page and no answer", async () => {
    for (const path of addressesOf(id, stored)) await visit(path);
  });

  test("is found by each filter that has a name, and by its links", async () => {
    const name = encodeURIComponent(asking(stored));
    const query = FILTERS.map((filter) => `${filter}=${name}`).join("&");
    for (const list of [`/sessions?${query}`, `/api/sessions?${query}`])
      expect(await visit(list), list).toContain(id);
    const chart = await ask(
      `/api/sessions/${id}/metrics/${segmentOf(stored)}?tags=${encodeURIComponent(JSON.stringify([stored]))}`,
    );
    const charts = await chart.json<{ series: SeriesSummary }[]>();
    expect(new Set(charts.map(({ series }) => series.name))).toEqual(new Set([stored]));
    const across = await ask(`/api/metrics/${segmentOf(stored)}`);
    expect(await across.json()).toMatchObject({ name: stored, sessions: 1 });

    const links = linksIn(await visit(`/sessions/${id}`)).filter((link) =>
      [...new URL(link, "http://a.example").searchParams.values()].includes(asking(stored)),
    );
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(await statusOf(link), link).toBe(200);
  });
});

test("text at random breaks no page and no answer", async () => {
  const texts = fc.sample(fc.string({ unit: "binary", maxLength: 60 }), { numRuns: 3, seed: 1 });
  for (const [index, text] of texts.entries()) {
    await record(`random-${index}`, text);
    for (const path of addressesOf(`random-${index}`, text)) await visit(path);
  }
});

test("all of it together breaks no list, and each name has a link in it that works", async () => {
  for (const path of ["/api/products", "/api/data/sessions", "/api/exceptions", "/settings"])
    await visit(path);
  const links = new Set<string>();
  for (const path of ["/", "/sessions", "/metrics", "/exceptions?status=all"]) {
    const found = linksIn(await visit(path));
    expect(found.length).toBeGreaterThan(20);
    // Those to sessions were visited by each kind of text.
    for (const link of found) if (!link.startsWith("/sessions/")) links.add(link);
  }
  for (const link of links) expect(await statusOf(link), link).toBe(200);
  const offered = linksIn(await visit("/metrics")).map(
    (link) => new URL(link, "http://a.example").searchParams.get("metric") ?? "",
  );
  const stored = Object.values(CORPUS).map((text) =>
    text.replaceAll(/[\uD800-\uDFFF]/gu, "\uFFFD"),
  );
  expect(offered.map(nameAsked)).toEqual(expect.arrayContaining(stored));
});

test("parts of the lists are as plain as the lists", async () => {
  const name = encodeURIComponent(asking("\u001B[1mred\u009B31m\u202E"));
  const fragment = { "hx-request": "true" };
  for (const path of [
    `/sessions?product=${name}`,
    `/exceptions?product=${name}`,
    `/metrics?metric=${name}`,
  ])
    await visit(path, fragment);
});

test("no spelling of an address breaks a page or an answer", async () => {
  const odd = [
    "%22%5Cud800%22",
    "%FF",
    "%ED%A0%80",
    "%00",
    "%22",
    "%5B",
    "%",
    "%2e%2e",
    "%252e",
    "(none)",
    "%E2%80%AE",
  ];
  for (const each of odd) {
    for (const path of [
      `/metrics?metric=${each}`,
      `/sessions?product=${each}&path=${each}&tag=${each}&cursor=${each}`,
      `/exceptions/${each}`,
      `/sessions/${each}`,
      `/sessions/other/history?path=${each}`,
      `/sessions/other?t=${each}&from=${each}&path=${each}&q=${each}`,
      `/compare?ids=${each},other&event=${each}`,
      `/session/${each}`,
      `/suggest/${each}?metric=${each}`,
      `/docs/${each}`,
      `/login?back=${each}`,
      `/api/metrics/${each}`,
      `/api/sessions/other/metrics/${each}?tags=${each}`,
      `/api/exceptions/${each}`,
      `/api/sessions?state_path=${each}&cursor=${each}`,
    ])
      await visit(path);
  }
});
