/** A session that a command reads: on the server, or in a session file. */
import type { AttachmentRow } from "../../../src/core/answers/attachments.ts";
import type { EventCount, EventPage } from "../../../src/core/answers/events.ts";
import type { Page } from "../../../src/core/answers/page.ts";
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import type { StackRow } from "../../../src/core/answers/stacks.ts";
import type { StateAt, StateChange } from "../../../src/core/answers/state.ts";
import type { Summary } from "../../../src/core/answers/summary.ts";
import type { Timeline } from "../../../src/core/answers/timeline.ts";
import type { ExportParameters } from "../../../src/core/exports/asked.ts";
import type { Receive } from "../../send/transport.ts";

type Ordered = { order?: "asc" | "desc"; limit?: number; cursor?: string | undefined };

type Nothing = { [name: string]: never };

/** What a session can be asked here: the query, and the answer. */
type Questions = {
  summary: [Nothing, Summary];
  state: [{ at?: number }, StateAt];
  history: [Ordered, Page<StateChange>];
  events: [Ordered & { to?: number; exceptions?: true; q?: string | undefined }, EventPage];
  eventCounts: [Nothing, EventCount[]];
  series: [Nothing, SeriesSummary[]];
  stacks: [Nothing, Page<StackRow>];
  attachments: [Nothing, { items: AttachmentRow[] }];
  timeline: [{ buckets?: number }, Timeline];
};
export type QuestionName = keyof Questions;
export type QueryOf<Name extends QuestionName> = Questions[Name][0];
export type AnswerTo<Name extends QuestionName> = Questions[Name][1];

/** What differs from the last good runs. */
export type Changes = { items: { text: string }[]; tested: number; others: { sessions: number } };

export type Session = {
  id: string;
  /** As which a command finds it again. */
  argument: string;
  /** The address of its page, or its file and when that was exported. */
  place: string;
  container: "on the server" | "in the file";
  /** Until when it goes on, if it is not over. */
  now: "now" | "its export";
  /** What of the file cannot be read, as sentences. */
  problems: string[];
  ask<Name extends QuestionName>(name: Name, query?: QueryOf<Name>): Promise<AnswerTo<Name>>;
  /** Undefined if there is nothing to compare it with. */
  changes(): Promise<Changes | undefined>;
  /** Bytes of the content of an attachment. */
  content(attachment: string, from: number, to: number): Promise<Buffer>;
  export(parameters: ExportParameters, receive: Receive): Promise<void>;
  /** Lets its daemon send more often until the result is called. A file has none: nothing follows in it. */
  watch?: () => Promise<() => void>;
};
