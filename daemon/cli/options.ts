/** Options and arguments that several commands share. */
import { InvalidArgumentError } from "commander";
import { MAX_PAGE } from "../../src/core/limits.ts";
import { writeTag } from "../../src/core/text/tag.ts";
import type { Server } from "./server.ts";

export const JSON_OPTION = ["--json", "Print JSON, for programs."] as const;

/** For commands whose output is always one JSON object per line. */
export const ALWAYS_JSON_OPTION = [
  "--json",
  "Accepted for uniformity: the output is always JSON.",
] as const;

export const SESSION_ID =
  "the session's id, a unique beginning of it, `last` for the newest session, or a session file (.datacat)";

/** Runs `act` with the server that the environment names. */
export async function withServer<Result>(
  act: (server: Server) => Promise<Result>,
): Promise<Result> {
  // Loaded only by commands that ask the server.
  const { Server: ServerOf } = await import("./server.ts");
  const server = new ServerOf(process.env);
  try {
    return await act(server);
  } finally {
    await server.close();
  }
}

/** An option that may be repeated. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** An option that may be repeated, whose value is a tag: `branch:main`, or as `branch=main`. */
export function collectTag(value: string, before: string[]): string[] {
  return collect(tagOption(value), before);
}

/** `branch=main` is the tag `branch:main`. After a colon, = belongs to the value. */
export function tagOption(text: string): string {
  const [key = "", ...rest] = text.split("=");
  return rest.length === 0 || key === "" || key.includes(":")
    ? text
    : writeTag(key, rest.join("="));
}

/** A number of rows, which the API limits. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > MAX_PAGE) {
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_PAGE}.`);
  }
  return value;
}
