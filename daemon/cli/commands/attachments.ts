/** `datacat attachments`: lists the files that a session's program attached, and stores them in a folder. */
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join, parse } from "node:path";
import type { Command } from "commander";
import type { AttachmentRow } from "../../../src/core/answers/attachments.ts";
import { fileNameOf, REFUSAL_TEXTS } from "../../../src/core/attachments/attachments.ts";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../../../src/core/limits.ts";
import { nameLabel, plainText } from "../../../src/core/text/recorded-text.ts";
import { reason } from "../../log.ts";
import { DATACAT } from "../invocation.ts";
import { SAME_NAMES } from "../limits.ts";
import { JSON_OPTION, SESSION_ID } from "../options.ts";
import { withSession } from "../session/named.ts";
import type { Session } from "../session/session.ts";
import { moment, print, printJson, printTable, progress } from "../terminal.ts";
import { EXIT_CODES, Trouble } from "../trouble.ts";

type Options = { download?: string; json?: boolean };

export function addAttachments(program: Command): void {
  program
    .command("attachments")
    .description("List the files that a session's program attached, or store them in a folder.")
    .argument("<id>", SESSION_ID)
    .option("-d, --download <folder>", "Store them there. Files that exist are not replaced.")
    .option(...JSON_OPTION)
    .action((id: string, options: Options) =>
      withSession(id, (session) => showAttachments(session, options)),
    );
}

async function showAttachments(session: Session, options: Options): Promise<void> {
  const { items: attachments } = await session.ask("attachments");
  if (options.download !== undefined) return downloadAll(session, attachments, options);
  if (options.json) return printJson({ id: session.id, attachments });
  if (attachments.length === 0) return print("No attachments.");
  printAttachments(attachments);
}

export function printAttachments(attachments: AttachmentRow[]): void {
  printTable(
    ["attachment", "type", "size", "at", ""],
    attachments.map((one) => [
      nameLabel(one.name, "unnamed"),
      plainText(one.type),
      formatBytes(one.size),
      moment(one.at),
      missing(one),
    ]),
  );
}

/** What is missing of an attachment; "" if it is there. */
function missing({ complete, refused, damaged, received_bytes: received }: AttachmentRow): string {
  if (refused !== undefined) return `refused: ${REFUSAL_TEXTS[refused]}`;
  if (damaged) return "a part is damaged";
  return complete ? "" : `${formatBytes(received)} arrived`;
}

/** Stores what is there. Throws `failed` at the end if something could not be stored. */
async function downloadAll(
  session: Session,
  attachments: AttachmentRow[],
  { download: folder = "", json }: Options,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const stored: { id: string; file: string; bytes: number }[] = [];
  const failures: string[] = [];
  const present = attachments.filter(({ complete }) => complete);
  for (const attachment of present) {
    try {
      progress(`${stored.length + 1} of ${present.length}…`);
      const file = await download(session, attachment, folder);
      stored.push({ id: attachment.id, file, bytes: attachment.size });
      if (!json) print(`${file}: ${formatBytes(attachment.size)}`);
    } catch (error) {
      if (error instanceof Trouble && error.exitCode === EXIT_CODES.unreachable) throw error;
      failures.push(`${nameLabel(attachment.name, "unnamed")}: ${reason(error)}`);
    } finally {
      progress("");
    }
  }
  if (json) printJson({ id: session.id, stored, failures });
  const others = attachments.length - present.length;
  if (!json && others > 0)
    print(
      `${formatCount(others, "attachment")} not ${session.container}: ${DATACAT} attachments ${session.argument}`,
    );
  if (failures.length > 0) throw new Trouble("failed", `Not stored:\n  ${failures.join("\n  ")}`);
}

/** Stores one, part by part. Removes it again if not all of it arrives as it was announced. */
async function download(
  session: Session,
  { id, name, size, sha256 }: AttachmentRow,
  folder: string,
): Promise<string> {
  const { file, descriptor } = create(folder, fileNameOf(name, id));
  const hash = createHash("sha256");
  try {
    for (let from = 0; from < size; from += ATTACHMENT_CHUNK_BYTES) {
      const to = Math.min(size, from + ATTACHMENT_CHUNK_BYTES);
      const bytes = await session.content(id, from, to);
      hash.update(bytes);
      for (let written = 0; written < bytes.length;)
        written += writeSync(descriptor, bytes, written);
    }
    if (hash.digest("hex") !== sha256)
      throw new Trouble("failed", "its content does not match the SHA-256");
  } catch (error) {
    closeSync(descriptor);
    rmSync(file, { force: true });
    throw error;
  }
  closeSync(descriptor);
  return file;
}

/** A new file of this name in the folder, or of the name with a number. Never one that exists, nor what a link leads to. */
function create(folder: string, name: string): { file: string; descriptor: number } {
  const { name: stem, ext } = parse(name);
  for (let number = 1; ; number++) {
    const file = join(folder, number === 1 ? name : `${stem} (${number})${ext}`);
    try {
      return { file, descriptor: openSync(file, "wx") };
    } catch (error) {
      const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!exists || number >= SAME_NAMES) throw error;
    }
  }
}
