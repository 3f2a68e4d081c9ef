/** Mutants that survive because they mean the same as the original, each with the reason. */

export type Equivalent = { file: string; before: string; after: string; reason: string };

export const EQUIVALENT: Equivalent[] = [];
