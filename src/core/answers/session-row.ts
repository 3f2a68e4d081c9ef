import type { Status } from "../vocabulary.ts";

/** A session in a list: the answer of `GET /api/sessions`. */
export type SessionRow = {
  id: string;
  product: string;
  version: string;
  status: Status;
  ever_hung: boolean;
  recovered: boolean;
  headline: string;
  machine_id: string;
  hostname: string;
  browser: string;
  tags: string[];
  created_at: number;
  updated_at: number;
  received_at: number;
  status_since: number;
  /** How long it ran, and how long its status has lasted, as of this answer. */
  ran_ms: number;
  status_ms: number;
  ended_at: number | null;
  last_heartbeat_at: number | null;
  states: number;
  events: number;
  exceptions: number;
  points: number;
  series: number;
  /** Announced, and not refused. */
  attachments: number;
  exit_code: number | null;
  signal: string | null;
  uncaught: number;
  /** Of a test run: how many tests ended, and how many did not pass; else 0. */
  tests: number;
  failed_tests: number;
  bytes: number;
  revision: number;
  /** Parts of its storage that cannot be read, as far as was noticed. */
  damaged: number;
  /** Lists of it that are incomplete in the catalog, as bits (catalog/search/filter.ts). 0: none. */
  left_out: number;
  /** It may have what the filter asks for: its index is incomplete, and its log is too long to be searched, or did not answer. */
  unsure?: true;
  /** It may have a value that the list is sorted by: its own list is incomplete. Such sessions come after those with a value. */
  unsorted?: true;
};
