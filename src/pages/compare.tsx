/** Two to five sessions side by side: aligned where it matters, metrics upon each other, and of the state only what differs. */
import { Hono } from "hono";
import type { Child } from "hono/jsx";
import type { Chart, SeriesSummary, Summary } from "../core/answers.ts";
import { listSessions } from "../catalog/index.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Json, JsonObject } from "../core/wire.ts";
import type { Env } from "../env.ts";
import {
  COMPARED_METRICS,
  COMPARED_POINTS,
  COMPARED_VALUES,
  GOOD_LOOKED_AT,
  MAX_COMPARED,
} from "./limits.ts";
import { Select } from "./exceptions.tsx";
import { Suggested } from "./filters.tsx";
import { type Recording, recordingOf } from "./session/recording.ts";
import { short } from "./session/event.tsx";
import { sessionId } from "./session/view.ts";
import { address } from "./ui/address.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { digits, many, quantity } from "./ui/quantity.ts";
import { Legend, type Line, LineMark, Plot } from "./ui/plot.tsx";
import { BY_NAME } from "./ui/order.ts";
import { Lamp } from "./ui/status.tsx";
import { duration, Time } from "./ui/time.tsx";
import { text } from "./ui/tree.tsx";

export const compare = new Hono<{ Bindings: Env }>();

/** A session on the comparison, and the moment that is its zero: none if it never had the event. */
type Member = {
  recording: Recording;
  summary: Summary;
  /** Its letter, by which everything of it is found. */
  letter: string;
  name: string;
  index: number;
  zero: number | undefined;
};

const ALIGNMENTS = { start: "At their start", end: "At their end", event: "At an event" };
type Alignment = keyof typeof ALIGNMENTS;

compare.get("/compare", async (c) => {
  const asked = c.req.queries("ids") ?? [];
  const all = [...new Set(asked.flatMap((said) => said.split(/[\s,]+/)).filter(Boolean))];
  const ids = all.slice(0, MAX_COMPARED);
  const isWithGood = c.req.query("with") === "good";
  if (isWithGood && ids.length === 1) {
    const good = await lastGood(c.env, ids[0] ?? "");
    if (good !== undefined) return c.redirect(address("/compare", { ids: [ids[0], good].join() }));
  }
  const align = isAlignment(c.req.query("align")) ?? "start";
  const event = c.req.query("event")?.trim() ?? "";
  const members = (
    await Promise.all(ids.map((id, index) => member(c.env, id, index, align, event)))
  ).filter((each) => each !== undefined);
  const aligned = align === "event" && event !== "" ? event : undefined;
  return c.render(
    <>
      <h1 class="page-title">Compare</h1>
      <Ask ids={ids} align={align} event={event} />
      {all.length > ids.length ? (
        <p class="notice-line">
          {`The first ${ids.length} of ${all.length} are compared: more lines cannot be told apart.`}
        </p>
      ) : null}
      {members.length < 2 ? (
        <section class="panel">
          <Empty
            title={
              isWithGood
                ? "No other session of its product has ended well lately."
                : ids.length < 2
                  ? "Two sessions or more can be compared."
                  : "These sessions are not there."
            }
          >
            <p>
              Tick them in the <a href="/sessions">list of sessions</a>, or give their ids above.
            </p>
          </Empty>
        </section>
      ) : (
        <>
          <Heads members={members} event={aligned} />
          {guarded("the metrics", () => metricsOf(members, aligned))}
          {guarded("the states", () => statesOf(members))}
        </>
      )}
    </>,
    {
      title: members.length < 2 ? "Compare" : `Compare ${members.map(productOf).join(" / ")}`,
      here: "/sessions",
      name: "compare-page",
      scripts: ["plots.js"],
    },
  );
});

/** The newest session of the same version that ended well, or of the same product; without exceptions if there is one. */
async function lastGood(env: Env, id: string): Promise<string | undefined> {
  const { product, version } = await recordingOf(env, sessionId(id)).summary();
  for (const same of [{ product, version }, { product }]) {
    const { items } = await listSessions(env.CATALOG, {
      ...same,
      status: ["ended"],
      limit: GOOD_LOOKED_AT,
    });
    const good = items.filter((row) => row.id !== id && (row.exit_code ?? 0) === 0);
    const best = good.find((row) => row.exceptions === 0) ?? good[0];
    if (best) return best.id;
  }
  return undefined;
}

function isAlignment(word: string | undefined): Alignment | undefined {
  return word !== undefined && Object.hasOwn(ALIGNMENTS, word) ? (word as Alignment) : undefined; // as: just looked up
}

/** A session that is gone does not hinder the others. */
async function member(
  env: Env,
  id: string,
  index: number,
  align: Alignment,
  event: string,
): Promise<Member | undefined> {
  try {
    const recording = recordingOf(env, sessionId(id));
    const summary = await recording.summary();
    const letter = "ABCDE"[index] ?? "";
    const zero = await zeroOf(recording, summary, align, event);
    return { recording, summary, letter, name: `${letter} · ${nameOf(summary)}`, index, zero };
  } catch (thrown) {
    const code = refusalOf(thrown)?.code;
    if (code === "not_found" || code === "gone") return undefined;
    throw thrown;
  }
}

