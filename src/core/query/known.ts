/** Kleene's logic of three values: null is what is not known. Parts are functions, so that those after a decisive one are not asked. */
export type Known = boolean | null;
type Part = () => Known;

export function all(parts: Iterable<Part>): Known {
  let result: Known = true;
  for (const part of parts) {
    const answer = part();
    if (answer === false) return false;
    if (answer === null) result = null;
  }
  return result;
}

export function any(parts: Iterable<Part>): Known {
  let result: Known = false;
  for (const part of parts) {
    const answer = part();
    if (answer === true) return true;
    if (answer === null) result = null;
  }
  return result;
}

export function not(part: Known): Known {
  return part === null ? null : !part;
}
