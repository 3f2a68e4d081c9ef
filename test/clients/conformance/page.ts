/** Makes the calls of a golden fixture in a page, and returns its session's id. */
import { open } from "../../../clients/typescript/browser.ts";
import { type Fixture, play } from "../typescript/golden.ts";

export async function playFixture({ calls }: Fixture, url: string): Promise<string | undefined> {
  const session = play(calls, (start) => open({ ...start, url }));
  session?.end();
  await session?.flush(30_000);
  return session?.id;
}
