/** The numbers of the jobs, each with its reason. */

/** Old sessions deleted at the same time; each is a subrequest or two. */
export const RETENTION_AT_ONCE = 10;
/** Source maps of a version without sessions are kept this long after their last upload: a release may be built before it is used. */
export const SOURCE_MAPS_DAYS = 30;
/** Versions whose source maps are looked at in one run, the oldest first. */
export const SOURCE_MAPS_PER_RUN = 50;
/** Old sessions deleted in one run; the next run, an hour later, deletes more. */
export const RETENTION_PER_RUN = 1_000;