function nameOf({ id, product, version }: Summary): string {
  return [product, version].filter(Boolean).join(" ") || id.slice(0, 8);
}

/** For the page's title. */
function productOf({ summary }: Member): string {
  return nameOf(summary);
}

/** What a session is called on the page: with its start where another is called the same. */
function named({ name, summary }: Member, members: Member[]): Child {
  const isAmbiguous = members.some(
    (other) => other.summary.id !== summary.id && nameOf(other.summary) === nameOf(summary),
  );
  return isAmbiguous ? (
    <>
      {name} <Time at={summary.created_at} show="minute" />
    </>
  ) : (
    name
  );
}

async function zeroOf(
  recording: Recording,
  summary: Summary,
  align: Alignment,
  event: string,
): Promise<number | undefined> {
  if (align === "end") return endOf(summary);
  if (align === "start" || event === "") return summary.created_at;
  const { items } = await recording.events({ name: event, order: "asc", limit: 1 });
  return items[0]?.at;
}

function endOf(summary: Summary): number {
  return summary.ended_at ?? summary.updated_at;
}

function Ask({ ids, align, event }: { ids: string[]; align: Alignment; event: string }) {
  return (
    <form class="search panel" method="get" action="/compare">
      <div class="search-main fields">
        <input
          name="ids"
          value={ids.join(" ")}
          placeholder="Session ids"
          aria-label="Session ids"
          data-search
        />
        <Select name="align" word="Align" now={align} options={ALIGNMENTS} />
        <Suggested word="Event to align at" name="event" value={event} what="events" />
        <button class="button">Compare</button>
      </div>
    </form>
  );
}

