/** What is in a folder of lanes, by the names of its files. */
import { readdirSync } from "node:fs";

/** Every lane in a folder with the numbers of its parts, oldest lane first. */
export function listLanes(folder: string): Map<string, number[]> {
  return listFolder(folder).lanes;
}

/**
 * The lanes in a folder, and by lane the numbers of the attachments that are beside it. Folders, pipes and links are no lanes. What is
 * named as an attachment and no folder is listed, so that it is removed with its lane.
 */
export function listFolder(folder: string): {
  lanes: Map<string, number[]>;
  attachments: Map<string, number[]>;
} {
  const lanes = new Map<string, number[]>();
  const attachments = new Map<string, number[]>();
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const part = entry.isFile() ? parseLaneFile(entry.name) : undefined;
    if (part) add(lanes, part.lane, part.part);
    const attachment = entry.isDirectory() ? undefined : parseAttachmentFile(entry.name);
    if (attachment) add(attachments, attachment.lane, attachment.number);
  }
  for (const numbers of attachments.values()) numbers.sort((a, b) => a - b);
  return { lanes, attachments };
}

function add(lists: Map<string, number[]>, lane: string, number: number): void {
  const list = lists.get(lane);
  if (list) list.push(number);
  else lists.set(lane, [number]);
}

function parseLaneFile(name: string): { lane: string; part: number } | undefined {
  const [, lane, part] = /^([A-Za-z0-9][A-Za-z0-9._:-]*)\.(\d{6})\.lane$/.exec(name) ?? [];
  return lane !== undefined && part !== undefined ? { lane, part: Number(part) } : undefined;
}

export function attachmentId(lane: string, number: number): string {
  return `${lane}.${number}`;
}

/** The lane and the number in the name of a file; undefined for another file. */
function parseAttachmentFile(name: string): { lane: string; number: number } | undefined {
  const [, lane, digits] =
    /^([A-Za-z0-9][A-Za-z0-9._:-]*)\.([1-9]\d{0,8})\.attachment$/.exec(name) ?? [];
  return lane === undefined ? undefined : { lane, number: Number(digits) };
}

/** The number in an attachment's id, if it is of this lane. */
export function attachmentNumber(lane: string, id: unknown): number | undefined {
  const file = parseAttachmentFile(`${String(id)}.attachment`);
  return file?.lane === lane ? file.number : undefined;
}
