/**
 * Counts per version and day, and per exception group, exact without reading the sessions: each change adds the difference between what a session
 * added before and what it adds now. Without a difference no row is written.
 */
import { DAY_MS } from "../../core/limits.ts";
import { fold } from "../../core/text/fold.ts";
import { detailKey, type ExceptionCount, type GroupDays } from "../tables/details.ts";
import { MAX_GROUP_DAYS, MAX_GROUP_ENTRIES, WIDE_GROUP_LENGTH } from "../limits.ts";

/** What of a session is counted. */
export type Counted = {
  id: string;
  created_at: number;
  product: string;
  version: string;
  status: string;
  failed: boolean;
  ever_hung: boolean;
  bytes: number;
  tests: number;
  failed_tests: number;
  exceptions: ExceptionCount[];
};

/** `n`: 1 of what a session adds now, -1 of what it added before. `place`: of the session, for whom the rows are counted. */
export type Change = { n: 1 | -1; place: number; counted: Counted };

/** What is counted of the sessions of a version. */
export const SUMS = [
  "sessions",
  "active",
  "suspended",
  "hung",
  "crashed",
  "ended",
  "failed",
  "ever_hung",
  "bytes",
  "test_runs",
  "failed_runs",
] as const;

type DayCounts = { [sum in (typeof SUMS)[number]]: number } & {
  product: string;
  version: string;
  day: number;
  first_at: number;
  last_at: number;
  /** The sessions whose changes they are. */
  places: number[];
};

/** The differences to version_days that are not 0. */
export function dayCounts(changes: Change[]): DayCounts[] {
  const all = new Map<string, DayCounts>();
  for (const { n, place, counted } of changes) {
    const { product, version, created_at: at } = counted;
    const day = Math.floor(at / DAY_MS);
    const counts = entry(all, JSON.stringify([product, version, day]), () => ({
      ...NO_SUMS,
      product,
      version,
      day,
      first_at: at,
      last_at: at,
      places: [],
    }));
    for (const [sum, by] of Object.entries(sumsOf(counted)))
      counts[sum as keyof typeof NO_SUMS] += n * by; // as: sumsOf has no other keys
    counts.first_at = Math.min(counts.first_at, at);
    counts.last_at = Math.max(counts.last_at, at);
    if (!counts.places.includes(place)) counts.places.push(place);
  }
  return [...all.values()].filter((counts) => SUMS.some((sum) => counts[sum] !== 0));
}

const NO_SUMS = Object.fromEntries(SUMS.map((sum) => [sum, 0])) as {
  [sum in (typeof SUMS)[number]]: number;
}; // as: an entry of each

/**
 * Bytes are added when a session is over: while it grows, each publication would write a row. A test run may also have failed
 * before any test ran.
 */
function sumsOf(counted: Counted): typeof NO_SUMS {
  const { status, failed, ever_hung, bytes, tests, failed_tests } = counted;
  const isOver = status === "ended" || status === "crashed";
  const isRun = isOver && (tests > 0 || failed_tests > 0);
  return {
    sessions: 1,
    active: Number(status === "active"),
    suspended: Number(status === "suspended"),
    hung: Number(status === "hung"),
    crashed: Number(status === "crashed"),
    ended: Number(status === "ended"),
    failed: Number(failed),
    ever_hung: Number(ever_hung),
    bytes: isOver ? bytes : 0,
    test_runs: Number(isRun),
    failed_runs: Number(isRun && (failed || status === "crashed")),
  };
}

const DAY_COLUMNS = ["product", "version", "day", "first_at", "last_at", ...SUMS];
/** ?1: a JSON list of DayCounts. */
export const ADD_DAY_COUNTS = `
  INSERT INTO version_days (${DAY_COLUMNS.join()})
  SELECT ${DAY_COLUMNS.map((column) => `new.value ->> '${column}'`).join()} FROM json_each(?1) AS new WHERE true
  ON CONFLICT (product, version, day) DO UPDATE SET
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
    ${SUMS.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join()}`;

/** A group's difference, and its example: the session that had it last. */
type GroupCounts = {
  product: string;
  fingerprint: string;
  type: string;
  message: string;
  place: string;
  search: string;
  sessions: number;
  count: number;
  unhandled: number;
  first_at: number;
  last_at: number;
  session_id: string;
  session_at: number;
  session_seq: number;
  /** Whether it has an example at all. */
  is_added: boolean;
  days: GroupDays;
  places: number[];
};