function Heads({ members, event }: { members: Member[]; event: string | undefined }) {
  return (
    <div class="scroller panel">
      <table class="plain-table heads">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">What</span>
            </th>
            {members.map(({ name, summary, index }) => (
              <th scope="col">
                <LineMark index={index} />
                <a href={`/sessions/${summary.id}`} title={name}>
                  {name}
                </a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Comparison
            word="Verdict"
            members={members}
            cell={({ summary: { verdict } }) => (
              <span class="status" data-status={verdict.status}>
                <Lamp status={verdict.status} />
                {verdict.headline}
              </span>
            )}
          />
          {event === undefined ? null : (
            <Comparison
              word="Aligned at"
              members={members}
              cell={({ summary, letter, zero }) =>
                zero === undefined ? (
                  <span class="warned">{`${letter} never had “${event}”`}</span>
                ) : (
                  `${event}, ${duration(zero - summary.created_at)} after its start`
                )
              }
            />
          )}
          <Comparison
            word="Started"
            members={members}
            cell={({ summary }) => <Time at={summary.created_at} />}
          />
          <Comparison
            word="Ran for"
            members={members}
            cell={({ summary }) => duration(endOf(summary) - summary.created_at)}
          />
          <Comparison word="Machine" members={members} cell={({ summary }) => summary.hostname} />
          <Comparison
            word="Events"
            members={members}
            cell={({ summary }) => digits(summary.counts.events)}
          />
          <Comparison
            word="Exceptions"
            members={members}
            cell={({ summary }) => digits(summary.counts.exceptions)}
          />
          <Comparison
            word="State changes"
            members={members}
            cell={({ summary }) => digits(summary.counts.states)}
          />
        </tbody>
      </table>
    </div>
  );
}

type LineProps = { word: string; members: Member[]; cell: (member: Member) => unknown };

function Comparison({ word, members, cell }: LineProps) {
  return (
    <tr>
      <th scope="row">{word}</th>
      {members.map((each) => (
        <td>{cell(each)}</td>
      ))}
    </tr>
  );
}

/** A metric's identity across sessions: their ids differ, name, type and tags do not. */
function keyOf({ name, type, tags }: SeriesSummary): string {
  return JSON.stringify([name, type, tags]);
}

async function metricsOf(all: Member[], event: string | undefined) {
  const members = all.filter(isPlaced);
  const missing = all.filter(({ zero }) => zero === undefined).map(({ letter }) => letter);
  if (members.length === 0) return <Empty title={`None of them ever had “${event}”.`} />;
  const known = await Promise.all(members.map(({ recording }) => recording.series()));
  const keys = [...new Set(known.flat().map(keyOf))].toSorted(BY_NAME.compare);
  const shared = keys.filter(
    (key) =>
      members.length === 1 ||
      known.filter((series) => series.some((each) => keyOf(each) === key)).length > 1,
  );
  const shown = new Set(shared.slice(0, COMPARED_METRICS));
  if (shown.size === 0) return <Empty title="They have no metric in common." />;
  const charts = await Promise.all(
    members.map(({ recording }, index) =>
      recording.charts({
        ids: (known[index] ?? []).filter((series) => shown.has(keyOf(series))).map(({ id }) => id),
        points: COMPARED_POINTS,
      }),
    ),
  );
  // One axis for all plots: what happened together stands together, and the crosshair is in all of them.
  const from = Math.min(0, ...members.map(({ summary, zero }) => summary.created_at - zero));
  const to = Math.max(0, ...members.map(({ summary, zero }) => endOf(summary) - zero));
  return (
    <Panel
      id="metrics"
      title="Metrics"
      aside={
        shared.length > shown.size ? (
          <span class="quiet">
            {shown.size} of {shared.length} that they share
          </span>
        ) : null
      }
    >
      <Legend lines={members.map((each) => ({ index: each.index, name: named(each, all) }))} />
      {missing.length === 0 ? null : (
        <p class="panel-note warned">
          {`Without ${missing.join(" and ")}, which never had “${event}”.`}
        </p>
      )}
      <div class="plots">
        {[...shown].map((key) => (
          <Overlay
            members={members}
            charts={charts.map((of) => of.find(({ series }) => keyOf(series) === key))}
            from={from}
            to={to}
          />
        ))}
      </div>
    </Panel>
  );
}

type Placed = Member & { zero: number };

function isPlaced(member: Member): member is Placed {
  return member.zero !== undefined;
}

type OverlayProps = {
  members: Placed[];
  charts: (Chart | undefined)[];
  from: number;
  to: number;
};

function Overlay({ members, charts, from, to }: OverlayProps) {
  const series = charts.find(Boolean)?.series;
  if (!series) return null;
  const lines = members.flatMap(({ letter, index, zero }, at): Line[] => {
    const chart = charts[at];
    return chart ? [{ name: letter, index, ...inkOf(chart, zero) }] : [];
  });
  return (
    <section class="overlay">
      <h3>
        {series.name}{" "}
        {series.tags.map((tag) => (
          <span class="tag">{tag}</span>
        ))}
      </h3>
      <Plot
        lines={lines}
        from={from}
        to={to}
        axis="elapsed"
        marks={4}
        unit={series.unit}
        title={`${series.name} in ${many(lines.length, "session")}`}
      />
      <ul class="overlay-facts">
        {members.map(({ index, letter }, at) => {
          const chart = charts[at];
          return chart ? (
            <li>
              <LineMark index={index} />
              {letter} {factOf(chart.series)}
            </li>
          ) : null;
        })}
      </ul>
    </section>
  );
}

/** The one figure that says most of a series: of a counter how far it came and how quickly, of everything else the mean. */
function factOf({ type, unit, mean, last, rate }: SeriesSummary): string {
  const rounded = (value: number) => quantity(Number(value.toPrecision(4)), unit);
  if (type !== "counter") return `mean ${rounded(mean)}`;
  return `total ${quantity(last, unit)}${rate === undefined ? "" : `, ${rounded(rate)}/s`}`;
}

/** As few points as fit are all there; of more, each bucket's mean, and around it how far its values went. */
function inkOf(chart: Chart, zero: number): Pick<Line, "points" | "band"> {
  if (chart.points) return { points: chart.points.map(([at, value]) => [at - zero, value]) };
  const buckets = chart.buckets ?? [];
  const middle = ({ from, to }: { from: number; to: number }) => (from + to) / 2 - zero;
  if (chart.series.type === "counter")
    return { points: buckets.map((bucket) => [bucket.to - zero, bucket.last]) };
  return {
    points: buckets.map((bucket) => [middle(bucket), bucket.mean]),
    band: buckets.map((bucket) => [middle(bucket), bucket.min, bucket.max]),
  };
}

async function statesOf(members: Member[]) {
  const states = await Promise.all(
    members.map(async ({ recording }) => flat((await recording.state()).state)),
  );
  const paths = [...new Set(states.flatMap((state) => [...state.keys()]))].toSorted(
    BY_NAME.compare,
  );
  const different = paths.filter(
    (path) => new Set(states.map((state) => state.get(path))).size > 1,
  );
  return (
    <Panel
      id="states"
      title="Last states, where they differ"
      aside={
        <span class="quiet">
          {many(different.length, "value")} of {digits(paths.length)}
        </span>
      }
    >
      {different.length === 0 ? (
        <Empty title="Their last states are the same." />
      ) : (
        <div class="scroller" tabindex={0} role="group" aria-label="Differences">
          <table class="plain-table differences">
            <thead>
              <tr>
                <th scope="col">Path</th>
                {members.map((each) => (
                  <th scope="col">
                    <LineMark index={each.index} />
                    {named(each, members)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {different.slice(0, COMPARED_VALUES).map((path) => (
                <tr>
                  <th scope="row">
                    <code>{path}</code>
                  </th>
                  {states.map((state) => {
                    const value = state.get(path);
                    return (
                      <td>
                        {value === undefined ? (
                          <span class="quiet">–</span>
                        ) : (
                          <code>{short(value)}</code>
                        )}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

/** Every leaf by its path, as text. */
function flat(state: JsonObject): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: Json, path: string[]) => {
    const isBranch = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isBranch && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    } else if (path.length > 0) {
      leaves.set(path.join("."), text(value));
    }
  };
  walk(state, []);
  return leaves;
}
