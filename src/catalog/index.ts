/**
 * The catalog (D1): finding sessions and comparing across them. Everything takes the database first (`env.CATALOG`).
 *
 *   publish.ts     publish(db, publication) → rows written · forget(db, id) → rows written · type Publication
 *   known.ts       productOf(db, id) · openBeforeBoot(db, {machine_id, boot_id, product}) → ids · latestStates(db, ids) → JSON texts
 *   sessions.ts    listSessions(db, {…SessionFilter, sort, order, cursor, limit}, held?) → {items, next, previous, searched_to}
 *   filter.ts      SessionFilter, STATUS_KINDS: what the list, the comparisons and the exports are asked with
 *                  asking(name) → the word for a product or version, also for none · nameAsked(word) → the name
 *   products.ts    versions(db, product?) → counts per version · versionDays(db, now, {product, days}) → trend · freeRate(sessions, failed)
 *   events.ts      eventNames(db, prefix?, product?) · eventTotals(db, id)
 *   metrics.ts     metricNames(db, prefix?, product?) · sessionMetrics(db, {…SessionFilter, name, type, tags}) · rollups(db, ids, name)
 *   comparison.ts  statistics(items, by) · overTime(items, {by, axis, from, to, buckets}) · sessionQuantiles(items, by, q) · distribution(items, bars): pure, of sessionMetrics' items
 *   exceptions.ts  exceptionGroups(db, {product, status, text, sort, cursor, limit}) · exceptionGroup(db, fingerprint, product?)
 *                  exceptionDays(db, product, fingerprint, now, days?) · decideGroup(db, {product, fingerprint, status, version}, now)
 *   paths.ts       statePaths(db, prefix?) · stateValues(db, path, prefix?): what "ever in state" can be asked for
 *   views.ts       listViews(db) · saveView(db, {name, query, created_at}) · deleteView(db, name)
 *   usage.ts       noteUsage(db, {object_rows, catalog_rows}, now) · usageOf(db, now) → rows of the day, bytes stored
 *   keys.ts        listKeys, findKey, storeKey, revokeKey, noteUse (through access/, which makes and checks keys)
 */
export * from "./comparison.ts";
export * from "./events.ts";
export * from "./exceptions.ts";
export { asking, nameAsked, type SessionFilter, STATUS_KINDS, type StatusKind } from "./filter.ts";
export * from "./known.ts";
export * from "./metrics.ts";
export * from "./paths.ts";
export * from "./products.ts";
export { forget, type Publication, publish } from "./publish.ts";
export {
  listSessions,
  SESSION_SORTS,
  type SessionList,
  type SessionListQuery,
  type SessionRow,
  type SessionSort,
} from "./sessions.ts";
export * from "./usage.ts";
