/** What of a session's storage cannot be read. Everything else is in the answers. */
export type DamagedPart = {
  /**
   * storage: the database file; segment: a whole segment; numbers: its sequences and time, which are taken from its neighbours; index:
   * what was counted in it, which is counted again from its log; state: the state at its start; log: some or all of its ops; summary: what
   * a search skips it by, without which it is read; attachment: some or all of the content of one, whose op is `first_seq`.
   */
  part: "storage" | "segment" | "numbers" | "index" | "state" | "log" | "summary" | "attachment";
  /** The segment's id; null for the storage, and for an attachment. */
  segment: number | null;
  /** Its first and last op. */
  first_seq?: number;
  last_seq?: number;
  /** How many of its records are lost, if that is known. */
  lost?: number;
};
