/**
 * The order of versions: parts of digits by their number, others as text. As in Semantic Versioning 2.0.0, section 11, a version with a
 * pre-release (after `-`) comes before the same one without, and what follows `+` does not count.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  const order = compareParts(left.release, right.release);
  if (order !== 0) return order;
  const [before, after] = [left.preRelease, right.preRelease];
  if (before.length === 0 || after.length === 0) return after.length - before.length;
  return compareParts(before, after);
}

function partsOf(version: string): { release: string[]; preRelease: string[] } {
  const [text = ""] = version.replace(/^v(?=\d)/i, "").split("+", 1);
  const dash = text.indexOf("-");
  const release = dash < 0 ? text : text.slice(0, dash);
  return {
    release: release.match(PART) ?? [],
    preRelease: dash < 0 ? [] : (text.slice(dash + 1).match(PART) ?? []),
  };
}

const PART = /\d+|[^\d.\-_ ]+/g;
const ZEROES = /^0+(?=\d)/;

/** Missing numbers count as 0, so that 1.2 and 1.2.0 are equal. */
function compareParts(a: string[], b: string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = comparePart(a[i] ?? "0", b[i] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before texts. They may be longer than an integer, as dates with a time are. */
function comparePart(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d/.test(a), /^\d/.test(b)];
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  if (!isNumberA) return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [a.replace(ZEROES, ""), b.replace(ZEROES, "")];
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** `first_at`: the start of its first session. */
export type VersionSeen = { version: string; first_at: number };

/**
 * Versions in ascending order: version numbers and dates by compareVersions, then all others, such as commits, by when they were
 * first seen. A version without a name comes last.
 */
export function inVersionOrder<Version extends VersionSeen>(
  versions: readonly Version[],
): Version[] {
  return [...versions].sort((a, b) => {
    const [kind, other] = [kindOf(a.version), kindOf(b.version)];
    if (kind !== other) return kind - other;
    const order =
      kind === NUMBERED ? compareVersions(a.version, b.version) : a.first_at - b.first_at;
    return order !== 0 ? order : a.version < b.version ? -1 : a.version > b.version ? 1 : 0;
  });
}

/** Kinds of versions, in their order. */
const [NUMBERED, NAMED, UNNAMED] = [0, 1, 2];

/** A number with at least one point in it, a date, or a whole number that is no commit. */
const NUMBER = /^v?(\d+\.\d|\d{4}-\d\d-\d\d|\d{1,14}$)/i;

function kindOf(version: string): number {
  if (version === "") return UNNAMED;
  return NUMBER.test(version) ? NUMBERED : NAMED;
}
