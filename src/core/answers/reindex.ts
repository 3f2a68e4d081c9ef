/** The answer of `POST /api/reindex`. */
export type Reindexed = {
  /** Ids of sessions, or of objects if it was called with those. */
  done: string[];
  failed: { id: string; error: string }[];
  /** Sessions of the catalog that do not exist any more. */
  removed: string[];
};

/** The same for one step of rebuilding the whole catalog. */
export type RebuildStep = Reindexed & {
  /** The `cursor` of the next step; null after the last one. */
  next: string | null;
  /** Sessions in the roster; in the first answer only, because counting them reads a row for each. */
  total?: number;
};
