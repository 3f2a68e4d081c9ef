/** A session in a session file, read without a server. Its status is that of the moment of its export. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { EVENT_LIST } from "../../../src/core/events/fields.ts";
import { exportAsked } from "../../../src/core/exports/asked.ts";
import { exportOf } from "../../../src/core/exports/exports.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../../../src/core/limits.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { ANSWERS, type Source } from "../../../src/core/questions/questions.ts";
import type { Codec } from "../../../src/core/segments/segment.ts";
import { type OpenedFile, openFile } from "../../../src/core/session-file/open.ts";
import { BadFile } from "../../../src/core/session-file/parts.ts";
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import { moment } from "../terminal.ts";
import { Trouble } from "../trouble.ts";
import type { AnswerTo, QueryOf, QuestionName, Session } from "./session.ts";

const CODEC: Codec = {
  deflate: (bytes) => deflateRawSync(bytes),
  inflate: (bytes, most) =>
    inflateRawSync(bytes, most === undefined ? {} : { maxOutputLength: most }),
  checksum: (bytes, seed = 0) => crc32(bytes, seed),
};

/** Throws `failed` if it is no session file, or if nothing of the session can be read. */
export function openSession(path: string): { session: Session; close: () => void } {
  const descriptor = openSync(path, "r");
  const close = () => closeSync(descriptor);
  try {
    const { size } = fstatSync(descriptor);
    const read = (from: number, length: number) => readAt(descriptor, from, length);
    const { source, header, problems } = openFile({ size, read }, CODEC);
    if (!source) throw new Trouble("failed", unreadableText(path, header, problems));
    const exported =
      header && `, exported ${moment(header.exported_at)} by ${nameLabel(header.written_by)}`;
    const session: Session = {
      id: source.index.id,
      place: `${basename(path)}${exported ?? ""}`,
      container: "in the file",
      problems,
      ask: (name, query) => Promise.resolve(answerTo(source, name, query)),
      changes: () => Promise.resolve(undefined),
      content: (attachment, from, to) => Promise.resolve(contentOf(source, attachment, from, to)),
      export: async (parameters, receive) => {
        const asked = exportAsked(parameters);
        if (asked.kind === "file")
          throw new Trouble("usage", "This is a session file already: copy it.");
        for (const text of exportOf(source, asked)) await receive(Buffer.from(text));
      },
    };
    return { session, close };
  } catch (error) {
    close();
    if (error instanceof BadFile)
      throw new Trouble("failed", `${path} is no session file that can be read: ${error.message}.`);
    throw error;
  }
}

function readAt(descriptor: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const more = readSync(descriptor, bytes, read, length - read, from + read);
    if (more === 0) break;
    read += more;
  }
  return bytes.subarray(0, read);
}

function unreadableText(path: string, header: OpenedFile["header"], problems: string[]): string {
  const known = header && ` It is of session ${header.session}: ${nameLabel(header.headline)}.`;
  return [`No records can be read in ${path}.${known ?? ""}`, ...problems].join("\n");
}

function answerTo<Name extends QuestionName>(
  source: Source,
  name: Name,
  query: QueryOf<Name> = {},
): AnswerTo<Name> {
  const { q, ...rest } = query as { q?: string }; // a query of events has it
  const answer = ANSWERS[name] as (source: Source, query: object) => unknown; // the same question, whose query has these members
  const asked =
    q === undefined ? rest : { ...rest, query: parseQueryOf(EVENT_LIST, q, source.now) };
  return answer(source, asked) as AnswerTo<Name>;
}

/** Throws `failed` if the file does not have these bytes. */
function contentOf({ store, index }: Source, id: string, from: number, to: number): Buffer {
  const attachment = index.attachments.find((each) => each.id === id);
  const chunk = Math.floor(from / ATTACHMENT_CHUNK_BYTES);
  const start = chunk * ATTACHMENT_CHUNK_BYTES;
  const bytes = attachment && store.chunks.read(attachment, chunk);
  if (!bytes) throw new Trouble("failed", "a part of it is missing in the file");
  return Buffer.from(bytes.subarray(from - start, to - start));
}
