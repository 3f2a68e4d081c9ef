/** Stores session files on the server, each read as it is sent. */
import { randomUUID } from "node:crypto";
import type { ImportAnswer } from "../../../src/core/answers/import.ts";
import { DAY_MS } from "../../../src/core/limits.ts";
import { MAX_FILE_BYTES } from "../../../src/core/session-file/limits.ts";
import { type FileBytes, scanFile } from "../../../src/core/session-file/scan.ts";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { redactText } from "../../../src/core/secrets/redact.ts";
import { reason } from "../../log.ts";
import { DATACAT } from "../invocation.ts";
import { UPLOAD_BYTES } from "../limits.ts";
import { withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { CODEC } from "../session/codec.ts";
import { withFile } from "../session/path.ts";
import { print, printJson, progress } from "../terminal.ts";
import { EXIT_CODES, Trouble } from "../trouble.ts";

type Line = ImportAnswer & { file: string; link: string };

/** Throws the Trouble of a file that is not imported. Of several, the others are imported, and it is named on standard error. */
export async function importSessions(
  files: string[],
  { asNewId, json }: { asNewId?: string | true; json?: boolean },
): Promise<void> {
  const lines: Line[] = [];
  let failed = 0;
  const id = asNewId === true ? randomUUID() : asNewId;
  await withServer(async (server) => {
    for (const file of files) {
      try {
        const line = await importSession(server, file, id);
        lines.push(line);
        if (!json) print(`${file}: ${textOf(line)}\ndatacat: ${redactText(line.link)}`);
        if (isDeletedSoon(line)) process.stderr.write(`datacat: ${DELETED_SOON}\n`);
      } catch (error) {
        if (files.length === 1 || !isOfOneFile(error)) throw error;
        const text = reason(error);
        process.stderr.write(`datacat: ${text.includes(file) ? "" : `${file}: `}${text}\n`);
        failed++;
      }
    }
  });
  if (json) printJson(lines);
  if (failed > 0)
    throw new Trouble("failed", `${formatCount(failed, "session file")} not imported.`);
}

/** Whether the next file may be imported nevertheless. */
function isOfOneFile(error: unknown): boolean {
  return (
    error instanceof Trouble &&
    error.exitCode !== EXIT_CODES.unreachable &&
    error.exitCode !== EXIT_CODES.not_allowed
  );
}

function importSession(server: Server, file: string, id: string | undefined): Promise<Line> {
  return withFile(file, async (bytes) => {
    check(file, bytes);
    progress("importing…");
    try {
      const upload = { length: bytes.size, parts: () => piecesOf(bytes) };
      const answer = await server.postFile<ImportAnswer>("/api/sessions/import", { id }, upload);
      return { ...answer, file, link: `${server.url}/sessions/${answer.session}` };
    } finally {
      progress("");
    }
  });
}

/** Throws a Trouble for what a server would refuse when all of it was sent. */
function check(file: string, bytes: FileBytes): void {
  if (bytes.size > MAX_FILE_BYTES)
    throw new Trouble(
      "failed",
      `${file} has ${formatBytes(bytes.size)}, and a server takes session files of ${formatBytes(MAX_FILE_BYTES)}. It can be read without one: ${DATACAT} show ${file}`,
    );
  progress("reading…");
  const { problems } = scanFile(bytes, CODEC);
  progress("");
  if (problems.length > 0)
    throw new Trouble("failed", `${file} is not imported. ${problems.join(" ")}`);
}

async function* piecesOf({ size, read }: FileBytes): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += UPLOAD_BYTES) yield Buffer.from(read(at, UPLOAD_BYTES));
}

/** Whether the server will delete it within a day: it does so once an hour. */
function isDeletedSoon({ kept_until: until = null }: Line): boolean {
  return until !== null && until < Date.now() + DAY_MS;
}

const DELETED_SOON =
  "The session is older than the server keeps sessions without activity, so the server will delete it. Set DATACAT_RETENTION_DAYS of the server to keep it.";

function textOf({ imported, session, counts }: Line): string {
  if (!imported) return `session ${session} is on the server already`;
  const { events = 0, states = 0, points = 0 } = counts ?? {};
  return `session ${session}, with ${formatCount(events, "event")}, ${formatCount(states, "state change")} and ${formatCount(points, "point")}`;
}
