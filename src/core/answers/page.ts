import type { DamagedPart } from "./damage.ts";

/** `next` is the cursor of the next page; null at the end. */
export type Page<Row> = { items: Row[]; next: string | null; damaged?: DamagedPart[] };
