/** A session in a session file, read without a server. Its status is that of the moment of its export. */
import { basename } from "node:path";
import { EVENT_LIST } from "../../../src/core/events/fields.ts";
import { exportAsked } from "../../../src/core/exports/asked.ts";
import { exportOf } from "../../../src/core/exports/exports.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../../../src/core/limits.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { answer, type Question, type Source } from "../../../src/core/questions/questions.ts";
import { Refusal } from "../../../src/core/refusal.ts";
import { type OpenedFile, openFile } from "../../../src/core/session-file/open.ts";
import type { FileBytes } from "../../../src/core/session-file/scan.ts";
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import { moment } from "../terminal.ts";
import { Trouble } from "../trouble.ts";
import { CODEC } from "./codec.ts";
import { withFile } from "./path.ts";
import type { AnswerTo, QueryOf, QuestionName, Session } from "./session.ts";

/** Runs `act` with the session in a file. Throws a Trouble if it is no session file, or if nothing of the session can be read. */
export function withSessionIn<Result>(
  path: string,
  act: (session: Session) => Promise<Result>,
): Promise<Result> {
  return withFile(path, (bytes) => act(sessionIn(path, bytes)));
}

function sessionIn(path: string, bytes: FileBytes): Session {
  const { source, header, problems } = openFile(bytes, CODEC);
  if (!source) throw new Trouble("failed", unreadableText(path, header, problems));
  const exported =
    header && `, exported ${moment(header.exported_at)} by ${nameLabel(header.written_by)}`;
  return {
    id: source.index.id,
    argument: path,
    place: `${basename(path)}${exported ?? ""}`,
    container: "in the file",
    now: "its export",
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
}

function unreadableText(path: string, header: OpenedFile["header"], problems: string[]): string {
  const known = header && ` It is of session ${header.session}: ${nameLabel(header.headline)}.`;
  const advice = "Copy the file again, or export the session again.";
  const why = problems.length > 0 ? problems : [`None of its segments fits. ${advice}`];
  return [`No records can be read in ${path}.${known ?? ""}`, ...why].join("\n");
}

function answerTo<Name extends QuestionName>(
  source: Source,
  name: Name,
  query: QueryOf<Name> = {},
): AnswerTo<Name> {
  const { q, ...rest } = query as { q?: string }; // a query of events has it
  try {
    const asked =
      q === undefined ? rest : { ...rest, query: parseQueryOf(EVENT_LIST, q, source.now) };
    return answer(source, [name, asked] as Question) as AnswerTo<Name>; // the same question, whose query has these members
  } catch (error) {
    throw error instanceof Refusal ? new Trouble("failed", error.message) : error;
  }
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
