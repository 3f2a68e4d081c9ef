/** Metrics across sessions: grouped by anything, over time or against each other, as lines, points, bars and tables. */
import { Hono } from "hono";
import type { AccessEnv } from "../access/access.ts";
import { versions } from "../catalog/products.ts";
import type { SessionFilter } from "../catalog/search/filter.ts";
import { Refusal } from "../core/refusal.ts";
import { fragment, isFragment, parametersBefore } from "./fragment.tsx";
import { Answer } from "./metrics/answer.tsx";
import { metricsJson, statisticsCsv } from "./metrics/download.ts";
import { findMetrics } from "./metrics/found.ts";
import {
  type Question,
  questionQuery,
  readQuestion,
  readTypedQuestion,
  titleOf,
} from "./metrics/question.ts";
import { Chosen, PLACEHOLDER, Search, Shown, StatusSelect } from "./metrics/search.tsx";
import { SharedParts } from "./search-fields.tsx";
import { isMoved, passing } from "./search.ts";
import { address } from "./ui/address.ts";
import { NotUnderstood, readBox } from "./ui/search-form.tsx";
import { Views } from "./views.tsx";

export const metrics = new Hono<AccessEnv>();

metrics.get("/metrics", async (c) => {
  const query = new URL(c.req.url).searchParams;
  const before = isFragment(c) ? parametersBefore(c) : undefined;
  const { question, changed } = before
    ? readTypedQuestion(query, before, Date.now())
    : { question: readQuestion(query, Date.now()), changed: new Set<never>() };
  if (!isFragment(c) && isMoved(query, question.search))
    return c.redirect(address("/metrics", questionQuery(question)));
  const db = c.env.CATALOG;
  const title = titleOf(question);
  const filter = readBox(() => filterOf(question));
  const found =
    question.names.length === 0 || filter instanceof Refusal
      ? undefined
      : findMetrics(c.env, c.var.access, question, filter);
  // If the catalog fails, the panel shows it.
  const asked = await found?.catch(() => undefined);
  const types = { y: asked?.metrics[0]?.type ?? "gauge", x: asked?.x?.type ?? "gauge" };
  const known = await versions(db);
  const path = address("/metrics", questionQuery(question));
  const answer =
    filter instanceof Refusal ? (
      <div id="answer" class="answer">
        <section class="panel" aria-label="Answer">
          <NotUnderstood query={question.search.query} refusal={filter} />
        </section>
      </div>
    ) : (
      <Answer db={db} question={question} filter={filter} found={found} />
    );
  if (isFragment(c)) {
    return fragment(
      c,
      { path, title },
      <>
        {answer}
        <SharedParts
          search={question.search}
          changed={changed}
          known={known}
          placeholder={PLACEHOLDER}
          status={<StatusSelect search={question.search} />}
        />
        <hx-partial hx-target="#shown" hx-swap="outerHTML">
          <Shown question={question} types={types} />
        </hx-partial>
        <hx-partial hx-target="#chosen" hx-swap="outerHTML">
          <Chosen question={question} />
        </hx-partial>
        <hx-partial hx-target="#views" hx-swap="outerHTML">
          <Views db={c.env.REGISTRY} page="/metrics" query={path.replace(/^[^?]*\??/, "")} />
        </hx-partial>
      </>,
    );
  }
  return c.render(
    <>
      <h1 class="page-title">Metrics across sessions</h1>
      <Views db={c.env.REGISTRY} page="/metrics" query={path.replace(/^[^?]*\??/, "")} />
      <Search question={question} known={known} types={types} />
      {answer}
    </>,
    {
      title,
      here: "/metrics",
      name: "list-page",
      styles: ["sessions", "plots"],
      scripts: ["plots.js"],
    },
  );
});

metrics.get("/metrics.csv", async (c) => {
  const question = readQuestion(new URL(c.req.url).searchParams, Date.now());
  const found = await findMetrics(c.env, c.var.access, question, filterOf(question));
  return c.body(statisticsCsv(found, question), 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="metrics.csv"',
  });
});

metrics.get("/metrics.json", async (c) => {
  const question = readQuestion(new URL(c.req.url).searchParams, Date.now());
  const found = await findMetrics(c.env, c.var.access, question, filterOf(question));
  return c.json(metricsJson(found, question));
});

/** Throws a Refusal (invalid_query). */
function filterOf({ search }: Question): SessionFilter {
  return passing(search, Date.now());
}
