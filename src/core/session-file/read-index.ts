/** The index of a session from a file: its shape and the limits of its lists, and its redaction, as if senders had filled it. */
import { MAX_REFUSED_ATTACHMENTS, MAX_SERIES_BYTES, MAX_STATE_VALUES } from "../limits.ts";
import type { AttachmentLimits } from "../attachments/attachments.ts";
import { keyOf, type Series } from "../metrics/series.ts";
import { parse } from "../parse.ts";
import { Refusal } from "../refusal.ts";
import { redactArguments } from "../secrets/arguments.ts";
import type { Redactor } from "../secrets/redact.ts";
import { lengthOf, ROOM } from "../session/searched.ts";
import type { RecordedTexts, SessionIndex } from "../session/session-index.ts";
import { checkDepth } from "../state/merge.ts";
import { readPath } from "../state/path.ts";
import { entriesOf, type PathValues } from "../state/values.ts";
import { formatBytes, formatCount } from "../text/format.ts";
import type { Json } from "../wire.ts";
import type { Writer } from "../batch.ts";
import { indexSchema } from "./index-schema.ts";

/** `latest`: as of a file's ops (contents.ts). */
type Context = { latest: number; attachmentLimits: AttachmentLimits };

/** Throws a Refusal for an index that no session of senders can have. */
export function readIndex(value: unknown, { latest, attachmentLimits }: Context): SessionIndex {
  const index = parse(indexSchema(latest), value, "The index of the file") as SessionIndex; // as: it has all members, and no others
  checkSeries(index.series);
  if (entriesOf(index.values) > 2 * MAX_STATE_VALUES)
    throw new Refusal("too_large", "The file lists more values of the state than a session has.");
  checkTexts(index.texts);
  checkAttachments(index, attachmentLimits);
  return index;
}

function checkSeries(all: Series[]): void {
  const keys = new Set<string>();
  let bytes = 0;
  for (const [position, series] of all.entries()) {
    const { id, name, type, bounds, buckets, metadata, unit, tags } = series;
    const isAscending = bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? bound));
    const hasBuckets = buckets.length === (type === "histogram" ? bounds.length + 1 : 0);
    if (id !== position || !isAscending || !hasBuckets)
      throw new Refusal("invalid_body", `The index of the file does not fit at series "${name}".`);
    if (metadata) checkDepth(metadata, `The metadata of metric "${name}"`);
    keys.add(keyOf(series));
    bytes += JSON.stringify([name, type, unit, tags, metadata, bounds]).length;
  }
  if (keys.size < all.length)
    throw new Refusal("invalid_body", "The index of the file lists a series twice.");
  if (bytes > MAX_SERIES_BYTES)
    throw new Refusal("too_large", "The names, tags and metadata of all metrics are too long.");
}

function checkTexts({ lengths, ...texts }: RecordedTexts): void {
  const lists = ["messages", "output", "data"] as const;
  if (lists.some((list) => lengthOfAll(texts[list]) !== lengths[list]))
    throw new Refusal(
      "invalid_body",
      "The texts of the file do not have the length that it states.",
    );
  if (lists.some((list) => lengths[list] > ROOM[list]))
    throw new Refusal("too_large", "The file lists more texts than a session has.");
}

function checkAttachments({ attachments, seq }: SessionIndex, limits: AttachmentLimits): void {
  const taken = attachments.filter(({ refused }) => refused === undefined);
  const bytes = taken.reduce((sum, { size }) => sum + size, 0);
  const isTooLarge = taken.some(({ size }) => size > limits.each) || bytes > limits.session;
  if (isTooLarge || taken.length > limits.count)
    throw new Refusal(
      "too_large",
      `The session has ${formatCount(taken.length, "attachment")} of ${formatBytes(bytes)}, and this server takes ${limits.count} of ${formatBytes(limits.each)} each and ${formatBytes(limits.session)} together. Set DATACAT_ATTACHMENTS of the server to import it.`,
    );
  const ids = new Set(attachments.map(({ id }) => id));
  // Their chunks are numbered by it.
  const sequences = new Set(attachments.map((one) => one.seq));
  if (
    ids.size < attachments.length ||
    sequences.size < attachments.length ||
    attachments.length - taken.length > MAX_REFUSED_ATTACHMENTS ||
    attachments.some((one) => one.seq > seq || (one.complete && one.refused !== undefined))
  )
    throw new Refusal("invalid_body", "The attachments of the file do not fit.");
}

/** The same index if it has no secret, as one that a server of the same rules wrote. */
export function redactedIndex(index: SessionIndex, redactor: Redactor): SessionIndex {
  return {
    ...index,
    tags: index.tags.map((tag) => redactor.text(tag)),
    series: index.series.map((series) => ({
      ...series,
      metadata: series.metadata && redactor.value(series.metadata, "metadata"),
    })),
    exceptions: withTexts(index.exceptions, redactor),
    texts: redactedTexts(index.texts, redactor),
    values: index.values.map((path) => redactedPath(path, redactor)),
    observations: withTexts(index.observations, redactor),
    lanes: index.lanes.map((lane) => ({ ...lane, writer: redactedWriter(lane.writer, redactor) })),
  };
}

/** Strings at any depth are read as texts: the names of an index's members mean nothing. */
function withTexts<Value>(value: Value, redactor: Redactor): Value {
  if (typeof value === "string") return redactor.text(value) as Value; // a string as before
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withTexts(item, redactor)) as Value; // of the same items
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withTexts(item, redactor)]),
  ) as Value; // with the same keys
}

function redactedWriter(writer: Writer, redactor: Redactor): Writer {
  const { arguments: args, ...rest } = writer;
  return {
    ...withTexts(rest, redactor),
    ...(args && { arguments: redactArguments(args, redactor) }),
  };
}

/** Of data, a name has the keys of the text after `data` or `attribute`. */
function redactedTexts(texts: RecordedTexts, redactor: Redactor): RecordedTexts {
  const lists = {
    messages: withTexts(texts.messages, redactor),
    output: withTexts(texts.output, redactor),
    data: texts.data.map((one) => {
      const [field = "", ...keys] = readPath(one.name) ?? [];
      return { ...one, text: redactedMember(one.text, keys, redactor, field) };
    }),
  };
  const lengths = {
    messages: lengthOfAll(lists.messages),
    output: lengthOfAll(lists.output),
    data: lengthOfAll(lists.data),
  };
  return { ...texts, ...lists, lengths };
}

function lengthOfAll(texts: { text: string; name?: string }[]): number {
  return texts.reduce((sum, text) => sum + lengthOf(text), 0);
}

/** The strings of a path are read as members of the state, whose names may be those of secrets. */
function redactedPath(entry: PathValues, redactor: Redactor): PathValues {
  const keys = readPath(entry.path) ?? [];
  const values = entry.values.map((value) => {
    if (!value.text.startsWith('"')) return value;
    return { ...value, text: `"${redactedMember(value.text.slice(1), keys, redactor, "state")}` };
  });
  return { ...entry, values };
}

/** A text that stands below these keys of a field. */
function redactedMember(
  text: string,
  keys: readonly string[],
  redactor: Redactor,
  field: string,
): string {
  const member = keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), text);
  let clean = redactor.value(member, field);
  for (const key of keys)
    if (typeof clean === "object" && clean !== null)
      clean = (clean as { [key: string]: Json })[key] ?? null;
  return (typeof clean === "string" ? clean : "").slice(0, text.length + 40);
}
