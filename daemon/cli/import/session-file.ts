/** Stores session files on the server, each read as it is sent. */
import { randomUUID } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import type { SessionIndex } from "../../../src/core/session/session-index.ts";
import { formatCount } from "../../../src/core/text/format.ts";
import { redactText } from "../../../src/core/secrets/redact.ts";
import { withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { print, printJson, progress } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

/** As the server answers. */
type Answer = { session: string; imported: boolean; counts?: SessionIndex["counts"] };
type Line = Answer & { file: string; link: string };

/** Throws `failed`, or what the server refused, at the first file that is not imported. */
export async function importSessions(
  files: string[],
  { asNewId, json }: { asNewId?: string | true; json?: boolean },
): Promise<void> {
  const lines: Line[] = [];
  const id = asNewId === true ? randomUUID() : asNewId;
  await withServer(async (server) => {
    for (const file of files) {
      const line = await importSession(server, file, id);
      lines.push(line);
      if (!json) print(`${file}: ${textOf(line)}\ndatacat: ${redactText(line.link)}`);
    }
  });
  if (json) printJson(lines);
}

async function importSession(server: Server, file: string, id: string | undefined): Promise<Line> {
  const length = sizeOf(file);
  progress("importing…");
  try {
    const upload = { length, parts: () => createReadStream(file) };
    const answer = await server.postFile<Answer>("/api/sessions/import", { id }, upload);
    return { ...answer, file, link: `${server.url}/sessions/${answer.session}` };
  } finally {
    progress("");
  }
}

function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Trouble("not_found", `There is no file ${file}.`);
  return found.size;
}

function textOf({ imported, session, counts }: Line): string {
  if (!imported) return `session ${session} is on the server already`;
  const { events = 0, states = 0, points = 0 } = counts ?? {};
  return `session ${session}, with ${formatCount(events, "event")}, ${formatCount(states, "state change")} and ${formatCount(points, "point")}`;
}
