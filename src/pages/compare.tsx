/** Two to five sessions side by side: aligned where it matters, metrics upon each other, and of the state only what differs. */
import { Hono } from "hono";
import type { Chart, SeriesSummary, Summary } from "../core/answers.ts";
import { refusalOf } from "../core/refusal.ts";
import type { Json, JsonObject } from "../core/wire.ts";
import type { Env } from "../env.ts";
import { COMPARED_METRICS, COMPARED_POINTS, COMPARED_VALUES, MAX_COMPARED } from "./limits.ts";
import { Select } from "./exceptions.tsx";
import { type Recording, recordingOf } from "./session/recording.ts";
import { short } from "./session/event.tsx";
import { sessionId } from "./session/view.ts";
import { Empty } from "./ui/empty.tsx";
import { guarded, Panel } from "./ui/panel.tsx";
import { digits, many, quantity } from "./ui/quantity.ts";
import { Legend, type Line, Plot } from "./ui/plot.tsx";
import { StatusBadge } from "./ui/status.tsx";
import { duration, Time } from "./ui/time.tsx";
import { text } from "./ui/tree.tsx";

export const compare = new Hono<{ Bindings: Env }>();

/** A session on the comparison, and the moment that is its zero. */
type Member = { recording: Recording; summary: Summary; name: string; zero: number };

const ALIGNMENTS = { start: "At their start", end: "At their end", event: "At an event" };
type Alignment = keyof typeof ALIGNMENTS;

compare.get("/compare", async (c) => {
  const asked = c.req.queries("ids") ?? [];
  const ids = [...new Set(asked.flatMap((said) => said.split(/[\s,]+/)).filter(Boolean))].slice(
    0,
    MAX_COMPARED,
  );
  const align = isAlignment(c.req.query("align")) ?? "start";
  const event = c.req.query("event")?.trim() ?? "";
  const members = (
    await Promise.all(ids.map((id, index) => member(c.env, id, index, align, event)))
  ).filter((each) => each !== undefined);
  return c.render(
    <>
      <h1 class="page-title">Compare</h1>
      <Ask ids={ids} align={align} event={event} />
      {members.length < 2 ? (
        <section class="panel">
          <Empty
            title={
              ids.length < 2
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
          <Heads members={members} />
          {guarded("the metrics", () => metricsOf(members))}
          {guarded("the states", () => statesOf(members))}
        </>
      )}
    </>,
    {
      title: `Compare ${many(members.length, "session")}`,
      here: "/sessions",
      name: "compare-page",
    },
  );
});

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
    const name = `${"ABCDE"[index]} · ${[summary.product, summary.version].filter(Boolean).join(" ") || id.slice(0, 8)}`;
    return { recording, summary, name, zero: await zeroOf(recording, summary, align, event) };
  } catch (thrown) {
    const code = refusalOf(thrown)?.code;
    if (code === "not_found" || code === "gone") return undefined;
    throw thrown;
  }
}

async function zeroOf(
  recording: Recording,
  summary: Summary,
  align: Alignment,
  event: string,
): Promise<number> {
  if (align === "end") return endOf(summary);
  if (align === "start" || event === "") return summary.created_at;
  const { items } = await recording.events({ name: event, order: "asc", limit: 1 });
  return items[0]?.at ?? summary.created_at;
}

function endOf(summary: Summary): number {
  return summary.ended_at ?? summary.updated_at;
}

function Ask({ ids, align, event }: { ids: string[]; align: Alignment; event: string }) {
  return (
    <form class="search panel" method="get" action="/compare">
      <div class="search-main">
        <input
          name="ids"
          value={ids.join(" ")}
          placeholder="Session ids"
          aria-label="Session ids"
          data-search
        />
        <Select name="align" word="Align" now={align} options={ALIGNMENTS} />
        <input
          name="event"
          value={event}
          placeholder="Name of the event"
          aria-label="Event to align at"
        />
        <button class="button">Compare</button>
      </div>
    </form>
  );
}

function Heads({ members }: { members: Member[] }) {
  return (
    <div class="scroller panel">
      <table class="plain-table heads">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">What</span>
            </th>
            {members.map(({ name, summary }, index) => (
              <th scope="col">
                <svg class="legend-mark" viewBox="0 0 24 4" aria-hidden="true">
                  <path class="plot-line" data-line={index} d="M0 2h24" />
                </svg>
                <a href={`/sessions/${summary.id}`}>{name}</a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Comparison
            word="Verdict"
            members={members}
            cell={({ summary }) => (
              <>
                <StatusBadge status={summary.verdict.status} />
                <br />
                {summary.verdict.headline}
              </>
            )}
          />
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

async function metricsOf(members: Member[]) {
  const all = await Promise.all(members.map(({ recording }) => recording.series()));
  const keys = [...new Set(all.flat().map(keyOf))].toSorted();
  const shared = keys.filter(
    (key) => all.filter((series) => series.some((each) => keyOf(each) === key)).length > 1,
  );
  const shown = new Set(shared.slice(0, COMPARED_METRICS));
  if (shown.size === 0) return <Empty title="They have no metric in common." />;
  const charts = await Promise.all(
    members.map(({ recording }, index) =>
      recording.charts({
        ids: (all[index] ?? []).filter((series) => shown.has(keyOf(series))).map(({ id }) => id),
        points: COMPARED_POINTS,
      }),
    ),
  );
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
      <Legend names={members.map(({ name }) => name)} />
      <div class="plots">
        {[...shown].map((key) => (
          <Overlay
            members={members}
            charts={charts.map((of) => of.find(({ series }) => keyOf(series) === key))}
          />
        ))}
      </div>
    </Panel>
  );
}

function Overlay({ members, charts }: { members: Member[]; charts: (Chart | undefined)[] }) {
  const series = charts.find(Boolean)?.series;
  if (!series) return null;
  const lines: Line[] = members.map(({ name, zero }, index) => ({
    name,
    points: pointsOf(charts[index]).map(([at, value]) => [at - zero, value]),
  }));
  const times = lines.flatMap(({ points }) => points.map(([at]) => at));
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
        from={Math.min(...times)}
        to={Math.max(...times)}
        unit={series.unit}
        tick={(at) => duration(Math.round(at))}
        title={`${series.name} in ${members.length} sessions`}
      />
      <p class="overlay-means">
        {charts.map((chart, index) =>
          chart ? (
            <span data-line={index}>
              mean {quantity(Number(chart.series.mean.toPrecision(4)), series.unit)}
            </span>
          ) : null,
        )}
      </p>
    </section>
  );
}

function pointsOf(chart: Chart | undefined): [number, number][] {
  if (!chart) return [];
  if (chart.points) return chart.points.map(([at, value]) => [at, value]);
  const isTotal = chart.series.type === "counter";
  return (chart.buckets ?? []).map(({ from, to, mean, last }) => [
    (from + to) / 2,
    isTotal ? last : mean,
  ]);
}

async function statesOf(members: Member[]) {
  const states = await Promise.all(
    members.map(async ({ recording }) => flat((await recording.state()).state)),
  );
  const paths = [...new Set(states.flatMap((state) => [...state.keys()]))].toSorted();
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
                {members.map(({ name }) => (
                  <th scope="col">{name}</th>
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