/** The differences to exception_groups that are not 0. */
export function groupCounts(changes: Change[]): GroupCounts[] {
  const all = new Map<string, GroupCounts>();
  for (const { n, place, counted } of changes) {
    const { product, version } = counted;
    for (const failure of counted.exceptions) {
      const { fingerprint } = failure;
      const group = entry(all, JSON.stringify([product, fingerprint]), () => ({
        ...exampleOf(counted, failure),
        product,
        fingerprint,
        sessions: 0,
        count: 0,
        unhandled: 0,
        first_at: failure.first_at,
        last_at: failure.last_at,
        is_added: false,
        days: {},
        places: [],
      }));
      if (n === 1 && (!group.is_added || failure.last_at >= group.last_at))
        Object.assign(group, exampleOf(counted, failure), { is_added: true });
      group.sessions += n;
      group.count += n * failure.count;
      group.unhandled += n * failure.unhandled;
      group.first_at = Math.min(group.first_at, failure.first_at);
      group.last_at = Math.max(group.last_at, failure.last_at);
      const versions = (group.days[Math.floor(failure.first_at / DAY_MS)] ??= {});
      const day = (versions[detailKey(version)] ??= [version, 0, 0]);
      day[1] += n;
      day[2] += n * failure.count;
      if (!group.places.includes(place)) group.places.push(place);
    }
  }
  return [...all.values()].filter(isChanged);
}

function isChanged({ sessions, count, unhandled, days }: GroupCounts): boolean {
  const inDays = Object.values(days).flatMap((versions) => Object.values(versions));
  return (
    [sessions, count, unhandled].some((sum) => sum !== 0) ||
    inDays.some(([, ...sums]) => sums.some((sum) => sum !== 0))
  );
}

/** What a group shows of a session that had it. */
export function exampleOf(
  { id }: Pick<Counted, "id">,
  { type, message, place, fingerprint, first_at, first_seq }: ExceptionCount,
) {
  return {
    type,
    message,
    place,
    search: searchOf({ type, message, place, fingerprint }),
    session_id: id,
    session_at: first_at,
    session_seq: first_seq,
  };
}

/** What a search for groups looks through. */
function searchOf({
  type,
  message,
  place,
  fingerprint,
}: Pick<ExceptionCount, "type" | "message" | "place" | "fingerprint">): string {
  return fold(`${type} ${message} ${place} ${fingerprint}`);
}

const EXAMPLE = [
  "type",
  "message",
  "place",
  "search",
  "session_id",
  "session_at",
  "session_seq",
] as const;
const GROUP_COLUMNS = [
  "product",
  "fingerprint",
  ...EXAMPLE,
  "sessions",
  "count",
  "unhandled",
  "first_at",
  "last_at",
];
/** The days of both, of which too many are left out, the oldest first. */
const MERGED_DAYS = `(
  SELECT json_group_object(day, json(versions)) FROM (
    SELECT day, json_group_object(version_key, json_array(version, sessions, count)) AS versions FROM (
      SELECT CAST(d.key AS INTEGER) AS day, v.key AS version_key, v.value ->> 0 AS version, sum(v.value ->> 1) AS sessions, sum(v.value ->> 2) AS count
      FROM (SELECT exception_groups.days AS list UNION ALL SELECT excluded.days) AS lists
      CROSS JOIN json_each(lists.list) AS d CROSS JOIN json_each(d.value) AS v
      WHERE length(exception_groups.days) <= ${WIDE_GROUP_LENGTH} OR CAST(d.key AS INTEGER) > excluded.last_at / ${DAY_MS} - ${MAX_GROUP_DAYS}
      GROUP BY day, version_key HAVING sum(v.value ->> 1) > 0 ORDER BY day DESC LIMIT ${MAX_GROUP_ENTRIES})
    GROUP BY day))`;
const newest = (column: string) =>
  `${column} = iif(excluded.session_id <> '' AND excluded.last_at >= last_at, excluded.${column}, ${column})`;
/** ?1: a JSON list of GroupCounts, whose `session_id` is "" without an example. */
export const ADD_GROUP_COUNTS = `
  INSERT INTO exception_groups (${GROUP_COLUMNS.join()}, days)
  SELECT ${GROUP_COLUMNS.map((column) => `new.value ->> '${column}'`).join()}, new.value -> 'days' FROM json_each(?1) AS new WHERE true
  ON CONFLICT (product, fingerprint) DO UPDATE SET
    sessions = sessions + excluded.sessions, count = count + excluded.count, unhandled = unhandled + excluded.unhandled,
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
    ${EXAMPLE.map(newest).join()}, days = ${MERGED_DAYS}`;

function entry<Value>(map: Map<string, Value>, key: string, made: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = made();
  map.set(key, value);
  return value;
}
