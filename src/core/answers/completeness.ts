/**
 * The ops that the program issued: accepted = stored + the sum of `dropped`, by cause of the loss. Reports of losses and the daemon's
 * observations are not counted.
 */
export type Completeness = {
  accepted: number;
  stored: number;
  dropped: { [cause: string]: number };
  /**
   * Stored ops of which a value was cut or described, by cause; `future_time` and `sent_at`: times that cannot be true, and are
   * bounded or not used.
   */
  altered?: { [cause: string]: number };
  /** Which of their fields, as the client names them ("metric.name", "data.user"): the first ones. */
  altered_fields?: string[];
  loss_times?: LossTimes[];
  /** If there are any: how many were announced, how many are there as a whole, and how many were refused. */
  attachments?: { announced: number; arrived: number; refused: number };
};

/** When ops were lost for a cause, by the program's clock. `at_least`: more were lost than could be counted. */
export type LossTimes = { cause: string; from: number; to: number; at_least?: boolean };

/**
 * How many entries the index of a session leaves out, by what reached its limit (limits.ts): events under names that it does not list,
 * exceptions under fingerprints that it does not list, refused attachments that it does not list, changes of state paths that it does
 * not list, paths that had more values than it lists, tags, writers of lanes of which only the process is kept, and the oldest changes
 * of the status. The log has all but the last two.
 * `catalog_…` are entries that the index lists and the catalog does not.
 */
export type LeftOut = {
  event_names?: number;
  exceptions?: number;
  state_paths?: number;
  state_values?: number;
  tags?: number;
  attachments?: number;
  writers?: number;
  transitions?: number;
  catalog_series?: number;
  catalog_event_names?: number;
  catalog_exceptions?: number;
};
