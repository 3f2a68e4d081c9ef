/** Keys that are bound to one product. */
import type { Access } from "../access/access.ts";
import { productOf } from "../catalog/known.ts";
import { Refusal } from "../core/refusal.ts";
import type { Env } from "../env.ts";

/** Refuses a key that is bound to another product than the session's. A session that nobody knows yet belongs to nobody. */
export async function mayTouch(env: Env, access: Access, id: string): Promise<void> {
  if (access.product === null) return;
  const product = await productOf(env.CATALOG, id);
  if (product !== undefined && product !== access.product) {
    throw new Refusal(
      "forbidden",
      `This key is for the product "${access.product}", and the session is of another.`,
    );
  }
}
