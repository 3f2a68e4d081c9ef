/** The code of each refusal and its HTTP status. */
export const REFUSALS = {
  invalid_json: 400, // the body is not JSON
  invalid_body: 400, // JSON, but not of the shape the route takes
  invalid_query: 400, // a query parameter out of its range
  invalid_encoding: 400, // Content-Encoding and body disagree
  not_finite: 400, // a metric value that is NaN or infinite
  bad_chunk: 400, // a part of an attachment's content with another size, number or checksum than it must have
  bad_file: 400, // a session file that is damaged, not complete, or contradicts itself
  too_deep: 400, // nested deeper than MAX_DEPTH
  too_many_keys: 400, // more than MAX_STATE_KEYS keys in the state
  unauthorized: 401, // no key, or a wrong one
  forbidden: 403, // a valid key without this permission
  foreign_host: 403, // a request to a local server with another Host than this machine's
  locked: 403, // deployed without an admin secret
  not_found: 404, // no such session, metric, page
  method_not_allowed: 405,
  exists: 409, // a session with this id is here already
  lane_gap: 409, // the batch starts after the next expected sequence
  lane_overlap: 409, // the batch starts before it and ends after it
  checksum_mismatch: 409, // the content of an attachment is not what its op announced
  gone: 410, // the session was deleted
  too_large: 413, // body, batch, event or state over its limit
  invalid_range: 416, // a Range after the end of an attachment
  attachment_refused: 422, // its content is never taken
  too_many_requests: 429, // Retry-After has the time to wait
  internal: 500, // an error of the server, logged with its cause
  damaged: 503, // a session's storage can't be read at all; restore it from a backup, or delete the session
  damaged_content: 503, // a part of an attachment can't be read; the rest can
  unavailable: 503, // storage is not answering; retry
  storage_full: 507, // the disk, a session's object or a database is full
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** An error that the caller sees. Its message states what happened, why, and what to do. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** Further members of the error's JSON: for `lane_gap`, the sequence applied so far. */
  readonly details: Record<string, string | number>;

  constructor(code: RefusalCode, message: string, details: Record<string, string | number> = {}) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return REFUSALS[this.code];
  }

  toJSON(): { error: { code: RefusalCode; message: string } & Record<string, string | number> } {
    return { error: { ...this.details, code: this.code, message: this.message } };
  }
}

/**
 * The refusal in a thrown value, or undefined. Errors that crossed the RPC of a Durable Object keep name, message and own
 * properties but fail `instanceof`, so this checks the shape.
 */
export function refusalOf(thrown: unknown): Refusal | undefined {
  if (thrown instanceof Refusal) return thrown;
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  const { code, details } = thrown as Error & { code: unknown; details?: Refusal["details"] };
  if (typeof code !== "string" || !Object.hasOwn(REFUSALS, code)) return undefined;
  return new Refusal(code as RefusalCode, thrown.message, details);
}
